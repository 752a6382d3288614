"""Shops, their hosts and their channels."""

import uuid
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Index, Text, column, func, text
from sqlalchemy.dialects.postgresql import BYTEA
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import bindparam, select
from sqlalchemy.sql.sqltypes import Uuid

from models.base import (
    Aggregate,
    Base,
    Key,
    Statement,
    Tenant,
    by_id,
    of_shop,
    one_of,
    rows_of,
    slug_check,
    unique_while,
)
from models.scopes import Shape

SHOP_STATUSES = ("ACTIVE", "SUSPENDED", "CLOSED")


class Shop(Base):
    """A tenant. Its id is the `shop_id` of every other table."""

    __tablename__ = "shop"
    __table_args__ = (
        slug_check(),
        one_of("status", SHOP_STATUSES),
        CheckConstraint("length(cursor_key) = 32", name="cursor_key"),
        Index("uq_shop_slug", "slug", unique=True),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default="ACTIVE")
    default_currency: Mapped[str] = mapped_column(Text)
    default_locale: Mapped[str] = mapped_column(Text, server_default="en")
    cursor_key: Mapped[bytes] = mapped_column(BYTEA)


class Domain(Tenant):
    """A host name under which a shop is reached."""

    __tablename__ = "domain"
    __table_args__ = (Index("uq_domain_host", "host", unique=True),)

    host: Mapped[str] = mapped_column(Text, primary_key=True)


class Channel(Aggregate):
    """A place where a shop sells: one currency, its own prices, its own warehouses."""

    __tablename__ = "channel"
    __table_args__ = (
        slug_check(),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        unique_while("channel", "slug"),
        Index("uq_channel_is_default", "shop_id", unique=True, postgresql_where=text("is_default")),
    )

    slug: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    default_country: Mapped[str | None] = mapped_column(Text)
    prices_include_tax: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    is_default: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))


def _found_shop(**arguments: Any) -> Statement:
    """Look a shop up by one of its names; `find_shop` runs with rights of its own, since no tenant is known yet."""
    shop = func.find_shop(
        arguments.get("id", text("NULL::uuid")),
        arguments.get("slug", text("NULL::text")),
        arguments.get("host", text("NULL::text")),
    )
    names = ("id", "slug", "name", "status", "default_currency", "default_locale", "cursor_key", "default_channel_id")
    found = shop.table_valued(*(column(name) for name in names), name="found")
    return select(found).execution_options(entity="shop")


shop_by_id = _found_shop(id=bindparam("id", type_=Uuid()))
shop_by_slug = _found_shop(slug=bindparam("slug", type_=Text()))
shop_by_host = _found_shop(host=bindparam("host", type_=Text()))

channels = rows_of(Channel).where(of_shop(Channel)).order_by(Channel.created_at, Channel.id)
channel_by_slug = rows_of(Channel).where(of_shop(Channel), Channel.slug == bindparam("slug"))


def channels_by_id(_: Shape, key: Key) -> Statement:
    """Return the channel with this id."""
    return by_id(Channel, key)
