"""What a variant or product costs in a channel, and how much of it can be had."""

import functools

from sqlalchemy import Integer, func
from sqlalchemy.sql import ColumnElement, and_, case, or_, select
from sqlalchemy.sql.functions import coalesce

from models.base import KEYS, LIMIT, Statement, of_shop, per_key, rows_of
from models.catalogue import CHANNEL, listing_is_shown
from models.inventory import ChannelWarehouse, StockLevel, Warehouse
from models.keysets import ColumnExpression
from models.listings import Listing, ProductListing
from models.products import Variant
from models.scopes import Shape
from models.shops import Channel

_MOST = 2**31 - 1
"""Where quantities saturate: the sum of several warehouses may exceed what GraphQL's Int holds."""


def _prices(amount: ColumnExpression, shape: Shape) -> Statement:
    sold = () if shape.drafts else (is_sold(),)
    return (
        select(Listing.variant_id, amount.label("minor"), Channel.currency)
        .join(Channel, and_(Channel.shop_id == Listing.shop_id, Channel.id == Listing.channel_id))
        .where(
            of_shop(Listing),
            Listing.variant_id == func.any(KEYS),
            Listing.channel_id == CHANNEL,
            amount.is_not(None),
            *sold,
        )
    )


def is_sold() -> ColumnElement[bool]:
    """Return the condition that a listing sells its variant now."""
    return and_(Listing.is_published, or_(Listing.available_from.is_(None), Listing.available_from <= func.now()))


@functools.cache
def prices_of_variants(shape: Shape) -> Statement:
    """Return minor and currency of each variant in `keys` that the channel sells."""
    return _prices(Listing.price_minor, shape)


@functools.cache
def compare_at_prices_of_variants(shape: Shape) -> Statement:
    """Return minor and currency of the former price of each variant in `keys` that has one."""
    return _prices(Listing.compare_at_minor, shape)


@functools.cache
def listings_of_variants(_: Shape) -> Statement:
    """Return up to `first` listings of each variant in `keys`, whatever the channel."""
    return per_key(
        lambda key: (
            rows_of(Listing, Channel.currency)
            .join(Channel, and_(Channel.shop_id == Listing.shop_id, Channel.id == Listing.channel_id))
            .where(of_shop(Listing), Listing.variant_id == key)
            .order_by(Listing.channel_id)
            .limit(LIMIT)
        )
    )


@functools.cache
def listings_by_id(_: Shape) -> Statement:
    """Return the listings with the ids in `keys`."""
    return (
        rows_of(Listing, Channel.currency)
        .join(Channel, and_(Channel.shop_id == Listing.shop_id, Channel.id == Listing.channel_id))
        .where(of_shop(Listing), Listing.id == func.any(KEYS))
    )


@functools.cache
def price_ranges_of_products(shape: Shape) -> Statement:
    """Return minimum_minor, maximum_minor and currency of each product in `keys` that the channel sells."""
    shown = ProductListing.channel_id == CHANNEL if shape.drafts else listing_is_shown()
    return (
        select(
            ProductListing.product_id,
            ProductListing.price_from_minor.label("minimum_minor"),
            ProductListing.price_to_minor.label("maximum_minor"),
            Channel.currency,
        )
        .join(Channel, and_(Channel.shop_id == ProductListing.shop_id, Channel.id == ProductListing.channel_id))
        .where(
            of_shop(ProductListing),
            ProductListing.product_id == func.any(KEYS),
            shown,
            ProductListing.price_from_minor.is_not(None),
        )
    )


def left_in(level: type[StockLevel] = StockLevel) -> ColumnElement[int]:
    """Return the quantity of a stock row that can still be sold, back orders left out."""
    return level.on_hand - level.allocated - level.reserved - level.safety


def _availability(*, by_product: bool) -> Statement:
    """Sum the stock of the channel's warehouses; each variant's sum is made before anything else is joined."""
    stock = (
        select(
            func.least(func.greatest(func.sum(left_in()), 0), _MOST).label("quantity"),
            coalesce(func.bool_or(left_in() + StockLevel.backorder_limit > 0), False).label("in_stock"),
        )
        .join(
            ChannelWarehouse,
            and_(
                ChannelWarehouse.shop_id == StockLevel.shop_id,
                ChannelWarehouse.warehouse_id == StockLevel.warehouse_id,
                ChannelWarehouse.channel_id == CHANNEL,
            ),
        )
        .where(of_shop(StockLevel), StockLevel.variant_id == Variant.id)
        .lateral("stock")
    )
    sold = (
        select(Listing.id)
        .where(of_shop(Listing), Listing.variant_id == Variant.id, Listing.channel_id == CHANNEL, is_sold())
        .exists()
    )
    quantity = case((Variant.track_inventory, coalesce(stock.c.quantity, 0)))
    available = and_(sold, or_(~Variant.track_inventory, stock.c.in_stock))
    rows = Variant.__table__.join(stock, of_shop(Variant))
    of_keys = Variant.product_id if by_product else Variant.id
    scoped = (of_shop(Variant), Variant.deleted_at.is_(None), of_keys == func.any(KEYS))
    if not by_product:
        return (
            select(Variant.id, quantity.cast(Integer).label("quantity"), available.label("is_available"))
            .select_from(rows)
            .where(*scoped)
        )
    return (
        select(
            Variant.product_id.label("id"),
            case((func.bool_and(Variant.track_inventory), func.least(func.sum(quantity), _MOST)))
            .cast(Integer)
            .label("quantity"),
            func.bool_or(available).label("is_available"),
        )
        .select_from(rows)
        .where(*scoped)
        .group_by(Variant.product_id)
    )


@functools.cache
def availability_of_variants(_: Shape) -> Statement:
    """Return quantity (null where stock is not counted) and is_available of each variant in `keys`."""
    return _availability(by_product=False)


@functools.cache
def availability_of_products(_: Shape) -> Statement:
    """Return the same of each product in `keys`, over its variants."""
    return _availability(by_product=True)


@functools.cache
def stock_levels_of_variants(_: Shape) -> Statement:
    """Return up to `first` stock rows of each variant in `keys`, with what is available."""
    return per_key(
        lambda key: (
            rows_of(StockLevel, left_in().label("available"))
            .where(of_shop(StockLevel), StockLevel.variant_id == key)
            .order_by(StockLevel.warehouse_id)
            .limit(LIMIT)
        )
    )


@functools.cache
def warehouses_by_id(_: Shape) -> Statement:
    """Return the warehouses with the ids in `keys`."""
    return rows_of(Warehouse).where(of_shop(Warehouse), Warehouse.id == func.any(KEYS))
