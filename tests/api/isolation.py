"""How each field is asked for the rows of another shop.

Every argument of a query that is an id or a text, however deep in an input, has to be in `QUERIES` or in `NO_NAMES`;
every mutation has to be in `MUTATIONS`. The tests find the arguments in the schema and fail for one that is forgotten.
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    get_named_type,
)

from core.ids import decode_global_id, encode_global_id
from schema.views import type_name_of
from tests.api.catalogues import Catalogue, unknown_id
from tests.factories import unique

Arguments = dict[str, Any]


class Names(Protocol):
    """Where the ids and texts of an argument come from."""

    def id(self, type_name: str) -> str:
        """The global id of a row."""
        ...

    def text(self, table: str, column: str) -> str:
        """What a row has in a column by which it can be found."""
        ...


class NamesOf:
    """The names of a shop's rows."""

    def __init__(self, made: Catalogue) -> None:
        self.made = made

    def id(self, type_name: str) -> str:
        return self.made.id_of(type_name)

    def text(self, table: str, column: str) -> str:
        # The first channel of every shop has the same name.
        row = self.made.rows[table][-1] if table == "channel" else self.made.first(table)
        value = getattr(row, column)
        return str(value[0] if isinstance(value, list) else value)


class UnknownNames:
    """Names that are well-formed and that no shop has."""

    def id(self, type_name: str) -> str:
        return unknown_id(type_name)

    def text(self, table: str, column: str) -> str:
        return unique(f"{table}-{column}".replace("_", "-"))


Ask = Callable[[Names], Arguments]
"""Makes the arguments of a field from names."""

NODE_TYPES = (
    "Attribute",
    "AttributeValue",
    "Category",
    "Channel",
    "Collection",
    "Listing",
    "Media",
    "Product",
    "ProductType",
    "Review",
    "Variant",
    "Warehouse",
)


def _node(type_name: str) -> Ask:
    return lambda names: {"id": names.id(type_name)}


def _filtered(**fields: Callable[[Names], Any]) -> Ask:
    return lambda names: {"filter": {name: value(names) for name, value in fields.items()}}


def _with_value(names: Names) -> list[Arguments]:
    return [{"attribute": names.text("attribute", "slug"), "values": [names.text("attribute_value", "slug")]}]


QUERIES: Mapping[str, Sequence[Ask]] = {
    "node.id": [_node(name) for name in NODE_TYPES],
    "nodes.ids": [lambda names: {"ids": [names.id(name) for name in NODE_TYPES]}],
    "product.id": [_node("Product")],
    "product.slug": [lambda names: {"slug": names.text("product", "slug")}],
    "product.externalRef": [lambda names: {"externalRef": names.text("product", "external_ref")}],
    "variant.id": [_node("Variant")],
    "variant.sku": [lambda names: {"sku": names.text("variant", "sku")}],
    "category.id": [_node("Category")],
    "category.slug": [lambda names: {"slug": names.text("category", "slug")}],
    "collection.id": [_node("Collection")],
    "collection.slug": [lambda names: {"slug": names.text("collection", "slug")}],
    "products.filter.category": [_filtered(category=lambda names: names.id("Category"))],
    "products.filter.collection": [_filtered(collection=lambda names: names.id("Collection"))],
    "products.filter.attributes.attribute": [_filtered(attributes=_with_value)],
    "products.filter.attributes.values": [_filtered(attributes=_with_value)],
    "products.filter.text": [
        _filtered(text=lambda names: names.text("variant", "sku")),
        _filtered(text=lambda names: names.text("product", "vendor")),
    ],
    "products.filter.vendor": [_filtered(vendor=lambda names: names.text("product", "vendor"))],
    "products.filter.tags": [_filtered(tags=lambda names: [names.text("product", "tags")])],
}
"""The arguments of queries by which rows are found."""

NO_NAMES: Mapping[str, str] = {
    "after": "cursors are signed with the shop's key; see the test of cursors",
    "before": "as after",
    "locale": "names a language, not a row",
    "filter.price.minimum": "an amount",
    "filter.price.maximum": "an amount",
}
"""Arguments of any field that name no row, and why."""


def channel(names: Names) -> Arguments:
    """Name a channel, as most root fields let clients do."""
    return {"channel": names.text("channel", "slug")}


def _ids(made: Catalogue, table: str, **where: Any) -> list[str]:
    """Return the ids of a table's rows that have these values."""
    return [
        encode_global_id(type_name_of(table), row.id)
        for row in made.rows[table]
        if all(getattr(row, name) == value for name, value in where.items())
    ]


def _of(type_name: str, **more: Any) -> Callable[[Catalogue], Arguments]:
    return lambda made: {"id": made.id_of(type_name), **more}


def _value(made: Catalogue) -> Arguments:
    return {"attributeId": made.id_of("Attribute"), "valueIds": [made.id_of("AttributeValue")]}


def _product(made: Catalogue) -> Arguments:
    return {"name": "New", "productTypeId": made.id_of("ProductType"), "categoryId": made.id_of("Category")}


