"""What a statement may be asked to carry, and the same read level by level."""

import dataclasses
import itertools
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.pagination import CursorCodec, PageRequest
from loaders import Loaders, catalogue
from loaders.batching import Kind, Paging, Relation
from models import attributes, categories, collections, inventory, listings, products
from models.base import Base, of_shop, rows_of
from models.keysets import PageForm
from models.product_filters import ProductSort
from models.scopes import Scope, Shape

CODEC = CursorCodec(b"k" * 32, "trees")


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """See `loaders.carrying.Wanted`."""

    columns: tuple[str, ...]
    children: tuple["Child", ...] = ()


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Child:
    """See `loaders.carrying.Child`."""

    relation: Relation
    key: str
    slot: int
    wanted: Wanted
    mark: str | None = None


@dataclasses.dataclass(slots=True)
class Carried:
    """See `loaders.carrying.Carried`."""

    wanted: Wanted
    arguments: Sequence[Mapping[str, Any]]
    is_whole: bool = False
    used: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Edge:
    """A way from the rows of a table to those that a relation gives."""

    name: str
    parent: type[Base]
    key: str
    child: type[Base] | None

    @property
    def relation(self) -> Relation:
        return getattr(catalogue, self.name)


_PRODUCT, _VARIANT, _CATEGORY = products.Product, products.Variant, categories.Category

EDGES = [
    Edge("channel", listings.Listing, "channel_id", None),
    Edge("product", _VARIANT, "product_id", _PRODUCT),
    Edge("product_type", _PRODUCT, "product_type_id", attributes.ProductType),
    Edge("category", _PRODUCT, "category_id", _CATEGORY),
    Edge("category", _CATEGORY, "parent_id", _CATEGORY),
    Edge("collection", collections.CollectionProduct, "collection_id", collections.Collection),
    Edge("variant", products.Media, "variant_id", _VARIANT),
    Edge("media", products.Media, "id", products.Media),
    Edge("attribute", attributes.AttributeAssignment, "attribute_id", attributes.Attribute),
    Edge("attribute_value", attributes.AttributeAssignment, "value_id", attributes.AttributeValue),
    Edge("listing", listings.Listing, "id", listings.Listing),
    Edge("warehouse", inventory.StockLevel, "warehouse_id", inventory.Warehouse),
    Edge("review", products.Review, "id", products.Review),
    Edge("written_review", products.Review, "id", products.Review),
    Edge("children_of_category", _CATEGORY, "id", _CATEGORY),
    Edge("ancestors_of_category", _CATEGORY, "id", _CATEGORY),
    Edge("products_of_category", _CATEGORY, "id", _PRODUCT),
    Edge("products_of_collection", collections.Collection, "id", _PRODUCT),
    Edge("attributes_of_product_type", attributes.ProductType, "id", attributes.Attribute),
    Edge("values_of_attribute", attributes.Attribute, "id", attributes.AttributeValue),
    Edge("variants_of_product", _PRODUCT, "id", _VARIANT),
    Edge("media_of_product", _PRODUCT, "id", products.Media),
    Edge("attributes_of_product", _PRODUCT, "id", attributes.AttributeAssignment),
    Edge("collections_of_product", _PRODUCT, "id", collections.Collection),
    Edge("related_products", _PRODUCT, "id", _PRODUCT),
    Edge("reviews_of_product", _PRODUCT, "id", products.Review),
    Edge("price_range_of_product", _PRODUCT, "id", None),
    Edge("availability_of_product", _PRODUCT, "id", None),
    Edge("media_of_variant", _VARIANT, "id", products.Media),
    Edge("attributes_of_variant", _VARIANT, "id", attributes.AttributeAssignment),
    Edge("price_of_variant", _VARIANT, "id", None),
    Edge("compare_at_price_of_variant", _VARIANT, "id", None),
    Edge("listings_of_variant", _VARIANT, "id", listings.Listing),
    Edge("availability_of_variant", _VARIANT, "id", None),
    Edge("stock_levels_of_variant", _VARIANT, "id", inventory.StockLevel),
    Edge("translations_of", _PRODUCT, "id", None),
]
"""Every relation of the catalogue."""


def columns_of(relation: Relation, order: str = "") -> tuple[str, ...]:
    """Return all columns of a relation's rows, those that cursors are made of first."""
    statement = relation.children(Shape(), PageForm(order), rows_of(products.Product).selected_columns["id"])
    names = tuple(statement.selected_columns.keys())
    if relation.kind is not Kind.PAGE:
        return names
    return ("id", "sort_key", *(name for name in names if name not in {"id", "sort_key"}))


def chance_of(seed: int) -> random.Random:
    """Return choices that are the same each time."""
    return random.Random(seed)  # noqa: S311  (nothing secret is chosen)


def all_rows(table: type[Base]) -> Any:
    """Return the statement of all rows of a table, in some order that stays."""
    return rows_of(table).where(of_shop(table)).order_by(*table.__table__.primary_key.columns)


