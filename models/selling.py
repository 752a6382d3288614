"""What a variant or product costs in a channel, and how much of it can be had."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Integer, func
from sqlalchemy.sql import ColumnElement, and_, case, literal_column, or_, select, true
from sqlalchemy.sql.functions import coalesce

from models.base import LIMIT, Key, Statement, by_id, of_shop, rows_of
from models.catalogue import CHANNEL, listing_is_shown
from models.inventory import ChannelWarehouse, StockLevel, Warehouse
from models.joining import Columns, Joint, Made
from models.keysets import ColumnExpression
from models.listings import Listing, ProductListing
from models.products import Variant
from models.scopes import Shape
from models.shops import Channel

_MOST = 2**31 - 1
"""Where quantities saturate: the sum of several warehouses may exceed what GraphQL's Int holds."""


def _prices(amount: ColumnExpression, shape: Shape, key: Key) -> Statement:
    sold = () if shape.drafts else (is_sold(),)
    return select(Listing.variant_id, amount.label("minor"), _currency()).where(
        of_shop(Listing),
        Listing.variant_id == key,
        Listing.channel_id == CHANNEL,
        amount.is_not(None),
        *sold,
    )


def _currency() -> ColumnElement[str]:
    """Return the currency of the channel; of no row, so it is looked up once a statement."""
    return select(Channel.currency).where(of_shop(Channel), Channel.id == CHANNEL).scalar_subquery().label("currency")


def is_sold() -> ColumnElement[bool]:
    """Return the condition that a listing sells its variant now."""
    return and_(Listing.is_published, or_(Listing.available_from.is_(None), Listing.available_from <= func.now()))


def prices_of_variants(shape: Shape, key: Key) -> Statement:
    """Return minor and currency of a variant that the channel sells."""
    return _prices(Listing.price_minor, shape, key)


def compare_at_prices_of_variants(shape: Shape, key: Key) -> Statement:
    """Return minor and currency of the former price of a variant that has one."""
    return _prices(Listing.compare_at_minor, shape, key)


def _offer(shape: Shape, key: Key) -> Statement:
    """Return the listing of a variant in the channel, and whether it sells the variant: the others only staff see."""
    sold = is_sold() if shape.drafts else true()
    return (
        select(Listing.price_minor, Listing.compare_at_minor, sold.label("is_sold"))
        .where(
            of_shop(Listing),
            Listing.variant_id == key,
            Listing.channel_id == CHANNEL,
            *(() if shape.drafts else (is_sold(),)),
        )
        .limit(literal_column("1"))
    )


def _price_of(amount: str) -> Joint:
    def columns(key: Key, _: Columns, sources: Sequence[Columns]) -> Made:
        minor = sources[0][amount]
        is_there = case((minor.is_not(None), true()))
        return {"is_there": is_there, "variant_id": key, "minor": minor, "currency": _currency()}

    return Joint((_offer,), (), columns)


price_beside_variants = _price_of("price_minor")
"""The same as `prices_of_variants`, beside the variant's row."""

compare_at_price_beside_variants = _price_of("compare_at_minor")
"""The same as `compare_at_prices_of_variants`, beside the variant's row."""


def _listings() -> Statement:
    return (
        rows_of(Listing, Channel.currency)
        .join(Channel, and_(Channel.shop_id == Listing.shop_id, Channel.id == Listing.channel_id))
        .where(of_shop(Listing))
    )


def listings_of_variants(_: Shape, key: Key) -> Statement:
    """Return up to `first` listings of a variant, whatever the channel."""
    return _listings().where(Listing.variant_id == key).order_by(Listing.channel_id).limit(LIMIT)


def listings_by_id(_: Shape, key: Key) -> Statement:
    """Return the listing with this id."""
    return _listings().where(Listing.id == key)


