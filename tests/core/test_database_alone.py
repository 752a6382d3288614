"""A read that is alone: tenant, deadline and statement travel together, and none of them stays behind."""

import asyncio
import functools
import time
from urllib.parse import urlsplit

import asyncpg
import pytest
from sqlalchemy import BigInteger, Integer, bindparam, func, literal_column, select, table, text

from core.database import Database
from core.errors import DeadlineExceeded, Overloaded
from core.reading import Scope
from core.statements import compile_statement
from models.products import Product
from tests import factories
from tests.core.connections import end_backends, end_backends_unseen, in_use, wait_for_lock
from tests.core.relays import relayed

COUNT = select(func.count().label("total")).select_from(Product)
WAIT = select(func.pg_advisory_xact_lock(bindparam("lock", type_=BigInteger())))
DIVIDE = select((1 / bindparam("number", type_=Integer())).label("quotient"))
MANY = text("SELECT generate_series(1, 50000) AS number")
SETTINGS = text(
    "SELECT app_shop() AS shop, current_setting('statement_timeout') AS timeout,"
    " current_setting('transaction_read_only') AS read_only, pg_backend_pid() AS pid"
)


async def read(database, shop, statement=COUNT, *, alone=True, seconds=10.0, **values):
    """Run an operation of one read."""
    tenant = database.of_tenant(shop.id, statement_timeout_seconds=seconds)
    try:
        return await tenant.fetch(statement, alone=alone, **values)
    finally:
        await tenant.close()


async def assert_clean(database):
    """Nothing of an operation is left: no connection in use, no tenant, no deadline, no transaction."""
    assert await in_use(database) == 0
    (left,) = await database.fetch_platform(SETTINGS)
    assert (left.shop, left.timeout, left.read_only) == (None, "0", "off")
    assert (await database.fetch_platform(COUNT))[0].total == 0


@pytest.fixture
async def shops(database):
    """Shops of one, two and three products."""
    made = [await factories.shop(database) for _ in range(3)]
    for number, each in enumerate(made, 1):
        for _ in range(number):
            await factories.product(database, each)
    return made


@pytest.fixture
async def holder(postgres, shop):
    """Another connection, which holds the advisory lock of the test until it lets go."""
    connection = await asyncpg.connect(postgres.owner_url)
    await connection.execute("SELECT pg_advisory_lock($1)", lock_of(shop))
    yield connection
    await connection.close()


def lock_of(shop):
    return shop.id.int % 2**31


async def test_tenants_that_take_turns_on_a_connection_see_their_own_rows(single, shops):
    for _ in range(5):
        for number, shop in enumerate(shops, 1):
            assert (await read(single, shop))[0].total == number
            await assert_clean(single)


async def test_tenants_at_the_same_time_see_their_own_rows(own, shops):
    asked = [number % 3 for number in range(60)]

    rows = await asyncio.gather(*(read(own, shops[index], alone=bool(index)) for index in asked))

    assert [row.total for (row,) in rows] == [index + 1 for index in asked]
    await assert_clean(own)


async def test_without_a_tenant_nothing_is_seen(single, shops):
    await read(single, shops[0])

    assert (await single.fetch_platform(COUNT))[0].total == 0


async def test_tenant_deadline_and_read_only_hold_for_the_statement(single, shop):
    (row,) = await read(single, shop, SETTINGS, seconds=5)

    assert row.shop == shop.id
    assert row.read_only == "on"
    assert 0 < int(row.timeout.removesuffix("ms").replace("5s", "5000")) <= 5000
    await assert_clean(single)


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("alone", [True, False])
async def test_no_plan_is_compiled_to_machine_code(postgres, shop, alone):
    url = urlsplit(postgres.app_url)._replace(query="jit=on").geturl()
    database = await Database.connect(url, pool_size=1)

    (row,) = await read(database, shop, text("SELECT current_setting('jit') AS jit"), alone=alone)

    assert row.jit == "off"
    await database.close()


async def test_reads_write_nothing(single, shop):
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        await read(single, shop, text("UPDATE shop SET name = 'Changed' RETURNING name"))

    await assert_clean(single)


async def test_many_rows(single, shop):
    rows = await read(single, shop, MANY)

    assert [row.number for row in rows] == list(range(1, 50_001))
    await assert_clean(single)


async def test_a_statement_that_fails_leaves_nothing_and_keeps_its_connection(single, shops):
    (before,) = await read(single, shops[0], SETTINGS)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await read(single, shops[0], DIVIDE, number=0)

    await assert_clean(single)
    (after,) = await read(single, shops[1], SETTINGS)
    assert after.pid == before.pid
    assert (await read(single, shops[1]))[0].total == 2


async def test_a_scope_that_is_refused_runs_no_statement_and_leaves_nothing(single, shops):
    class Refused(Scope):
        milliseconds = -1

    with pytest.raises(asyncpg.InvalidParameterValueError):
        await single.reads.fetch(compile_statement(MANY), [], Refused(shops[0].id, 0))

    await assert_clean(single)
    assert (await read(single, shops[1]))[0].total == 2


async def test_a_cancelled_read_is_cancelled_in_the_server_and_leaves_nothing(single, holder, shop):
    reading = asyncio.create_task(read(single, shop, WAIT, lock=lock_of(shop)))
    await wait_for_lock(holder, lock_of(shop))

    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading

    # The lock is held on: the statement can only have ended by its cancellation.
    await assert_clean(single)