def page(size: int, *, forward: bool = True, cursor: tuple[Any, ...] | None = None, order: str = "") -> Paging:
    """Return which page is wanted."""
    written = None if cursor is None else CODEC.decode(CODEC.encode(cursor))
    return Paging(PageRequest(size, forward=forward, cursor=written), CODEC, order)


def arguments_of(edge: Edge, chance: random.Random) -> dict[str, Any]:
    """Return some arguments for a relation."""
    if edge.relation.kind is Kind.PAGE:
        order = chance.choice(list(ProductSort)[:-1]).value if edge.name == "products_of_category" else ""
        return {"paging": page(chance.randint(0, 3), forward=chance.random() < 0.5, order=order)}
    if edge.relation.kind is Kind.ONE or edge.name == "ancestors_of_category":
        return {}
    kind = {"kind": "RELATED"} if edge.name == "related_products" else {}
    return {"first": chance.randint(0, 4), **kind}


def grown(table: type[Base], depth: int, chance: random.Random, arguments: list[dict[str, Any]]) -> tuple[Child, ...]:
    """Return some children for the rows of a table, and theirs; their arguments are added to those given."""
    ways = [edge for edge in EDGES if edge.parent is table]
    children = []
    for edge in chance.sample(ways, min(len(ways), chance.randint(0, 3))) if depth else ():
        slot = len(arguments)
        arguments.append(arguments_of(edge, chance))
        columns = columns_of(edge.relation, getattr(arguments[slot].get("paging"), "order", ""))
        fixed = 2 if edge.relation.kind is Kind.PAGE else 0
        some = (*columns[:fixed], *chance.sample(columns[fixed:], chance.randint(0, len(columns) - fixed)))
        below = grown(edge.child, depth - 1, chance, arguments) if edge.child is not None else ()
        mark = chance.choice((None, *(name for name in edge.relation.present if name in some)))
        children.append(Child(edge.relation, edge.key, slot, Wanted(some, below), mark))
    return tuple(children)


async def by_levels(
    loaders: Loaders, scope: Scope, rows: Sequence[Any], wanted: Wanted, arguments: Sequence[Mapping[str, Any]]
) -> list[tuple[Any, ...]]:
    """Return what is wanted of rows, their children read by the loaders."""
    found = [[row[name] for name in wanted.columns] for row in rows]
    for child in wanted.children:
        keys = [row[child.key] for row in rows]
        given = arguments[child.slot]
        results = await loaders.load_list(child.relation, keys, scope, given, alone=False)
        for record, result in zip(found, results, strict=True):
            record.append(await _of(loaders, scope, result, child, arguments))
    return [tuple(record) for record in found]


async def _of(loaders: Loaders, scope: Scope, result: Any, child: Child, arguments: Sequence[Mapping[str, Any]]) -> Any:
    async def below(rows: Sequence[Any]) -> list[tuple[Any, ...]]:
        return await by_levels(loaders, scope, rows, child.wanted, arguments)

    if child.relation.kind is Kind.ONE:
        return None if result is None else (await below([result]))[0]
    if child.relation.kind is Kind.MANY:
        return await below(result)
    cursors = [result.cursor_of(row) for row in result.rows]
    return await below(result.rows), result.has_next_page, result.has_previous_page, cursors


def finished(record: Sequence[Any], wanted: Wanted, arguments: Sequence[Mapping[str, Any]]) -> tuple[Any, ...]:
    """Return a record that was carried in the form of `by_levels`."""
    assert len(record) == _width(wanted)
    return _taken(iter(record), wanted, arguments)


def _width(wanted: Wanted) -> int:
    return len(wanted.columns) + sum(map(_width_of_child, wanted.children))


def _width_of_child(child: Child) -> int:
    return _width(child.wanted) + (child.mark is None) if child.relation.kind is Kind.ONE else 1


def _taken(values: Iterator[Any], wanted: Wanted, arguments: Sequence[Mapping[str, Any]]) -> tuple[Any, ...]:
    own = [next(values) for _ in wanted.columns]
    return (*own, *[_finished(values, child, arguments) for child in wanted.children])


def _finished(values: Iterator[Any], child: Child, arguments: Sequence[Mapping[str, Any]]) -> Any:
    if child.relation.kind is Kind.ONE:
        joined = list(itertools.islice(values, _width_of_child(child)))
        mark = joined.pop(0) if child.mark is None else joined[child.wanted.columns.index(child.mark)]
        return None if mark is None else finished(joined, child.wanted, arguments)
    value = next(values)
    if child.relation.finish is None:
        return [finished(record, child.wanted, arguments) for record in value]
    result = child.relation.finish(value, arguments[child.slot])
    rows = [finished(record, child.wanted, arguments) for record in result.rows]
    cursors = [result.cursor_of(row) for row in result.rows]
    return rows, result.has_next_page, result.has_previous_page, cursors
