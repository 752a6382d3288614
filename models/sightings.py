"""Which events shoppers of a channel may hear of, of many at once."""

import functools

from sqlalchemy import union_all
from sqlalchemy.sql import ColumnElement, and_, or_, select

from models.base import ANY_KEY, Statement, of_shop
from models.catalogue import CHANNEL, product_is_shown
from models.inventory import ChannelWarehouse
from models.listings import Listing
from models.products import Product, Variant
from models.scopes import Shape
from models.selling import is_sold


def _active() -> ColumnElement[bool]:
    return and_(Product.status == "ACTIVE", Product.deleted_at.is_(None))


@functools.cache
def products_heard_of(shape: Shape) -> Statement:
    """Return those products in `keys` whose changes may be heard of; of some only where they were active before.

    That is where the channel shows a product, or has shown it until now: it is active, or was before the change (where
    `is_heard` is false it has to have been), and one of its variants, deleted ones among them, has a listing that
    sells. What was never offered is not heard of.
    """
    offered = (
        select(Listing.id)
        .join(Variant, and_(Variant.shop_id == Listing.shop_id, Variant.id == Listing.variant_id))
        .where(of_shop(Listing), Variant.product_id == Product.id, Listing.channel_id == CHANNEL, is_sold())
        .exists()
    )
    shown = product_is_shown(Product.id, shape)
    return select(Product.id, or_(_active(), shown).label("is_heard")).where(
        of_shop(Product), Product.id == ANY_KEY, or_(shown, offered)
    )


@functools.cache
def prices_heard_of() -> Statement:
    """Return those variants in `keys` whose products are active.

    Whether the channel shows one depends on the very price that has changed, and on those of its other variants.
    """
    return (
        select(Variant.id)
        .join(Product, and_(Product.shop_id == Variant.shop_id, Product.id == Variant.product_id))
        .where(of_shop(Variant), Variant.id == ANY_KEY, Variant.deleted_at.is_(None), _active())
    )


@functools.cache
def stock_heard_of(shape: Shape) -> Statement:
    """Return those variants in `keys` that the channel shows, and those warehouses in `keys` that it sells from.

    Stock is heard of where both are there.
    """
    variants = select(Variant.id).where(
        of_shop(Variant),
        Variant.id == ANY_KEY,
        Variant.deleted_at.is_(None),
        product_is_shown(Variant.product_id, shape),
    )
    warehouses = select(ChannelWarehouse.warehouse_id).where(
        of_shop(ChannelWarehouse), ChannelWarehouse.channel_id == CHANNEL, ChannelWarehouse.warehouse_id == ANY_KEY
    )
    return select(union_all(variants, warehouses).subquery("heard_of").c.id)
