"""Whether shoppers of a channel may hear of an event."""

import functools

from sqlalchemy import Boolean
from sqlalchemy.sql import ColumnElement, and_, bindparam, or_, select
from sqlalchemy.sql.sqltypes import Uuid

from models.base import Statement, of_shop
from models.catalogue import CHANNEL, product_is_shown
from models.inventory import ChannelWarehouse
from models.listings import Listing
from models.products import Product, Variant
from models.scopes import Shape
from models.selling import is_sold

_SUBJECT = bindparam("subject", type_=Uuid())


def _active() -> ColumnElement[bool]:
    return and_(Product.status == "ACTIVE", Product.deleted_at.is_(None))


@functools.cache
def product_is_heard_of(shape: Shape) -> Statement:
    """Return a row where a change of the product `subject` may be heard of.

    That is where the channel shows it, or has shown it until now: it was active before the change (`was_active`) or is,
    and one of its variants, deleted ones among them, has a listing that sells. What was never offered is not heard of.
    """
    offered = (
        select(Listing.id)
        .join(Variant, and_(Variant.shop_id == Listing.shop_id, Variant.id == Listing.variant_id))
        .where(of_shop(Listing), Variant.product_id == Product.id, Listing.channel_id == CHANNEL, is_sold())
        .exists()
    )
    was_active = bindparam("was_active", type_=Boolean())
    vanished = and_(or_(was_active, _active()), offered)
    return select(Product.id).where(
        of_shop(Product), Product.id == _SUBJECT, or_(product_is_shown(Product.id, shape), vanished)
    )


@functools.cache
def price_is_heard_of() -> Statement:
    """Return a row where the product of the variant `subject` is active.

    Whether the channel shows it depends on the very price that has changed, and on those of its other variants.
    """
    return (
        select(Variant.id)
        .join(Product, and_(Product.shop_id == Variant.shop_id, Product.id == Variant.product_id))
        .where(of_shop(Variant), Variant.id == _SUBJECT, Variant.deleted_at.is_(None), _active())
    )


@functools.cache
def stock_is_heard_of(shape: Shape) -> Statement:
    """Return a row where the channel shows the variant `subject`, and sells from the warehouse `warehouse`."""
    sells_from = (
        select(ChannelWarehouse.warehouse_id)
        .where(
            of_shop(ChannelWarehouse),
            ChannelWarehouse.channel_id == CHANNEL,
            ChannelWarehouse.warehouse_id == bindparam("warehouse", type_=Uuid()),
        )
        .exists()
    )
    return select(Variant.id).where(
        of_shop(Variant),
        Variant.id == _SUBJECT,
        Variant.deleted_at.is_(None),
        product_is_shown(Variant.product_id, shape),
        sells_from,
    )