def _listing(made: Catalogue) -> Arguments:
    return {"channelId": made.id_of("Channel"), "variantId": _ids(made, "variant")[-1], "price": "1.00"}


MUTATIONS: Mapping[str, Callable[[Catalogue], Arguments]] = {
    "channelCreate": lambda _: {"input": {"name": "New", "currency": "USD"}},
    "channelUpdate": _of("Channel", input={"name": "New"}),
    "channelDelete": _of("Channel"),
    "channelWarehousesSet": lambda made: {"id": made.id_of("Channel"), "warehouseIds": [made.id_of("Warehouse")]},
    "productTypeCreate": lambda _: {"input": {"name": "New"}},
    "productTypeUpdate": _of("ProductType", input={"name": "New"}),
    "productTypeDelete": _of("ProductType"),
    "productTypeAttributesSet": lambda made: {
        "id": made.id_of("ProductType"),
        "attributeIds": [made.id_of("Attribute")],
    },
    "attributeCreate": lambda _: {"input": {"name": "New", "kind": "TEXT"}},
    "attributeUpdate": _of("Attribute", input={"name": "New"}),
    "attributeDelete": _of("Attribute"),
    "attributeValueCreate": lambda made: {"input": {"attributeId": made.id_of("Attribute"), "name": "New"}},
    "attributeValueUpdate": _of("AttributeValue", input={"name": "New"}),
    "attributeValueDelete": _of("AttributeValue"),
    "attributeValueBulkCreate": lambda made: {"inputs": [{"attributeId": made.id_of("Attribute"), "name": "New"}]},
    "attributeValueBulkUpdate": lambda made: {
        "changes": [{"id": made.id_of("AttributeValue"), "input": {"name": "New"}}]
    },
    "attributeValueBulkDelete": lambda made: {"ids": [made.id_of("AttributeValue")]},
    "attributeValueReorder": lambda made: {
        "id": made.id_of("Attribute"),
        "ids": _ids(made, "attribute_value", attribute_id=made.first("attribute").id),
    },
    "categoryCreate": lambda made: {"input": {"name": "New", "parentId": made.id_of("Category")}},
    "categoryUpdate": lambda made: {
        "id": _ids(made, "category")[-1],
        "input": {"name": "New", "parentId": made.id_of("Category")},
    },
    "categoryDelete": _of("Category"),
    "categoryBulkCreate": lambda made: {"inputs": [{"name": "New", "parentId": made.id_of("Category")}]},
    "categoryBulkUpdate": lambda made: {
        "changes": [{"id": _ids(made, "category")[-1], "input": {"parentId": made.id_of("Category")}}]
    },
    "categoryBulkDelete": lambda made: {"ids": [_ids(made, "category")[-1]]},
    "categoryReorder": lambda made: {
        "id": made.id_of("Category"),
        "ids": _ids(made, "category", parent_id=made.first("category").id),
    },
    "collectionCreate": lambda made: {"input": {"name": "New", "rule": {"category": made.id_of("Category")}}},
    "collectionUpdate": lambda made: {
        "id": made.id_of("Collection"),
        "input": {"rule": {"category": made.id_of("Category")}},
    },
    "collectionDelete": _of("Collection"),
    "collectionBulkCreate": lambda made: {"inputs": [{"name": "New", "rule": {"category": made.id_of("Category")}}]},
    "collectionBulkUpdate": lambda made: {
        "changes": [{"id": made.id_of("Collection"), "input": {"rule": {"category": made.id_of("Category")}}}]
    },
    "collectionBulkDelete": lambda made: {"ids": [made.id_of("Collection")]},
    "collectionProductsAdd": lambda made: {"id": made.id_of("Collection"), "productIds": [made.id_of("Product")]},
    "collectionProductsRemove": lambda made: {"id": made.id_of("Collection"), "productIds": [made.id_of("Product")]},
    "collectionProductsReorder": lambda made: {"id": made.id_of("Collection"), "ids": _ids(made, "product")},
    "productCreate": lambda made: {"input": _product(made)},
    "productUpdate": lambda made: {"id": made.id_of("Product"), "input": _product(made)},
    "productDelete": _of("Product"),
    "productArchive": _of("Product"),
    "productRestore": _of("Product"),
    "productAttributesSet": lambda made: {"id": made.id_of("Product"), "attributes": [_value(made)]},
    "productBulkCreate": lambda made: {"inputs": [_product(made)]},
    "productBulkUpdate": lambda made: {"changes": [{"id": made.id_of("Product"), "input": _product(made)}]},
    "productBulkDelete": lambda made: {"ids": [made.id_of("Product")]},
    "variantCreate": lambda made: {"input": {"productId": made.id_of("Product"), "name": "New"}},
    "variantUpdate": _of("Variant", input={"name": "New"}),
    "variantDelete": _of("Variant"),
    "variantRestore": _of("Variant"),
    "variantReorder": lambda made: {
        "id": made.id_of("Product"),
        "ids": _ids(made, "variant", product_id=made.first("product").id),
    },
    "variantAttributesSet": lambda made: {"id": made.id_of("Variant"), "attributes": [_value(made)]},
    "variantBulkCreate": lambda made: {"inputs": [{"productId": made.id_of("Product"), "name": "New"}]},
    "variantBulkUpdate": lambda made: {"changes": [{"id": made.id_of("Variant"), "input": {"name": "New"}}]},
    "variantBulkDelete": lambda made: {"ids": [made.id_of("Variant")]},
    "listingCreate": lambda made: {"input": _listing(made)},
    "listingUpdate": _of("Listing", expectedVersion=1, input={"price": "1.00"}),
    "listingDelete": _of("Listing"),
    "listingBulkDelete": lambda made: {"ids": [made.id_of("Listing")]},
    "listingBulkCreate": lambda made: {"inputs": [_listing(made)]},
    "listingBulkUpdate": lambda made: {
        "changes": [{"id": made.id_of("Listing"), "expectedVersion": 1, "input": {"price": "1.00"}}]
    },
    "mediaCreate": lambda made: {
        "input": {"productId": made.id_of("Product"), "variantId": made.id_of("Variant"), "url": "https://a.example/1"}
    },
    "mediaUpdate": lambda made: {"id": made.id_of("Media"), "input": {"variantId": made.id_of("Variant")}},
    "mediaDelete": _of("Media"),
    "mediaBulkCreate": lambda made: {
        "inputs": [{"productId": made.id_of("Product"), "variantId": made.id_of("Variant"), "url": "/new.jpg"}]
    },
    "mediaBulkUpdate": lambda made: {
        "changes": [{"id": made.id_of("Media"), "input": {"variantId": made.id_of("Variant")}}]
    },
    "mediaBulkDelete": lambda made: {"ids": [made.id_of("Media")]},
    "mediaReorder": lambda made: {
        "id": made.id_of("Product"),
        "ids": _ids(made, "media", product_id=made.first("product").id),
    },
    "relatedProductsSet": lambda made: {"id": made.id_of("Product"), "productIds": [_ids(made, "product")[1]]},
    "reviewCreate": lambda made: {"input": {"productId": made.id_of("Product"), "rating": 5, "authorName": "Ada"}},
    "reviewModerate": _of("Review", status="APPROVED"),
    "reviewBulkModerate": lambda made: {"ids": [made.id_of("Review")], "status": "APPROVED"},
    "reviewDelete": _of("Review"),
    "stockSet": lambda made: {
        "expectedVersion": 1,
        "input": {"variantId": made.id_of("Variant"), "warehouseId": made.id_of("Warehouse"), "onHand": 1},
    },
    "stockBulkSet": lambda made: {
        "changes": [
            {
                "expectedVersion": 1,
                "input": {"variantId": made.id_of("Variant"), "warehouseId": made.id_of("Warehouse"), "onHand": 1},
            }
        ]
    },
    "translationsSet": _of("Product", locale="de", texts=[{"field": "name", "value": "Neu"}]),
    "warehouseCreate": lambda _: {"input": {"name": "New"}},
    "warehouseUpdate": _of("Warehouse", input={"name": "New"}),
    "warehouseDelete": _of("Warehouse"),
}
"""Arguments of each mutation that are valid in the shop whose catalogue is given, every id that it takes among them.

The test puts the ids of another shop in the place of each, one at a time, and expects NOT_FOUND, the same answer as
for an id that nobody has, and both shops unchanged.
"""

