"""A catalogue in which every relation of every type has rows, as many as a test asks for."""

import dataclasses
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import select

from core.database import Database
from core.ids import encode_global_id, new_id
from core.writing import Transaction
from models import attributes, categories, collections, inventory, listings, products, shops, translations
from models.base import Base
from resolvers.context import Shop
from schema.views import type_name_of
from tests.factories import unique


@dataclasses.dataclass(frozen=True, slots=True)
class Catalogue:
    """Rows of a shop; the first of each kind is the one that has `size` children in every relation.

    Attributes:
        rows: By the name of their table.
    """

    shop: Shop
    size: int
    rows: dict[str, list[Any]] = dataclasses.field(default_factory=dict)

    def first(self, table: str) -> Any:
        """The first row of a table."""
        return self.rows[table][0]

    def id_of(self, type_name: str) -> str:
        """The global id of the first row of a type."""
        table = next(name for name in self.rows if type_name_of(name) == type_name)
        return encode_global_id(type_name, self.first(table).id)

    def add(self, row: Any) -> Any:
        """Keep a row, to be inserted with the others of its table."""
        self.rows.setdefault(row.__tablename__, []).append(row)
        return row

    def make(self, kind: type[Base], /, **columns: Any) -> Any:
        """Make a row with an id."""
        return self.add(kind(shop_id=self.shop.id, id=new_id(), **columns))

    def link(self, kind: type[Base], /, **columns: Any) -> Any:
        """Make a row without one."""
        return self.add(kind(shop_id=self.shop.id, **columns))


async def catalogue(database: Database, shop: Shop, size: int) -> Catalogue:
    """Fill a new shop: `size` rows of each kind, all of them for sale, translated to German, reviewed and related."""
    made = Catalogue(shop, size)
    async with database.of_tenant(shop.id).write() as transaction:
        places = await _places(made, transaction)
        _arrangements(made)
        _products(made)
        _children(made)
        _translations(made)
        for rows in made.rows.values():
            await transaction.add(*(row for row in rows if row not in places))
        keys = [product.id for product in made.rows["product"]]
        await transaction.execute(listings.refresh_product_listings, {"products": keys})
        await transaction.commit()
    return made


async def _places(made: Catalogue, transaction: Transaction) -> Sequence[Any]:
    """Make channels and warehouses beside those that the shop has, and return the latter."""
    places = [kind(**(await transaction.execute(select(kind))).one()) for kind in (shops.Channel, inventory.Warehouse)]
    for place in places:
        made.add(place)
    for number in range(made.size - 1):
        currency = made.shop.default_currency
        channel = made.make(shops.Channel, slug=unique("channel"), name=f"Channel {number}", currency=currency)
        warehouse = made.make(inventory.Warehouse, slug=unique("warehouse"), name=f"Warehouse {number}")
        made.link(inventory.ChannelWarehouse, channel_id=channel.id, warehouse_id=warehouse.id)
    return places


def _arrangements(made: Catalogue) -> None:
    for number in range(made.size):
        kind = made.make(attributes.ProductType, slug=unique("type"), name=f"Type {number}")
        attribute = made.make(
            attributes.Attribute, slug=unique("attribute"), name=f"Attribute {number}", kind="DROPDOWN", position=number
        )
        made.make(attributes.AttributeValue, attribute_id=attribute.id, slug=unique("value"), name=f"Value {number}")
        made.link(attributes.ProductTypeAttribute, product_type_id=kind.id, attribute_id=attribute.id)
        made.make(collections.Collection, slug=unique("collection"), name=f"Collection {number}")
    first = made.first("product_type")
    for attribute in made.rows["attribute"][1:]:
        made.link(attributes.ProductTypeAttribute, product_type_id=first.id, attribute_id=attribute.id)
    for number in range(1, made.size):
        attribute_id = made.first("attribute").id
        made.make(attributes.AttributeValue, attribute_id=attribute_id, slug=unique("value"), name=f"Value {number}")
    tops = [_category(made, None) for _ in range(made.size)]
    for top in tops:
        _category(made, _category(made, top))
    for _ in range(made.size - 1):
        _category(made, tops[0])


