"""How tests see what is in the outbox."""

from collections import Counter

from sqlalchemy import select

from core.database import Database
from models.outbox import OutboxEvent
from resolvers.context import Shop


async def events(database: Database, shop: Shop, *, after: int = 0):
    """All events of a shop behind a place, in the order in which they were written."""
    async with database.of_tenant(shop.id).write() as transaction:
        rows = await transaction.execute(select(*OutboxEvent.__table__.c).order_by(OutboxEvent.place))
    return [row for row in rows if row["place"] > after]


async def last_place(database: Database, shop: Shop) -> int:
    """The place of a shop's last event."""
    return max((row["place"] for row in await events(database, shop)), default=0)


def types(rows) -> Counter[str]:
    """How many events there are of each type."""
    return Counter(row["type"] for row in rows)
