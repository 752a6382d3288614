"""Prices, availability and stock as clients see them."""

from datetime import datetime
from typing import cast

import strawberry

from core.statements import Row
from engine.loading import loads
from loaders import catalogue
from models import inventory, listings
from schema.scalars import Money, money_of
from schema.shops import Channel
from schema.views import Node, view_of


@strawberry.type(description="What the variants of a product cost, least and most.")
class PriceRange:
    """View of a row with minimum_minor, maximum_minor and currency."""

    @strawberry.field(description="The least price.")
    def minimum(self) -> Money:
        row = cast("Row", self)
        return money_of(row.minimum_minor, row.currency)

    @strawberry.field(description="The greatest price.")
    def maximum(self) -> Money:
        row = cast("Row", self)
        return money_of(row.maximum_minor, row.currency)


@strawberry.type(description="Whether something can be bought in the channel now.")
class Availability:
    """View of a row of the availability statements."""

    is_available: bool
    quantity: int | None = strawberry.field(description="In stock; null where stock is not counted.")


@view_of(inventory.Warehouse)
class Warehouse(Node):
    """A place where stock lies."""

    slug: str
    name: str
    country: str | None
    is_active: bool
    version: int


@view_of(inventory.StockLevel, more=("available",))
class StockLevel:
    """How much of a variant a warehouse has."""

    on_hand: int
    allocated: int
    reserved: int
    safety: int
    backorder_limit: int
    available: int = strawberry.field(description="onHand - allocated - reserved - safety")
    version: int
    updated_at: datetime
    warehouse: Warehouse = loads(catalogue.warehouse, key="warehouse_id")


@view_of(listings.Listing, more=("currency",))
class Listing(Node):
    """A variant's price in a channel."""

    is_published: bool
    available_from: datetime | None
    version: int
    channel: Channel = loads(catalogue.channel, key="channel_id")

    @strawberry.field(description="What the variant costs.")
    def price(self) -> Money:
        row = cast("Row", self)
        return money_of(row.price_minor, row.currency)

    @strawberry.field(description="What it cost before, shown struck through.")
    def compare_at_price(self) -> Money | None:
        row = cast("Row", self)
        return None if row.compare_at_minor is None else money_of(row.compare_at_minor, row.currency)

    @strawberry.field(description="What it costs the shop.")
    def cost(self) -> Money | None:
        row = cast("Row", self)
        return None if row.cost_minor is None else money_of(row.cost_minor, row.currency)
