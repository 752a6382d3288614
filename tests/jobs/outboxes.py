"""What tests of the relay write, and how they see that nothing of it was lost or told twice."""

import asyncio
import random
import uuid
from collections import defaultdict

import asyncpg
from sqlalchemy import text

from core.database import Database
from tests import factories

_ANNOUNCE = text(
    """
    INSERT INTO outbox_event (shop_id, aggregate, aggregate_id, type)
    SELECT app_shop(), 'product', id, 'product.updated' FROM unnest(CAST(:ids AS uuid[])) AS id
    """
)


async def shops_of(database, count):
    return [(await factories.shop(database)).id for _ in range(count)]


async def write(database: Database, shop_id: uuid.UUID, count: int, *, keep: bool = True) -> list[uuid.UUID]:
    """Announce events in a transaction, and return what they are of."""
    ids = [uuid.uuid4() for _ in range(count)]
    async with database.of_tenant(shop_id).write() as transaction:
        for part in (ids[: count // 2], ids[count // 2 :]):
            await transaction.execute(_ANNOUNCE, {"ids": part})
        if keep:
            await transaction.commit()
    return ids if keep else []


async def write_many(database: Database, shops, events: int, *, writers: int = 6):
    """Write events into shops from several writers at once, some of which undo what they did; return what stayed."""
    kept, left, chance = defaultdict(list), [events], random.Random(7)  # noqa: S311

    async def one() -> None:
        while left[0] > 0:
            count = min(chance.randint(1, 12), left[0])
            keep = chance.random() < 0.8
            left[0] -= count if keep else 0
            shop_id = chance.choice(shops)
            kept[shop_id] += await write(database, shop_id, count, keep=keep)

    await asyncio.gather(*(one() for _ in range(writers)))
    return kept


async def until(condition, *, seconds: float = 30.0) -> None:
    """Look again and again, since what is awaited happens in other processes."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def waiting(owner: asyncpg.Connection, shops) -> int:
    return await owner.fetchval(
        "SELECT count(*) FROM outbox_event WHERE sequence IS NULL AND shop_id = ANY($1)", list(shops)
    )


async def check(owner: asyncpg.Connection, kept) -> None:
    """Fail unless each shop's events have the numbers from 1 on, and each event that was kept is there once."""
    for shop_id, ids in kept.items():
        rows = await owner.fetch(
            "SELECT sequence, place, aggregate_id AS id FROM outbox_event "
            "WHERE shop_id = $1 AND aggregate = 'product' ORDER BY sequence",
            shop_id,
        )
        numbers = await owner.fetch("SELECT sequence FROM outbox_event WHERE shop_id = $1 ORDER BY 1", shop_id)
        assert [row["sequence"] for row in numbers] == list(range(1, len(numbers) + 1))
        assert sorted(row["id"] for row in rows) == sorted(ids)
        last = await owner.fetchval("SELECT sequence FROM outbox_position WHERE shop_id = $1", shop_id)
        assert last == len(numbers)