async def test_closing_cancels_a_read_of_another_task(single, holder, shop):
    tenant = single.of_tenant(shop.id)
    reading = asyncio.create_task(tenant.fetch(WAIT, alone=True, lock=lock_of(shop)))
    await wait_for_lock(holder, lock_of(shop))

    await tenant.close()

    with pytest.raises(asyncio.CancelledError):
        await reading
    with pytest.raises(asyncio.CancelledError):
        await tenant.fetch(COUNT, alone=True)
    await assert_clean(single)


async def test_a_slow_statement_ends_at_the_deadline_in_the_server(single, holder, shop):
    started = time.monotonic()
    with pytest.raises(DeadlineExceeded):
        await read(single, shop, WAIT, seconds=0.2, lock=lock_of(shop))

    assert 0.19 < time.monotonic() - started < 5
    await assert_clean(single)
    await holder.execute("SELECT pg_advisory_unlock_all()")
    assert await read(single, shop, WAIT, lock=lock_of(shop))


@pytest.mark.usefixtures("holder")
async def test_a_deadline_of_the_caller_ends_a_slow_statement(single, shop):
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await read(single, shop, WAIT, lock=lock_of(shop))

    await assert_clean(single)


@pytest.mark.parametrize("alone", [True, False])
async def test_a_connection_that_died_in_its_sleep_is_replaced_unnoticed(single, postgres, shop, alone):
    await read(single, shop)
    await end_backends(single, postgres)
    assert (await read(single, shop, alone=alone))[0].total == 0

    end_backends_unseen(single, postgres)
    assert (await read(single, shop, alone=alone))[0].total == 0
    await assert_clean(single)


async def test_a_read_whose_connection_is_lost_is_done_once_more(single, postgres, holder, shop):
    reading = asyncio.create_task(read(single, shop, WAIT, lock=lock_of(shop)))
    await wait_for_lock(holder, lock_of(shop))
    await end_backends(single, postgres)
    await wait_for_lock(holder, lock_of(shop))

    await holder.execute("SELECT pg_advisory_unlock_all()")

    assert len(await reading) == 1
    await assert_clean(single)


async def test_a_read_after_a_migration_sees_the_new_columns(single, postgres, shop):
    owner = await asyncpg.connect(postgres.owner_url)
    name = f"scratch_{shop.id.hex}"
    everything = select(literal_column("*")).select_from(table("changing", schema=name))
    try:
        await owner.execute(f"CREATE SCHEMA {name}; GRANT USAGE ON SCHEMA {name} TO galleria_app")
        await owner.execute(
            f"CREATE TABLE {name}.changing AS SELECT 1 AS one; GRANT SELECT ON {name}.changing TO PUBLIC"
        )
        assert [tuple(row) for row in await read(single, shop, everything)] == [(1,)]
        await owner.execute(f"ALTER TABLE {name}.changing ADD COLUMN two int DEFAULT 2")

        assert [tuple(row) for row in await read(single, shop, everything)] == [(1, 2)]
    finally:
        await owner.execute(f"DROP SCHEMA {name} CASCADE")
        await owner.close()
    await assert_clean(single)


async def test_later_reads_of_the_operation_see_one_moment(own, shop):
    tenant = own.of_tenant(shop.id)
    assert (await tenant.fetch(COUNT, alone=True))[0].total == 0
    await factories.product(own, shop)
    assert (await tenant.fetch(COUNT))[0].total == 1
    await factories.product(own, shop)

    assert (await tenant.fetch(COUNT))[0].total == 1
    assert (await tenant.fetch(COUNT, alone=True))[0].total == 1
    assert tenant.statistics.statements == 4
    await tenant.close()
    await assert_clean(own)


async def test_how_often_an_operation_waits_for_the_server(postgres, shop):
    async with relayed(postgres.app_url) as relay:
        database = await Database.connect(relay.url, pool_size=1)
        alone = functools.partial(read, database, shop)
        snapshot = functools.partial(read, database, shop, alone=False)
        asked = []
        for operation in (alone, alone, snapshot):
            before = relay.turns
            await operation()
            await database.reads.settled()
            asked.append(relay.turns - before)
        await database.close()

    # The first prepares the statement; the last one's COMMIT is waited for by nobody.
    assert asked == [3, 1, 2]


async def test_the_last_words_of_a_server_are_understood(postgres, shop):
    async with relayed(postgres.app_url) as relay:
        database = await Database.connect(relay.url, pool_size=1)
        await read(database, shop)
        await hear_last_words(database, relay)
        assert (await read(database, shop))[0].total == 0

        tenant = database.of_tenant(shop.id)
        await tenant.fetch(COUNT)
        await hear_last_words(database, relay)
        with pytest.raises(Overloaded):
            await tenant.fetch(COUNT)
        await tenant.close()
        await database.close()


async def hear_last_words(database, relay):
    """Let the server end the connection, and stop before the connection is closed."""
    (connection,) = database.reads._connections
    heard = asyncio.Event()
    connection.driver.add_log_listener(lambda *_: heard.set())
    for kind in (b"E", b"N"):
        fields = b"SFATAL\0C57P01\0Mterminating connection\0\0"
        relay.clients[-1].write(kind + (4 + len(fields)).to_bytes(4) + fields)
    await heard.wait()


async def test_the_last_read_of_an_operation_leaves_no_transaction_open(single, shop):
    tenant = single.of_tenant(shop.id)
    tenant.is_at_last_read = True
    assert (await tenant.fetch(COUNT))[0].total == 0
    await assert_clean(single)
    await tenant.close()