def price_ranges_of_products(shape: Shape, key: Key) -> Statement:
    """Return minimum_minor, maximum_minor and currency of a product that the channel sells."""
    shown = ProductListing.channel_id == CHANNEL if shape.drafts else listing_is_shown()
    return select(
        ProductListing.product_id,
        ProductListing.price_from_minor.label("minimum_minor"),
        ProductListing.price_to_minor.label("maximum_minor"),
        _currency(),
    ).where(
        of_shop(ProductListing),
        ProductListing.product_id == key,
        shown,
        ProductListing.price_from_minor.is_not(None),
    )


def left_in(level: type[StockLevel] = StockLevel) -> ColumnElement[int]:
    """Return the quantity of a stock row that can still be sold, back orders left out."""
    return level.on_hand - level.allocated - level.reserved - level.safety


def _warehouses() -> ColumnElement[Any]:
    """Return the warehouses that the channel sells from; an array, so they are looked up once a statement."""
    ids = select(ChannelWarehouse.warehouse_id).where(of_shop(ChannelWarehouse), ChannelWarehouse.channel_id == CHANNEL)
    return func.array(ids.scalar_subquery())


def _stock(_: Shape, key: Key) -> Statement:
    """Return quantity and in_stock of a variant in the channel's warehouses; one row, even where there is no stock."""
    return select(
        func.least(func.greatest(func.sum(left_in()), 0), _MOST).label("quantity"),
        coalesce(func.bool_or(left_in() + StockLevel.backorder_limit > 0), False).label("in_stock"),
    ).where(of_shop(StockLevel), StockLevel.variant_id == key, StockLevel.warehouse_id == func.any(_warehouses()))


def _available(
    tracked: ColumnElement[bool], sold: ColumnElement[bool], stock: Columns
) -> tuple[ColumnElement[int], ColumnElement[bool]]:
    """Return quantity (null where stock is not counted) and is_available of a variant."""
    return case((tracked, coalesce(stock.quantity, 0))), and_(sold, or_(~tracked, stock.in_stock))


def _availability(key: Key, *, by_product: bool) -> Statement:
    """Sum the stock of the channel's warehouses; each variant's sum is made before anything else is joined."""
    stock = _stock(Shape(), Variant.__table__.c.id).lateral("stock")
    sold = (
        select(Listing.id)
        .where(of_shop(Listing), Listing.variant_id == Variant.id, Listing.channel_id == CHANNEL, is_sold())
        .exists()
    )
    quantity, available = _available(Variant.__table__.c.track_inventory, sold, stock.c)
    rows = Variant.__table__.join(stock, of_shop(Variant))
    of_keys = Variant.product_id if by_product else Variant.id
    scoped = (of_shop(Variant), Variant.deleted_at.is_(None), of_keys == key)
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


def availability_of_variants(_: Shape, key: Key) -> Statement:
    """Return quantity (null where stock is not counted) and is_available of a variant."""
    return _availability(key, by_product=False)


def _availability_columns(key: Key, variant: Columns, sources: Sequence[Columns]) -> Made:
    offer, stock = sources
    quantity, is_available = _available(variant.track_inventory, coalesce(offer.is_sold, False), stock)
    return {"is_there": true(), "id": key, "quantity": quantity.cast(Integer), "is_available": is_available}


availability_beside_variants = Joint((_offer, _stock), ("track_inventory",), _availability_columns)
"""The same as `availability_of_variants`, beside the variant's row; whoever reads that leaves deleted ones out."""


def availability_of_products(_: Shape, key: Key) -> Statement:
    """Return the same of a product, over its variants."""
    return _availability(key, by_product=True)


def stock_levels_of_variants(_: Shape, key: Key) -> Statement:
    """Return up to `first` stock rows of a variant, with what is available."""
    return (
        rows_of(StockLevel, left_in().label("available"))
        .where(of_shop(StockLevel), StockLevel.variant_id == key)
        .order_by(StockLevel.warehouse_id)
        .limit(LIMIT)
    )


def warehouses_by_id(_: Shape, key: Key) -> Statement:
    """Return the warehouse with this id."""
    return by_id(Warehouse, key)
