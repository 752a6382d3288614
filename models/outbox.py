"""The outbox: what has happened in a shop, written by triggers in the transaction in which it happened.

An event's type is `<aggregate>.<verb>`, and its aggregate is a table. Payloads, with ids as they are in the database:

- `variant.*`, `media.*` and `review.*` have `productId`, `attribute_value.*` has `attributeId`;
  `product.updated` and `product.deleted` may have `wasActive`; the others are empty.
- `product.updated` and `variant.updated` have `internal` where nothing has changed but what concerns the shop alone: a
  reference of another system, metadata, or what an article costs the shop.
- `stock.changed` (of a variant) has `warehouseId`, `before` and `after`: `{onHand, available}`, or null where there
  was, or is, no stock.
- `price.changed` (of a variant) has `channelId`, `before` and `after`: `{priceMinor, compareAtMinor, isPublished,
  availableFrom}`, or null where there was, or is, no price.

What is marked as deleted is `.deleted`; what is restored is `.updated`.
"""

import itertools
import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Identity, Index, Integer, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import Executable, bindparam, select

from models.base import Statement, Tenant, of_shop

STOCK_CHANGED = "stock.changed"
PRICE_CHANGED = "price.changed"

CREATED, UPDATED, DELETED = "created", "updated", "deleted"

AGGREGATES = (
    "attribute",
    "attribute_value",
    "category",
    "channel",
    "collection",
    "media",
    "product",
    "product_type",
    "review",
    "variant",
    "warehouse",
)
"""What has events of its own."""

TYPES = frozenset(
    {
        STOCK_CHANGED,
        PRICE_CHANGED,
        *(f"{aggregate}.{verb}" for aggregate, verb in itertools.product(AGGREGATES, (CREATED, UPDATED, DELETED))),
    }
)
"""All types of events."""


class OutboxEvent(Tenant):
    """Something that has happened.

    Its `place` is the order in which rows were written, which is not the order of commits; `sequence`, which the relay
    gives once it is committed, is the order in which everybody hears of it.
    """

    __tablename__ = "outbox_event"
    __table_args__ = (
        Index("ix_outbox_event_place", "place", postgresql_where=text("sequence IS NULL")),
        Index(
            "uq_outbox_event_sequence",
            "shop_id",
            "sequence",
            unique=True,
            postgresql_where=text("sequence IS NOT NULL"),
        ),
    )

    # No reference to the shop: it would be checked for every event, and each of a shop's rows has one already.
    shop_id: Mapped[uuid.UUID] = mapped_column(primary_key=True, sort_order=-3)
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    place: Mapped[int] = mapped_column(BigInteger, Identity())
    aggregate: Mapped[str] = mapped_column(Text)
    aggregate_id: Mapped[uuid.UUID]
    type: Mapped[str] = mapped_column(Text)
    payload: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default="{}")
    actor: Mapped[str | None] = mapped_column(Text)
    trace: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    sequence: Mapped[int | None] = mapped_column(BigInteger)
    relayed_at: Mapped[datetime | None]


class OutboxPosition(Tenant):
    """Where a shop's events are: the last sequence that was given, and the first whose event is still kept."""

    __tablename__ = "outbox_position"

    sequence: Mapped[int] = mapped_column(BigInteger, server_default="0")
    oldest: Mapped[int] = mapped_column(BigInteger, server_default="1")


events_after: Statement = (
    select(
        OutboxEvent.sequence,
        OutboxEvent.id,
        OutboxEvent.type,
        OutboxEvent.aggregate,
        OutboxEvent.aggregate_id,
        OutboxEvent.payload,
        OutboxEvent.actor,
        OutboxEvent.created_at,
    )
    .where(of_shop(OutboxEvent), OutboxEvent.sequence > bindparam("after", type_=BigInteger()))
    .order_by(OutboxEvent.sequence)
    .limit(bindparam("limit", type_=Integer()))
)
"""Return the first `limit` events with a sequence greater than `after`, in order."""

position: Statement = select(OutboxPosition.sequence, OutboxPosition.oldest).where(of_shop(OutboxPosition))
"""Return one row: the last sequence that was given, and the first that is still kept, which may be the next one."""

relay: Executable = text("SELECT shop_id, sequence, relayed FROM relay_events(CAST(:at_most AS int))")
"""Give `at_most` waiting events of all shops their sequence.

Return for each shop the last one given and how many; of no tenant, and in a transaction of its own.
"""

expire: Executable = text("SELECT expire_events(CAST(:days AS int), CAST(:at_most AS int)) AS gone")
"""Delete `at_most` events of one shop, relayed more than `days` ago, and return how many; 0 where none is left.

Of no tenant, and in a transaction of its own.
"""

backlog: Executable = text("SELECT waiting, oldest_seconds FROM outbox_backlog()")
"""Return one row: how many events of all shops wait for their sequence, and for how long the oldest of them."""

silence: Executable = text("SELECT set_config('app.events', 'off', true)")
"""Announce nothing of what the transaction does from now on."""
