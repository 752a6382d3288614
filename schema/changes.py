"""What an event says that something was, and is."""

import dataclasses
import functools
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, cast

import strawberry
from strawberry.types import Info

from core.ids import encode_global_id
from engine.loading import computed, loads, root_key
from loaders import catalogue
from resolvers.context import Context, Permission
from schema.policies import guarded
from schema.scalars import Money
from schema.selling import Warehouse
from schema.shops import Channel


def global_id(type_name: str) -> Callable[[uuid.UUID], str]:
    """Return what makes ids of a type."""
    return functools.partial(encode_global_id, type_name)


@strawberry.type(description="How much of a variant a warehouse has.")
class StockFigures:
    """Part of the payload of `stock.changed`."""

    on_hand: int
    available: int


@strawberry.type(description="What has become of a variant's stock in a warehouse.")
class StockChange:
    """Payload of `stock.changed`."""

    warehouse_id: strawberry.ID = computed(global_id("Warehouse"), "warehouse_key")
    warehouse: Warehouse | None = guarded(loads(catalogue.warehouse, key="warehouse_key"), Permission.INVENTORY_READ)
    before: StockFigures | None
    after: StockFigures | None


@strawberry.type(description="What a variant costs in a channel.")
class PriceFigures:
    """Part of the payload of `price.changed`."""

    is_published: bool
    available_from: datetime | None

    @strawberry.field(description="What the variant costs; null where its channel is gone.")
    async def price(self, info: Info[Context, None]) -> Money | None:
        return cast("Money | None", await _money(self, "price_minor", info))

    @strawberry.field(description="What it cost before, shown struck through.")
    async def compare_at_price(self, info: Info[Context, None]) -> Money | None:
        return cast("Money | None", await _money(self, "compare_at_minor", info))


@strawberry.type(description="What has become of a variant's price in a channel.")
class PriceChange:
    """Payload of `price.changed`."""

    channel: Channel | None = loads(catalogue.channel, key="channel_key")
    before: PriceFigures | None
    after: PriceFigures | None


@dataclasses.dataclass(frozen=True, slots=True)
class _Stock:
    on_hand: int
    available: int


@dataclasses.dataclass(frozen=True, slots=True)
class _StockOf:
    warehouse_key: uuid.UUID
    before: _Stock | None
    after: _Stock | None


@dataclasses.dataclass(frozen=True, slots=True)
class _Price:
    price_minor: int
    compare_at_minor: int | None
    is_published: bool
    available_from: datetime | None
    channel_key: uuid.UUID


@dataclasses.dataclass(frozen=True, slots=True)
class _PriceIn:
    channel_key: uuid.UUID
    before: _Price | None
    after: _Price | None


@dataclasses.dataclass(frozen=True, slots=True)
class _Amount:
    minor: int
    currency: str

    def __getitem__(self, name: str) -> Any:
        """Return a column, as rows do."""
        return getattr(self, name)


def stock_change(payload: Mapping[str, Any]) -> Any:
    """Return what the payload of `stock.changed` shows; None for an empty one."""
    if not payload:
        return None
    before, after = (
        each and _Stock(each["onHand"], each["available"]) for each in (payload["before"], payload["after"])
    )
    return _StockOf(uuid.UUID(payload["warehouseId"]), before, after)


def price_change(payload: Mapping[str, Any]) -> Any:
    """Return what the payload of `price.changed` shows; None for an empty one."""
    if not payload:
        return None
    channel_key = uuid.UUID(payload["channelId"])
    before, after = (each and _price(each, channel_key) for each in (payload["before"], payload["after"]))
    return _PriceIn(channel_key, before, after)


def _price(figures: Mapping[str, Any], channel_key: uuid.UUID) -> _Price:
    since = figures["availableFrom"]
    return _Price(
        figures["priceMinor"],
        figures["compareAtMinor"],
        figures["isPublished"],
        None if since is None else datetime.fromisoformat(since),
        channel_key,
    )


async def _money(price: Any, amount: str, info: Info[Context, None]) -> Any:
    """Return an amount in the currency of its channel, which events do not name; None where there is no amount."""
    minor = getattr(price, amount)
    if minor is None:
        return None
    channel = await info.context.load(catalogue.channel, price.channel_key, root_key(info.path), {})
    return None if channel is None else _Amount(minor, channel.currency)
