"""Behind PgBouncer in transaction mode, which leads every transaction to a session that others have just used."""

import asyncio
import dataclasses
import uuid
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest
from sqlalchemy import text

from core import migrations
from core.connecting import APPLICATION_ROLE
from core.database import Database
from core.errors import ConfigurationError, ConstraintViolated, DeadlineExceeded
from core.variables import Secret
from models import shops
from server import postgresql
from server.app import create_app
from tests import factories
from tests.api.caching import READS, query_of, query_of_all
from tests.api.catalogues import catalogue
from tests.api.conftest import Api
from tests.api.live.sockets import socket
from tests.api.live.stocks import stocked
from tests.api.mutating import done, refusals
from tests.servers import Postgres, embedded_postgres, served
from tests.several.pooler import SESSIONS, pgbouncer

REQUESTS = 200
SESSION_STATE = """
    SELECT pg_backend_pid() AS pid, coalesce(current_setting('app.shop_id', true), '') AS shop,
           coalesce(current_setting('app.actor', true), '') AS actor, current_setting('statement_timeout') AS timeout,
           current_setting('transaction_read_only') AS read_only, current_setting('transaction_isolation') AS isolation,
           current_user AS role, (SELECT count(*) FROM product) AS products, (SELECT count(*) FROM channel) AS channels
"""
WHO = text("SELECT pg_backend_pid() AS pid, current_setting('app.shop_id', true) AS shop")
CHANNELS = text("SELECT shop_id FROM channel")


@pytest.fixture(scope="module")
def behind(postgres):
    """A database of which the application's role has a password."""
    if urlsplit(postgres.app_url).username == APPLICATION_ROLE:
        yield postgres
    else:
        with embedded_postgres() as own:
            yield own


@pytest.fixture(scope="module")
def pooler(behind):
    with pgbouncer(behind) as running:
        yield running


@pytest.fixture(scope="module")
async def database(behind):
    """The same database without the pooler."""
    opened = await Database.connect(behind.app_url)
    yield opened
    await opened.close()


@pytest.fixture(scope="module")
def pooled_settings(settings, behind, pooler):
    return dataclasses.replace(
        settings,
        database_url=Secret(pooler.url),
        owner_database_url=Secret(behind.owner_url),
        prepared_statements=pooler.knows_statements,
    )


@pytest.fixture(scope="module")
async def pooled(pooled_settings):
    """A client of the application behind the pooler."""
    application = create_app(pooled_settings)
    async with served(application) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
async def unpooled(pooled_settings, behind):
    """A client of the application that needs none."""
    direct = dataclasses.replace(pooled_settings, database_url=Secret(behind.app_url), prepared_statements=True)
    async with served(create_app(direct)) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
        yield client


@pytest.fixture
def api(pooled, pooled_settings, shop):
    return Api(pooled, pooled_settings, shop, replays=False)


@pytest.fixture
async def through(pooler):
    """The database behind the pooler."""
    opened = await Database.connect(
        pooler.url, is_prepared=pooler.knows_statements, pool_size=20, acquire_timeout_seconds=30
    )
    yield opened
    await opened.close()


@pytest.fixture
async def clients(pooler):
    """As many bare clients of the pooler as it has sessions, so that they get all of them when they begin together."""
    opened = [await asyncpg.connect(pooler.url, statement_cache_size=0) for _ in range(pooler.sessions)]
    yield opened
    for client in opened:
        await client.close()


async def states(clients):
    """Return what is left in each session of the pooler, by its process, as a new transaction finds it."""
    try:
        for client in clients:
            await client.execute("BEGIN")
        found = [dict(await client.fetchrow(SESSION_STATE)) for client in clients]
    finally:
        for client in clients:
            await client.execute("ROLLBACK")
    assert len({each["pid"] for each in found}) == len(clients)
    return sorted(found, key=lambda each: each["pid"])


def clean(found):
    """Tell whether nothing of anybody is left."""
    unset = {"shop": "", "actor": "", "timeout": "0", "read_only": "off", "isolation": "read committed"}
    rowless = {"role": APPLICATION_ROLE, "products": 0, "channels": 0}
    return [{**each, "pid": 0} for each in found] == [{"pid": 0, **unset, **rowless}] * len(found)


