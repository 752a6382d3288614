"""What a shop has of products, as files see it."""

import dataclasses
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import orjson

from models import transfers
from models.search import search_config


class Fetch(Protocol):
    """Runs a statement of `models.transfers` and returns its rows."""

    def __call__(self, statement: Any, **values: Any) -> Awaitable[Sequence[Any]]: ...


class Store(Protocol):
    """Runs a statement of `models.transfers` that stores rows; does nothing where there are none."""

    def __call__(self, statement: Any, rows: Sequence[Any], /) -> Awaitable[None]: ...


@dataclasses.dataclass(frozen=True, slots=True)
class Market:
    """Where prices and stock of a file belong.

    Attributes:
        channel_id: The shop's default channel.
        currency: What it sells in.
        search_config: Text search configuration of the shop's texts.
        warehouse_id: The warehouse it sells from first; None where there is none yet.
    """

    channel_id: uuid.UUID
    currency: str
    search_config: str
    warehouse_id: uuid.UUID | None


@dataclasses.dataclass(frozen=True, slots=True)
class Price:
    """A variant's price in the channel."""

    listing_id: uuid.UUID
    price_minor: int
    compare_at_minor: int | None
    cost_minor: int | None
    is_published: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Stock:
    """A variant's stock in the warehouse.

    Attributes:
        promised: What is allocated or reserved.
    """

    on_hand: int
    promised: int
    backorder_limit: int


@dataclasses.dataclass(frozen=True, slots=True)
class Image:
    """An image of a product."""

    id: uuid.UUID
    product_id: uuid.UUID
    variant_id: uuid.UUID | None
    url: str
    alt: str
    position: int


@dataclasses.dataclass(frozen=True, slots=True)
class Variant:
    """A variant with what belongs to it.

    Attributes:
        options: Name and value of each, in order.
        extras: Cells that an import kept, by name of the column.
    """

    id: uuid.UUID
    product_id: uuid.UUID
    position: int
    sku: str | None = None
    name: str = ""
    barcode: str | None = None
    weight_g: int | None = None
    track_inventory: bool = True
    backorder_limit: int = 0
    options: tuple[tuple[str, str], ...] = ()
    extras: Mapping[str, str] = dataclasses.field(default_factory=dict)
    price: Price | None = None
    stock: Stock | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Product:
    """A product with what belongs to it.

    Attributes:
        category: Names from the root down; None for no category.
        extras: Cells that an import kept, by name of the column.
    """

    id: uuid.UUID
    slug: str
    name: str
    description: str = ""
    vendor: str | None = None
    tags: tuple[str, ...] = ()
    status: str = "ACTIVE"
    seo_title: str | None = None
    seo_description: str | None = None
    type_name: str | None = None
    category: tuple[str, ...] | None = None
    extras: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Family:
    """A product, its variants and its images, each in order."""

    product: Product
    variants: Sequence[Variant]
    images: Sequence[Image]


async def market(fetch: Fetch) -> Market | None:
    """Return where prices and stock belong; None for a shop without a default channel."""
    channels = await fetch(transfers.default_channel)
    if not channels:
        return None
    warehouses = await fetch(transfers.first_warehouse, channel=channels[0].id)
    return Market(
        channels[0].id,
        channels[0].currency,
        search_config(channels[0].default_locale),
        warehouses[0].id if warehouses else None,
    )


async def families(fetch: Fetch, rows: Sequence[Any], market: Market) -> list[Family]:
    """Return products with what belongs to them.

    Args:
        fetch: Reads.
        rows: Of the products, whose order is kept.
        market: Whose prices and stock to read.
    """
    ids = [row.id for row in rows]
    if not ids:
        return []
    variants: dict[uuid.UUID, list[Variant]] = defaultdict(list)
    options: dict[uuid.UUID, list[tuple[str, str]]] = defaultdict(list)
    images: dict[uuid.UUID, list[Image]] = defaultdict(list)
    for row in await fetch(transfers.options_of, products=ids):
        options[row.variant_id].append((row.name, row.value))
    places = {"channel": market.channel_id, "warehouse": market.warehouse_id}
    for row in await fetch(transfers.variants_of, products=ids, **places):
        variants[row.product_id].append(_variant(row, options.get(row.id, ())))
    for row in await fetch(transfers.images_of, products=ids):
        images[row.product_id].append(Image(row.id, row.product_id, row.variant_id, row.url, row.alt, row.position))
    return [Family(_product(row), variants.get(row.id, ()), images.get(row.id, ())) for row in rows]


def _product(row: Any) -> Product:
    return Product(
        id=row.id,
        slug=row.slug,
        name=row.name,
        description=row.description,
        vendor=row.vendor,
        tags=tuple(row.tags),
        status=row.status,
        seo_title=row.seo_title,
        seo_description=row.seo_description,
        type_name=row.type_name,
        category=tuple(row.category) or None,
        extras=_extras(row.extras),
    )


def _variant(row: Any, options: Iterable[tuple[str, str]]) -> Variant:
    price = stock = None
    if row.listing_id is not None:
        price = Price(row.listing_id, row.price_minor, row.compare_at_minor, row.cost_minor, row.is_published)
    if row.on_hand is not None:
        stock = Stock(row.on_hand, row.promised, row.stock_backorder_limit)
    return Variant(
        id=row.id,
        product_id=row.product_id,
        sku=row.sku,
        name=row.name,
        barcode=row.barcode,
        weight_g=row.weight_g,
        position=row.position,
        track_inventory=row.track_inventory,
        backorder_limit=row.backorder_limit,
        options=tuple(options),
        extras=_extras(row.extras),
        price=price,
        stock=stock,
    )


def _extras(text: str | None) -> dict[str, str]:
    """Return the kept cells; clients may write metadata too, so only what is a cell counts."""
    kept = orjson.loads(text) if text else None
    if not isinstance(kept, dict):
        return {}
    return {name: value for name, value in kept.items() if isinstance(value, str)}