def _category(made: Catalogue, parent: categories.Category | None) -> categories.Category:
    row_id = new_id()
    row: categories.Category = made.add(
        categories.Category(
            shop_id=made.shop.id,
            id=row_id,
            parent_id=parent.id if parent else None,
            path=f"{parent.path if parent else ''}{row_id.hex}/",
            slug=unique("category"),
            name="Category",
        )
    )
    return row


def _products(made: Catalogue) -> None:
    second_level = [category for category in made.rows["category"] if category.path.count("/") == 2]
    for number in range(made.size):
        product = made.make(
            products.Product,
            slug=unique("product"),
            name=f"Product {number}",
            status="ACTIVE",
            vendor=unique("vendor"),
            tags=[unique("tag")],
            external_ref=unique("ref"),
            rating_average=4,
            rating_count=1,
            category_id=second_level[number].id,
            product_type_id=made.rows["product_type"][number].id,
        )
        for _ in range(made.size if number == 0 else 1):
            _variant(made, product)


def _variant(made: Catalogue, product: products.Product) -> None:
    variant = made.make(
        products.Variant, product_id=product.id, sku=unique("SKU"), name="Variant", external_ref=unique("ref")
    )
    is_first = len(made.rows["variant"]) == 1
    places = zip(made.rows["channel"], made.rows["warehouse"], strict=True)
    for channel, warehouse in list(places)[: made.size if is_first else 1]:
        prices = {"price_minor": 1_000, "compare_at_minor": 1_200, "cost_minor": 400}
        made.make(listings.Listing, variant_id=variant.id, channel_id=channel.id, **prices)
        made.link(inventory.StockLevel, variant_id=variant.id, warehouse_id=warehouse.id, on_hand=5)


def _children(made: Catalogue) -> None:
    rows, size = made.rows, made.size
    values = rows["attribute_value"][:size]
    for number, product in enumerate(rows["product"]):
        variant = next(each for each in rows["variant"] if each.product_id == product.id)
        count = size if number == 0 else 1
        pairs = zip(_from(rows["product"], number + 1, count), _from(values, number, count), strict=True)
        for place, (other, value) in enumerate(pairs):
            made.make(products.Media, product_id=product.id, variant_id=variant.id, url="/1.jpg", alt="Front")
            held = {"attribute_id": value.attribute_id, "value_id": value.id, "product_id": product.id}
            # A variant begins with what its product ends with, so that a page of each has values of its own.
            made.make(attributes.AttributeAssignment, position=place, **held)
            made.make(attributes.AttributeAssignment, position=count - place, variant_id=variant.id, **held)
            for status in ("APPROVED", "PENDING"):
                made.make(products.Review, product_id=product.id, author_name="Ada", rating=4, status=status)
            if other is not product:
                made.link(products.ProductRelation, product_id=product.id, related_id=other.id, kind="RELATED")
        for collection in _from(rows["collection"], number, count):
            made.link(collections.CollectionProduct, collection_id=collection.id, product_id=product.id)
    for product in rows["product"][1:]:
        made.link(collections.CollectionProduct, collection_id=made.first("collection").id, product_id=product.id)


def _from(rows: Sequence[Any], start: int, count: int) -> list[Any]:
    return [rows[(start + offset) % len(rows)] for offset in range(count)]


def _translations(made: Catalogue) -> None:
    for table in translations.TRANSLATED:
        for row in made.rows[table]:
            text = {"entity": table, "entity_id": row.id, "locale": "de", "field": "name", "value": "Auf Deutsch"}
            made.link(translations.Translation, **text)


def unknown_id(type_name: str) -> str:
    """The global id of a row that no shop has."""
    return encode_global_id(type_name, uuid.UUID(new_id().hex))
