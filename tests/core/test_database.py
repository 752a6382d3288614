"""Reads of one operation: one snapshot, one connection, and nothing of either left behind."""

import asyncio

import asyncpg
import pytest
from sqlalchemy import BigInteger, Integer, bindparam, func, select, text

from core.errors import BadUserInput, Overloaded
from core.reading import Scope
from core.statements import compile_statement
from models.products import Product
from tests import factories
from tests.core.connections import end_backends, in_use

COUNT = select(func.count().label("total")).select_from(Product)
WAIT = select(func.pg_advisory_xact_lock(bindparam("lock", type_=BigInteger())))
DIVIDE = select((1 / bindparam("number", type_=Integer())).label("quotient"))


class NeverBegins(Scope):
    """A scope that PostgreSQL refuses."""

    milliseconds = -1


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
    assert await in_use(own) == 0
    with pytest.raises(asyncio.CancelledError):
        await tenant.fetch(COUNT)
    assert await in_use(own) == 0
    # The connection is good for others, and knows no shop.
    async with own.reads.connection() as connection:
        assert not connection.is_in_transaction()
        assert await connection.fetchval("SELECT app_shop()") is None
    await holder.close()


async def test_a_transaction_that_does_not_begin_leaves_no_connection_behind(own, shop):
    for _ in range(3):
        with pytest.raises(asyncpg.InvalidParameterValueError):
            await own.reads.begin(compile_statement(COUNT), [], NeverBegins(shop.id, 0))

    assert await in_use(own) == 0


async def test_a_failed_read_does_not_reach_the_next_operation(own, shop):
    for _ in range(3):
        tenant = own.of_tenant(shop.id)
        with pytest.raises(asyncpg.DivisionByZeroError):
            await tenant.fetch(DIVIDE, number=0)
        await tenant.close()

    tenant = own.of_tenant(shop.id)
    assert (await tenant.fetch(DIVIDE, number=1))[0].quotient == 1
    await tenant.close()
    assert await in_use(own) == 0


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


async def test_a_write_that_gets_no_connection_is_told_to_come_back(impatient, shop):
    tenants = [impatient.of_tenant(shop.id) for _ in range(3)]

    async with tenants[0].write(), tenants[1].write():
        with pytest.raises(Overloaded):
            async with tenants[2].write():
                pytest.fail("The pool has two connections.")


async def test_closing_does_not_wait_for_the_end_of_the_snapshot(own, shop):
    tenant = own.of_tenant(shop.id)
    await tenant.fetch(COUNT)

    await tenant.close()

    assert own.reads.in_use == 1
    assert await in_use(own) == 0


async def test_a_snapshot_whose_connection_is_lost_says_so_and_leaves_nothing(own, postgres, shop):
    tenant = own.of_tenant(shop.id)
    await tenant.fetch(COUNT)
    await end_backends(own, postgres)

    with pytest.raises(Overloaded):
        await tenant.fetch(COUNT)

    await tenant.close()
    assert await in_use(own) == 0


async def test_a_value_that_cannot_be_sent_leaves_no_tenant_behind(single, shop):
    await factories.product(single, shop)
    for alone in (True, False):
        tenant = single.of_tenant(shop.id)
        with pytest.raises(asyncpg.DataError):
            await tenant.fetch(DIVIDE, alone=alone, number="seven")
        await tenant.close()

        assert (await single.fetch_platform(COUNT))[0].total == 0
        assert await in_use(single) == 0


async def test_closing_that_is_cancelled_loses_no_connection(own, shop):
    tenant = own.of_tenant(shop.id)
    await tenant.fetch(COUNT)
    reading = asyncio.create_task(tenant.fetch(text("SELECT pg_sleep(20)")))
    await asyncio.sleep(0)
    closing = asyncio.create_task(tenant.close())
    await asyncio.sleep(0)
    closing.cancel()
    await asyncio.gather(reading, closing, return_exceptions=True)
    await own.reads.settled()
    assert await in_use(own) == 0
