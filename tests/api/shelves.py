"""Products made up for listings, and the same listings worked out without a database."""

import dataclasses
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from core.database import Database
from core.ids import encode_global_id, new_id
from models import attributes, categories, inventory, listings, products
from resolvers.context import Shop
from tests import factories

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
COLORS = ("red", "blue", "green")
TREE = (None, 0, 1, None)
"""Parent of each category, by number."""


@dataclasses.dataclass(frozen=True, slots=True)
class Item:
    """A product with a variant for each price."""

    name: str = "Shirt"
    prices: tuple[int, ...] = (1_000,)
    day: int = 0
    rating: int | None = None
    vendor: str | None = None
    tags: frozenset[str] = frozenset()
    category: int | None = None
    colors: frozenset[str] = frozenset()
    size: float | None = None
    is_new: bool | None = None
    on_hand: int = 1
    backorder_limit: int = 0
    is_tracked: bool = True


ITEMS = st.builds(
    Item,
    name=st.sampled_from(("Shirt", "shirt", "Shoe", "Ärmel", "靴", "🧦", "shirt 2")),
    prices=st.sampled_from(((), (0,), (500,), (500, 2_000), (999,), (1_000,), (10**15,))),
    day=st.integers(0, 2),
    rating=st.none() | st.integers(1, 5),
    vendor=st.sampled_from((None, "Acme", "acme", "Bolt")),
    tags=st.frozensets(st.sampled_from(("new", "sale", "50%")), max_size=2),
    category=st.none() | st.integers(0, len(TREE) - 1),
    colors=st.frozensets(st.sampled_from(COLORS), max_size=2),
    size=st.sampled_from((None, 0.1, 2.5, 38.0)),
    is_new=st.none() | st.booleans(),
    on_hand=st.integers(0, 1),
    backorder_limit=st.integers(0, 1),
    is_tracked=st.booleans(),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Shelf:
    """A shop filled with items, and what their rows are called."""

    shop: Shop
    items: Mapping[uuid.UUID, Item]
    categories: Sequence[uuid.UUID]

    def category_id(self, number: int) -> str:
        return encode_global_id("Category", self.categories[number])

    def ids(self, matches: Callable[[Item], bool], key: Callable[[Item], Any], *, descending: bool) -> list[str]:
        """Return the ids of the items that match and are for sale, in order."""
        found = [(key(item), row_id) for row_id, item in self.items.items() if item.prices and matches(item)]
        return [encode_global_id("Product", row_id) for _, row_id in sorted(found, reverse=descending)]


ORDERS: Mapping[str, tuple[Callable[[Item], Any], bool]] = {
    "NEWEST": (lambda item: item.day, True),
    "OLDEST": (lambda item: item.day, False),
    "PRICE_ASC": (lambda item: min(item.prices), False),
    "PRICE_DESC": (lambda item: min(item.prices), True),
    "NAME_ASC": (lambda item: item.name.lower(), False),
    "NAME_DESC": (lambda item: item.name.lower(), True),
    "RATING": (lambda item: item.rating or 0, True),
}


async def shelf(database: Database, items: Sequence[Item]) -> Shelf:
    """Open a shop and put items in it, in one write block."""
    shop = await factories.shop(database)
    ids = [new_id() for _ in TREE]
    made = Shelf(shop, {new_id(): item for item in items}, ids)
    async with database.of_tenant(shop.id).write() as transaction:
        main = await factories._main_warehouse(transaction)
        levels = [_categories(made), _attributes(shop)]
        values = {row.slug: row for row in levels[1]}
        levels.append(_values(shop, values["color"]))
        values |= {row.slug: row for row in levels[2]}
        levels.append([_product(made, row_id, item) for row_id, item in made.items.items()])
        levels.append([row for row_id, item in made.items.items() for row in _assignments(shop, row_id, item, values)])
        for level in levels:
            await transaction.add(*level)
        for row_id, item in made.items.items():
            for level in _variants(shop, row_id, item, main):
                await transaction.add(*level)
        await transaction.execute(listings.refresh_product_listings, {"products": list(made.items)})
        await transaction.commit()
    return made


def _categories(made: Shelf) -> list[Any]:
    paths: list[str] = []
    rows = []
    for number, parent in enumerate(TREE):
        paths.append(f"{'' if parent is None else paths[parent]}{made.categories[number].hex}/")
        rows.append(
            categories.Category(
                shop_id=made.shop.id,
                id=made.categories[number],
                parent_id=None if parent is None else made.categories[parent],
                path=paths[-1],
                slug=f"category-{number}",
                name=f"Category {number}",
            )
        )
    return rows


def _attributes(shop: Shop) -> list[Any]:
    kinds = {"color": "DROPDOWN", "size": "NUMERIC", "is-new": "BOOLEAN"}
    return [
        attributes.Attribute(shop_id=shop.id, id=new_id(), slug=slug, name=slug, kind=kind)
        for slug, kind in kinds.items()
    ]


def _values(shop: Shop, color: Any) -> list[Any]:
    return [
        attributes.AttributeValue(shop_id=shop.id, id=new_id(), attribute_id=color.id, slug=slug, name=slug)
        for slug in COLORS
    ]


def _product(made: Shelf, row_id: uuid.UUID, item: Item) -> Any:
    return products.Product(
        shop_id=made.shop.id,
        id=row_id,
        slug=f"product-{row_id.hex}",
        name=item.name,
        status="ACTIVE",
        created_at=EPOCH + timedelta(days=item.day),
        rating_average=item.rating,
        rating_count=1 if item.rating else 0,
        vendor=item.vendor,
        tags=sorted(item.tags),
        category_id=None if item.category is None else made.categories[item.category],
    )


def _assignments(shop: Shop, row_id: uuid.UUID, item: Item, values: Mapping[str, Any]) -> list[Any]:
    held: list[dict[str, Any]] = [
        {"attribute_id": values["color"].id, "value_id": values[color].id} for color in sorted(item.colors)
    ]
    if item.size is not None:
        held.append({"attribute_id": values["size"].id, "number_value": Decimal(str(item.size))})
    if item.is_new is not None:
        held.append({"attribute_id": values["is-new"].id, "boolean_value": item.is_new})
    return [
        attributes.AttributeAssignment(shop_id=shop.id, id=new_id(), product_id=row_id, **columns) for columns in held
    ]


def _variants(shop: Shop, row_id: uuid.UUID, item: Item, warehouse_id: uuid.UUID) -> list[list[Any]]:
    variants = [
        products.Variant(
            shop_id=shop.id, id=new_id(), product_id=row_id, name=str(price), track_inventory=item.is_tracked
        )
        for price in item.prices
    ]
    sold = [
        listings.Listing(
            shop_id=shop.id,
            id=new_id(),
            variant_id=variant.id,
            channel_id=shop.default_channel_id,
            price_minor=price,
        )
        for variant, price in zip(variants, item.prices, strict=True)
    ]
    stock = [
        inventory.StockLevel(
            shop_id=shop.id,
            variant_id=variant.id,
            warehouse_id=warehouse_id,
            on_hand=item.on_hand,
            backorder_limit=item.backorder_limit,
        )
        for variant in variants
    ]
    return [variants, [*sold, *stock]]