async def test_every_read_answers_as_without_the_pooler(pooled, unpooled, database, shop, clients):
    made = await catalogue(database, shop, 3)
    queries = [*(query_of(name, made) for name in READS), query_of_all(made)]
    headers = {"galleria-shop": shop.slug}
    for query in queries:
        # At its first sight graphql-core executes an operation, later on it is compiled and folded.
        answers = [
            (await client.post("/graphql", json={"query": query}, headers=headers)).json()
            for client in (unpooled, pooled, pooled, pooled)
        ]
        expected, *found = [answer.get("data") for answer in answers]
        assert expected, answers[0]
        assert found == [expected] * 3
    assert clean(await states(clients))


async def test_what_is_written_is_read_and_what_is_refused_is_not(api, clients):
    product = await done(api, "productCreate", "product { id version }", input={"name": "Shirt", "status": "ACTIVE"})
    variant = await done(
        api,
        "variantCreate",
        "variant { id }",
        input={"productId": product["id"], "sku": "S-1", "trackInventory": False},
    )
    again = {"productId": product["id"], "sku": "S-1", "trackInventory": False}
    assert await refusals(api, "variantCreate", input=again) == [("DUPLICATE", "input.sku")]
    answer = await api("query($id: ID!) { variant(id: $id) { product { name } } }", variant, role="owner")
    assert answer.data["variant"] == {"product": {"name": "Shirt"}}
    assert clean(await states(clients))


def changed(quantity):
    return {"stockChanged": {"variant": {"availability": {"quantity": quantity}}}}


async def test_a_subscription_hears_of_changes(api, database, shop, pooled, clients):
    stock = await stocked(database, api)
    follow = "subscription { stockChanged(after: 0) { ... on StockChanged { variant { availability { quantity } } } } }"
    async with socket(str(pooled.base_url), introduce=shop) as client:
        await client.subscribe("live", follow)
        for quantity in (3, 4):
            await stock.set(quantity)
            # What was before, and is told first, had other quantities.
            while (await client.receive())["payload"]["data"] != changed(quantity):
                pass
    assert clean(await states(clients))