Path = tuple[str, ...]


def argument_paths(declared: GraphQLField, scalars: frozenset[str]) -> Iterator[Path]:
    """Find the arguments of a field, and the fields of its inputs, that are of one of these scalars."""
    for name, argument in declared.args.items():
        yield from _paths((name,), argument, scalars)


def _paths(path: Path, at: GraphQLArgument | GraphQLInputField, scalars: frozenset[str]) -> Iterator[Path]:
    of = get_named_type(at.type)
    if of.name in scalars:
        yield path
    if isinstance(of, GraphQLInputObjectType):
        for name, field in of.fields.items():
            if name not in path:
                yield from _paths((*path, name), field, scalars)


def replaced(arguments: Arguments, path: Path, ids: Callable[[str], str]) -> Arguments:
    """Return arguments with other ids at a path.

    Args:
        arguments: They have an id, or a list of ids, at the path; lists on the way are gone through.
        path: From `argument_paths`.
        ids: Takes the name of the type that an id is of.
    """
    changed = copy.deepcopy(arguments)
    places: list[Any] = [changed]
    for name in path[:-1]:
        places = [each for place in places for each in _each(place[name])]
    for place in places:
        old = place[path[-1]]
        place[path[-1]] = [ids(_type_of(each)) for each in old] if isinstance(old, list) else ids(_type_of(old))
    return changed


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _type_of(global_id: str) -> str:
    decoded = decode_global_id(global_id)
    assert decoded is not None
    return decoded[0]
