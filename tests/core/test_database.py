"""Reads of one operation: one snapshot, one connection, and nothing of either left behind."""

import asyncio

import asyncpg
import pytest
from sqlalchemy import BigInteger, Integer, bindparam, func, select, text

from core.database import Database
from core.errors import BadUserInput, Overloaded
from models.products import Product
from tests import factories

COUNT = select(func.count().label("total")).select_from(Product)
WAIT = select(func.pg_advisory_xact_lock(bindparam("lock", type_=BigInteger())))
DIVIDE = select((1 / bindparam("number", type_=Integer())).label("quotient"))


@pytest.fixture
async def own(postgres):
    """Pools of the test's own, so that it can count their connections."""
    database = await Database.connect(postgres.app_url, pool_size=2, acquire_timeout_seconds=1)
    yield database
    await database.close()


def in_use(database: Database) -> int:
    return database.reads.get_size() - database.reads.get_idle_size()


async def test_all_reads_of_an_operation_see_one_moment(database, shop):
    tenant = database.of_tenant(shop.id)
    before = (await tenant.fetch(COUNT))[0].total
    await factories.product(database, shop)

    assert (await tenant.fetch(COUNT))[0].total == before == 0
    await tenant.close()
    later = database.of_tenant(shop.id)
    assert (await later.fetch_one(COUNT)).total == 1
    await later.close()


async def test_a_write_ends_the_moment(database, shop):
    tenant = database.of_tenant(shop.id)
    await tenant.fetch(COUNT)
    told = []
    tenant.on_write(lambda: told.append("write"))
    await factories.product(database, shop)
    async with tenant.write():
        pass

    assert (await tenant.fetch(COUNT))[0].total == 1
    assert told == ["write"]
    await tenant.close()


async def test_leaving_a_write_block_without_commit_keeps_nothing(database, shop):
    tenant = database.of_tenant(shop.id)
    async with tenant.write() as transaction:
        await transaction.execute(text("UPDATE shop SET name = 'Changed'"))
    async with tenant.write() as transaction:
        assert (await transaction.execute(text("SELECT name FROM shop"))).scalar_one() == shop.name


async def test_reads_write_nothing(own, shop):
    tenant = own.of_tenant(shop.id)
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await tenant.fetch(text("UPDATE shop SET name = 'Changed' RETURNING name"))
    await tenant.close()


async def test_closing_cancels_what_is_still_read_and_gives_the_connection_back(own, postgres, shop):
    holder = await asyncpg.connect(postgres.owner_url)
    lock = shop.id.int % 2**62
    await holder.execute("SELECT pg_advisory_lock($1)", lock)
    tenant = own.of_tenant(shop.id)
    reading = asyncio.create_task(tenant.fetch(WAIT, lock=lock))
    queued = asyncio.create_task(tenant.fetch(COUNT))
    while not await holder.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"):
        assert not reading.done()

    await tenant.close()

    ended = await asyncio.gather(reading, queued, return_exceptions=True)
    assert [type(each) for each in ended] == [asyncio.CancelledError, asyncio.CancelledError]
    assert in_use(own) == 0
    with pytest.raises(asyncio.CancelledError):
        await tenant.fetch(COUNT)
    assert in_use(own) == 0
    # The connection is good for others, and knows no shop.
    async with own.reads.acquire() as connection:
        assert not connection.is_in_transaction()
        assert await connection.fetchval("SELECT app_shop()") is None
    await holder.close()


async def test_a_transaction_that_does_not_begin_leaves_no_connection_behind(own, shop):
    beyond_any_timeout = own.of_tenant(shop.id, statement_timeout_seconds=1e12)
    for _ in range(3):
        with pytest.raises(asyncpg.PostgresError):
            await beyond_any_timeout.fetch(COUNT)

    assert in_use(own) == 0
    await beyond_any_timeout.close()


async def test_a_failed_read_does_not_reach_the_next_operation(own, shop):
    for _ in range(3):
        tenant = own.of_tenant(shop.id)
        with pytest.raises(asyncpg.DivisionByZeroError):
            await tenant.fetch(DIVIDE, number=0)
        await tenant.close()

    tenant = own.of_tenant(shop.id)
    assert (await tenant.fetch(DIVIDE, number=1))[0].quotient == 1
    await tenant.close()
    assert in_use(own) == 0


async def test_a_nul_character_is_refused_and_spoils_no_other_read(own, shop):
    tenant = own.of_tenant(shop.id)
    by_slug = select(Product.id).where(Product.slug == bindparam("slug"))
    with pytest.raises(BadUserInput):
        await tenant.fetch(by_slug, slug="a\0b")

    assert (await tenant.fetch(COUNT))[0].total == 0
    await tenant.close()


async def test_statistics_count_statements_and_rows(database, shop):
    tenant = database.of_tenant(shop.id)
    await tenant.fetch(COUNT)
    await tenant.fetch(text("SELECT generate_series(1, 3)"))

    assert (tenant.statistics.statements, tenant.statistics.rows) == (2, 4)
    await tenant.close()


async def test_a_write_that_gets_no_connection_is_told_to_come_back(own, shop):
    tenants = [own.of_tenant(shop.id) for _ in range(3)]

    async with tenants[0].write(), tenants[1].write():
        with pytest.raises(Overloaded):
            async with tenants[2].write():
                pytest.fail("The pool has two connections.")
