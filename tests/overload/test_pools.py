"""The pools of a process while the database is frozen, out of reach, or slow."""

import asyncio
import time

import asyncpg
import pytest
from sqlalchemy import text

from core import read_pool
from core.database import Database
from core.errors import Overloaded
from core.statements import compile_statement
from tests import factories
from tests.core.connections import in_use
from tests.overload.faults import faulty

SOON = 5.0
SLEEP = text("SELECT pg_sleep(60)")
PROCESS = text("SELECT pg_backend_pid() AS pid")
RUNNING = "SELECT count(*) FROM pg_stat_activity WHERE pid = $1 AND state = 'active' AND query LIKE '%pg_sleep%'"


@pytest.fixture
async def reached(postgres):
    """A database behind a proxy, of two connections each for reads and writes."""
    async with faulty(postgres.app_url) as (faults, url):
        database = Database.of(url, pool_size=2, acquire_timeout_seconds=1, statement_seconds=0.5)
        await database.open()
        yield faults, database
        faults.heal()
        faults.reset()
        await database.close()


async def test_a_connection_in_a_black_hole_is_given_up_soon_and_so_are_those_beside_it(reached, shop):
    faults, database = reached
    taken = [await database.reads.acquire() for _ in range(2)]
    for each in taken:
        database.reads.release(each)
    faults.swallow()
    tenant = database.of_tenant(shop.id)
    reading = asyncio.create_task(tenant.fetch(PROCESS))
    await asyncio.sleep(0)
    reading.cancel()
    began = time.monotonic()
    await tenant.close()
    assert await in_use(database) == 0
    assert time.monotonic() - began < read_pool.SETTLE_SECONDS + SOON

    faults.heal()

    # Neither the connection that was used nor the one that lay beside it is tried again.
    async with asyncio.timeout(SOON):
        await database.ping()
        await asyncio.gather(*(database.ping() for _ in range(4)))


async def test_a_statement_that_nobody_cancels_loses_its_connection_after_its_time(reached, shop):
    faults, database = reached
    tenant = database.of_tenant(shop.id, statement_timeout_seconds=0.1)
    await database.ping()
    faults.swallow()

    async with asyncio.timeout(SOON):
        with pytest.raises(Overloaded):
            await tenant.fetch(PROCESS)

    assert await in_use(database) == 0
    faults.heal()
    await database.ping()
    faults.swallow()
    async with asyncio.timeout(SOON):
        with pytest.raises(Overloaded):
            await database.ping()
    assert await in_use(database) == 0


async def test_a_write_block_that_hangs_loses_its_connection_after_its_time(reached, shop):
    faults, database = reached
    await database.writes.open()
    tenant = database.of_tenant(shop.id, statement_timeout_seconds=0.1)

    async def write():
        async with tenant.write() as transaction:
            await transaction.execute(text("UPDATE shop SET name = 'Changed'"))
            faults.swallow()
            await transaction.commit()

    async with asyncio.timeout(SOON):
        with pytest.raises(Overloaded):
            await write()

    await database.writes.settled()
    assert database.writes.in_use == 0


async def test_a_connection_given_back_in_time_is_kept(reached, shop):
    _, database = reached
    tenant = database.of_tenant(shop.id, statement_timeout_seconds=1)
    (row,) = await tenant.fetch(PROCESS)
    await tenant.close()
    await database.reads.settled()
    connection = await database.reads.acquire()
    database.reads.expect(connection, time.monotonic() - 0.9)
    database.reads.release(connection)
    # Another one keeps the pool looking.
    writer = await database.writes.acquire()
    database.writes.expect(writer, time.monotonic() - 60)
    with pytest.raises(asyncpg.ConnectionDoesNotExistError):
        await writer.driver.execute("SELECT pg_sleep(60)")
    database.writes.release(writer)

    assert not connection.driver.is_closed()
    assert (await database.fetch_platform(PROCESS))[0].pid == row.pid


async def test_who_leaves_ends_his_statement_in_the_database(reached, postgres, shop):
    _, database = reached
    connection = await database.reads.acquire()
    pid = connection.driver.get_server_pid()
    database.reads.release(connection)
    watcher = await asyncpg.connect(postgres.owner_url)
    tenant = database.of_tenant(shop.id)
    reading = asyncio.create_task(tenant.fetch(SLEEP))
    async with asyncio.timeout(SOON):
        while not await watcher.fetchval(RUNNING, pid):
            assert not reading.done()
        reading.cancel()
        await tenant.close()
        while await watcher.fetchval(RUNNING, pid):
            await database.reads.settled()

    # The same connection serves on.
    assert await in_use(database) == 0
    assert (await database.fetch_platform(PROCESS))[0].pid == pid
    await watcher.close()


async def test_a_storm_of_resets_leaves_no_tenant_behind(reached, database, shop):
    faults, own = reached
    other = await factories.shop(database)
    names = {shop.id: shop.name, other.id: other.name}
    ends = asyncio.get_running_loop().time() + 1.0

    async def reset():
        while asyncio.get_running_loop().time() < ends:
            faults.reset()
            await asyncio.sleep(0.01)

    async def read(tenant_id):
        served = 0
        while asyncio.get_running_loop().time() < ends or not served:
            tenant = own.of_tenant(tenant_id)
            try:
                rows = await tenant.fetch(text("SELECT id, name FROM shop"), alone=bool(served % 2))
                assert [tuple(row) for row in rows] == [(tenant_id, names[tenant_id])]
                served += 1
            except Overloaded:
                pass
            finally:
                await tenant.close()
        return served

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(reset())
        served = [tasks.create_task(read(tenant_id)) for tenant_id in (shop.id, other.id) * 2]

    assert all(each.result() for each in served)
    assert await in_use(own) == 0
    # Outside of a tenant a connection sees no shop's rows: nothing was left on it.
    for _ in range(3):
        assert await own.fetch_platform(text("SELECT app_shop() AS shop")) == [(None,)]


async def test_who_waits_for_a_connection_is_seen(reached):
    _, database = reached
    pool = database.reads
    assert pool.waiting_seconds == 0.0
    taken = [await pool.acquire() for _ in range(2)]
    waiting = asyncio.create_task(pool.fetch(compile_statement(PROCESS), []))
    await asyncio.sleep(0.02)
    assert 0.0 < pool.waiting_seconds < SOON
    for each in taken:
        pool.release(each)
    await waiting
    assert pool.waiting_seconds == 0.0
