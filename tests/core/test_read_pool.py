"""Connections for reads: opened when needed, handed on in order, replaced when they are of no use."""

import asyncio

import pytest
from sqlalchemy import text

from core import read_pool, reading
from core.database import Database
from core.errors import Overloaded
from core.statements import compile_statement
from tests.core.connections import end_backends, in_use
from tests.servers import free_port

PROCESS = text("SELECT pg_backend_pid() AS pid")
STATEMENTS = text("SELECT count(*) AS total FROM pg_prepared_statements")


async def process(database):
    """Tell which server process serves a read."""
    return (await database.fetch_platform(PROCESS))[0].pid


@pytest.fixture
async def opened(postgres):
    """A database of three connections at most."""
    database = await Database.connect(postgres.app_url, pool_size=3, acquire_timeout_seconds=10)
    yield database
    await database.close()


async def test_connections_are_opened_when_they_are_needed_and_the_last_given_back_serves_first(opened):
    pool = opened.reads
    assert (pool.size, pool.in_use) == (1, 0)
    taken = [await pool.acquire() for _ in range(3)]
    assert (pool.size, pool.in_use) == (3, 3)

    for each in (taken[1], taken[0], taken[2]):
        pool.release(each)

    assert (pool.size, pool.in_use) == (3, 0)
    assert [await pool.acquire() for _ in range(3)] == [taken[2], taken[0], taken[1]]
    for each in taken:
        pool.release(each)


async def test_who_waited_longest_is_served_first(opened):
    pool, served = opened.reads, []

    async def wait(number):
        connection = await pool.acquire()
        served.append(number)
        pool.release(connection)

    taken = [await pool.acquire() for _ in range(3)]
    waiting = [asyncio.create_task(wait(number)) for number in range(5)]
    await asyncio.sleep(0)
    pool.release(taken[0])
    await asyncio.gather(*waiting)
    for each in taken[1:]:
        pool.release(each)

    assert served == [0, 1, 2, 3, 4]
    assert pool.in_use == 0


async def test_who_waits_too_long_is_told_to_come_back(impatient, shop):
    pool = impatient.reads
    taken = [await pool.acquire() for _ in range(2)]
    tenant = impatient.of_tenant(shop.id)

    with pytest.raises(Overloaded):
        await tenant.fetch(PROCESS)

    await tenant.close()
    for each in taken:
        pool.release(each)
    assert pool.in_use == 0


@pytest.mark.parametrize("is_lost", [False, True])
async def test_what_a_waiter_was_given_while_it_was_cancelled_goes_to_the_next(opened, is_lost):
    pool = opened.reads
    taken = [await pool.acquire() for _ in range(3)]
    first, second = (asyncio.create_task(pool.acquire()) for _ in range(2))
    await asyncio.sleep(0)
    if is_lost:
        taken[0].driver.terminate()
    pool.release(taken[0])
    first.cancel()

    served = await second

    assert first.cancelled()
    assert (served is taken[0]) is not is_lost
    for each in (served, *taken[1:]):
        pool.release(each)
    assert (pool.size, pool.in_use) == (3, 0)


async def test_a_connection_is_replaced_after_its_lifetime(opened, monkeypatch):
    before = await process(opened)
    assert await process(opened) == before

    monkeypatch.setattr(read_pool, "LIFETIME_SECONDS", 0)

    assert await process(opened) != before
    await opened.reads.settled()
    assert opened.reads.size == 0


async def test_a_connection_that_was_idle_for_long_is_not_trusted(opened, monkeypatch):
    before = await process(opened)

    monkeypatch.setattr(read_pool, "IDLE_SECONDS", 0)

    assert await process(opened) != before


async def test_all_connections_are_replaced_after_a_restart(opened, postgres):
    pool = opened.reads
    for each in [await pool.acquire() for _ in range(3)]:
        pool.release(each)
    await end_backends(opened, postgres)

    await asyncio.gather(*(process(opened) for _ in range(9)))

    assert pool.size <= 3
    assert await in_use(opened) == 0


async def test_a_server_that_is_not_there_leaves_nothing_behind():
    with free_port() as reserved:
        database = Database.of(
            f"postgresql://galleria_app:x@127.0.0.1:{reserved.getsockname()[1]}/galleria", pool_size=1
        )
        told = await asyncio.gather(*(database.fetch_platform(PROCESS) for _ in range(3)), return_exceptions=True)

        assert [type(each) for each in told] == [Overloaded] * 3
        assert database.reads.size == 0
        await database.close()


async def test_a_snapshot_that_cannot_be_ended_costs_its_connection_and_nothing_else(opened, shop):
    tenant = opened.of_tenant(shop.id)
    await tenant.fetch(PROCESS)
    (connection,) = opened.reads._connections
    connection.driver.terminate()

    await tenant.close()

    assert await in_use(opened) == 0
    assert opened.reads.size == 0
    await opened.ping()


async def test_prepared_statements_are_bounded_and_those_dropped_are_closed(opened, monkeypatch):
    monkeypatch.setattr(reading, "STATEMENTS_PER_CONNECTION", 3)

    (before,) = await opened.fetch_platform(STATEMENTS)

    for number in range(20):
        assert tuple((await opened.fetch_platform(text(f"SELECT {number}")))[0]) == (number,)
    (after,) = await opened.fetch_platform(STATEMENTS)

    # One was there before, and the one that was dropped last is closed with the next.
    assert after.total <= before.total + 2 + 1


async def test_a_statement_is_prepared_once(opened):
    (before,) = await opened.fetch_platform(STATEMENTS)
    (after,) = await opened.fetch_platform(STATEMENTS)

    assert before.total == after.total


async def test_closing_waits_for_what_runs(postgres):
    database = await Database.connect(postgres.app_url, pool_size=1, acquire_timeout_seconds=5)
    connection = await database.reads.acquire()
    waiting = asyncio.create_task(database.fetch_platform(PROCESS))
    await asyncio.sleep(0)

    closing = asyncio.create_task(database.close())
    with pytest.raises(Overloaded):
        await waiting
    with pytest.raises(Overloaded):
        await database.fetch_platform(PROCESS)
    assert not closing.done()
    assert len(await connection.fetch(compile_statement(PROCESS), [])) == 1
    database.reads.release(connection)
    await closing

    assert database.reads.size == 0
    assert connection.driver.is_closed()


async def test_closing_cuts_off_what_does_not_end(impatient):
    connection = await impatient.reads.acquire()

    await impatient.close()

    assert connection.driver.is_closed()
    impatient.reads.release(connection)
    assert impatient.reads.size == 0


async def test_a_pool_that_is_renewed_uses_no_connection_that_was_open(single):
    pids = []
    for renewed in (False, True):
        if renewed:
            single.reads.renew()
        async with single.reads.connection() as connection:
            pids.append(connection.get_server_pid())
        await single.reads.settled()
    assert pids[0] != pids[1]
