"""Prices, availability and stock as clients see them."""

from datetime import datetime

import strawberry

from engine.loading import loads, of_rows, same_row
from loaders import catalogue
from models import inventory, listings
from schema.scalars import Money
from schema.shops import Channel
from schema.views import Node, view_of


@of_rows
@strawberry.type(description="What the variants of a product cost, least and most.")
class PriceRange:
    """View of a row with minimum_minor, maximum_minor and currency."""

    minimum: Money = same_row(minor="minimum_minor", description="The least price.")
    maximum: Money = same_row(minor="maximum_minor", description="The greatest price.")


@of_rows
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

    price: Money = same_row(minor="price_minor", description="What the variant costs.")
    compare_at_price: Money | None = same_row(
        minor="compare_at_minor", absent="compare_at_minor", description="What it cost before, shown struck through."
    )
    cost: Money | None = same_row(minor="cost_minor", absent="cost_minor", description="What it costs the shop.")