async def test_concurrent_requests_of_two_shops_share_sessions_and_see_only_their_own(pooled, database, clients):
    shops_ = [await factories.shop(database) for _ in range(2)]
    for shop in shops_:
        for _ in range(3):
            await factories.sellable(database, shop, on_hand=1)
    queries = ("{ shop { slug } products(first: 5) { nodes { id } } }", "{ shop { slug } channels { id } }")

    async def ask(number):
        shop = shops_[number % 2]
        body = {"query": queries[number // 2 % 2]}
        return (await pooled.post("/graphql", json=body, headers={"galleria-shop": shop.slug})).json()

    own = [[await ask(number) for number in (which, which + 2)] for which in range(2)]
    answers = await asyncio.gather(*(ask(number) for number in range(REQUESTS)))

    for number, answer in enumerate(answers):
        assert answer["data"] == own[number % 2][number // 2 % 2]["data"]
        assert answer["data"]["shop"]["slug"] == shops_[number % 2].slug
    assert own[0][0]["data"]["products"] != own[1][0]["data"]["products"]
    assert clean(await states(clients))


async def test_transactions_of_many_tenants_share_two_sessions(through, database):
    tenants = [(await factories.shop(database)).id for _ in range(2)]

    async def read(number):
        tenant = through.of_tenant(tenants[number % 2], statement_timeout_seconds=30)
        try:
            [first] = await tenant.fetch(WHO, alone=number % 3 == 0)
            rows = await tenant.fetch(CHANNELS)
        finally:
            await tenant.close()
        assert uuid.UUID(first.shop) == tenants[number % 2]
        assert {row.shop_id for row in rows} == {tenants[number % 2]}
        return first.pid, number % 2

    seen = await asyncio.gather(*(read(number) for number in range(REQUESTS)))

    assert len({pid for pid, _ in seen}) == SESSIONS
    assert len(set(seen)) == 2 * SESSIONS


async def alone(tenant):
    await tenant.fetch(CHANNELS, alone=True)


async def snapshot(tenant):
    await tenant.fetch(CHANNELS)
    await tenant.fetch(WHO)


async def failing(tenant):
    await tenant.fetch(CHANNELS)
    with pytest.raises(asyncpg.DivisionByZeroError):
        await tenant.fetch(text("SELECT 1 / 0 AS nothing"))


async def too_slow(tenant):
    with pytest.raises(DeadlineExceeded):
        await tenant.fetch(text("SELECT pg_sleep(60)"))


async def cancelled(tenant):
    reading = asyncio.create_task(tenant.fetch(text("SELECT pg_sleep(60)")))
    await asyncio.wait({reading}, timeout=0.1)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading


async def written(tenant):
    async with tenant.write() as transaction:
        await transaction.execute(text("UPDATE channel SET name = 'written'"), {})
        await transaction.commit()


async def undone(tenant):
    async with tenant.write() as transaction:
        await transaction.execute(text("UPDATE channel SET name = 'undone'"), {})


async def refused(tenant):
    async with tenant.write() as transaction:
        domains = [shops.Domain(shop_id=tenant.tenant, host="shop.example") for _ in range(2)]
        with pytest.raises(ConstraintViolated):
            await transaction.add(*domains)


@pytest.mark.parametrize("ask", [alone, snapshot, failing, too_slow, cancelled, written, undone, refused])
async def test_nothing_of_a_tenant_is_left_in_a_session(through, shop, clients, ask):
    before = await states(clients)
    tenant = through.of_tenant(shop.id, statement_timeout_seconds=1, actor="staff:tester")
    await ask(tenant)
    await tenant.close()
    await through.reads.settled()
    await through.writes.settled()

    after = await states(clients)

    assert clean(before)
    assert clean(after)
    assert {each["pid"] for each in after} == {each["pid"] for each in before}


async def test_what_others_leave_in_a_session_is_not_seen_by_us(through, database, clients):
    mine, theirs = [(await factories.shop(database)).id for _ in range(2)]
    for client in clients:
        await client.execute("BEGIN")
    for client in clients:
        # What an application does that says SET where SET LOCAL is meant.
        await client.execute(f"SET SESSION app.shop_id = '{theirs}'")
    for client in clients:
        await client.execute("COMMIT")
    try:
        leaked = [[row["shop_id"] for row in await client.fetch("SELECT shop_id FROM channel")] for client in clients]
        rows = []
        for is_alone in (True, False):
            tenant = through.of_tenant(mine)
            rows += [row.shop_id for row in await tenant.fetch(CHANNELS, alone=is_alone)]
            await tenant.close()
        await through.reads.settled()
        async with through.of_tenant(mine).write() as transaction:
            rows += [row.shop_id for row in await transaction.execute(text("SELECT shop_id FROM channel"), {})]
        still = {each["shop"] for each in await states(clients)}
    finally:
        for client in clients:
            await client.execute("BEGIN")
        for client in clients:
            await client.execute("SET SESSION app.shop_id = ''")
        for client in clients:
            await client.execute("COMMIT")

    assert leaked == [[theirs]] * len(clients), "PgBouncer resets sessions: then this shows nothing"
    assert rows == [mine] * 3
    assert still == {str(theirs)}
    assert clean(await states(clients))


async def test_without_a_tenant_nothing_is_seen(through, database, shop):
    await factories.sellable(database, shop, on_hand=1)

    assert await through.fetch_platform(CHANNELS) == []


async def test_a_pooler_that_mixes_up_statements_is_told_at_the_start(pooled_settings, behind):
    await postgresql.reach(pooled_settings)

    with pgbouncer(behind, knows_statements=False) as forgetful:
        with_it = dataclasses.replace(pooled_settings, database_url=Secret(forgetful.url))
        await postgresql.reach(dataclasses.replace(with_it, prepared_statements=False))
        with pytest.raises(ConfigurationError, match="GALLERIA_PREPARED_STATEMENTS=off"):
            await postgresql.reach(dataclasses.replace(with_it, prepared_statements=True))


async def test_migrations_leave_no_lock_in_a_session(behind):
    with pgbouncer(Postgres(behind.owner_url, behind.owner_url)) as running:
        await migrations.upgrade(running.url)
        owner = await asyncpg.connect(behind.owner_url)
        query = (
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND ((classid::int8 << 32) | objid::int8) = $1"
        )
        held = await owner.fetchval(query, migrations._LOCK)
        await owner.close()

    assert held == 0


async def test_a_pooler_that_ignores_the_role_is_refused(behind):
    owners = Postgres(behind.owner_url, behind.owner_url)

    with (
        pgbouncer(owners, more="ignore_startup_parameters = role\n") as running,
        pytest.raises(ConfigurationError, match="DATABASE_URL must name the user galleria_app"),
    ):
        await Database.connect(running.url, is_prepared=False)
