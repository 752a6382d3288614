"""Probes, through HTTP."""

import asyncio

import asyncpg
import httpx
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from starlette.applications import Starlette

from core import migrations
from core.database import Database
from server import health
from server.health import Health, routes
from tests.core.connections import wait_for_lock
from tests.overload.faults import faulty
from tests.servers import served


class Dependencies:
    """Stands in for database, schema and Redis; each does what the test tells it to."""

    def __init__(self):
        self.pings = 0
        self.failure = None
        self.release = asyncio.Event()
        self.release.set()
        self.asked = asyncio.Event()
        self.installed = "0003"
        self.redis_failure = None
        self.busy = False
        self.looks = 0

    def is_at_work(self):
        return self.busy

    async def ping(self):
        self.pings += 1
        self.asked.set()
        await self.release.wait()
        if self.failure:
            raise self.failure

    async def revision(self):
        self.looks += 1
        return self.installed

    async def redis(self):
        if self.redis_failure:
            raise self.redis_failure


@pytest.fixture
async def dependencies():
    return Dependencies()


@pytest.fixture
def watched(dependencies):
    return Health(dependencies, dependencies.revision, oldest_revision="0003", redis=dependencies.redis)


@pytest.fixture
async def client(watched):
    async with served(Starlette(routes=routes(watched))) as address, httpx.AsyncClient(base_url=address) as client:
        yield client


async def test_a_process_that_answers_is_alive_whatever_the_database_does(client, dependencies, watched):
    dependencies.failure = OSError("connection refused")
    watched.is_draining = True
    answer = await client.get("/livez")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive", "checks": {}})
    assert dependencies.pings == 0


async def test_it_is_ready_when_everything_answers(client):
    answer = await client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "checks": {"database": "ok", "schema": "ok", "redis": "ok"}}
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"


async def test_without_redis_there_is_no_such_check(dependencies):
    plain = Health(dependencies, dependencies.revision, oldest_revision="0003")
    async with served(Starlette(routes=routes(plain))) as address, httpx.AsyncClient() as client:
        answer = await client.get(f"{address}/readyz")
    assert answer.json() == {"status": "ready", "checks": {"database": "ok", "schema": "ok"}}


async def test_a_database_that_refuses_makes_it_unready_and_is_not_quoted(client, dependencies):
    dependencies.failure = OSError("cannot reach db.internal with password canary")
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "unready",
        "checks": {"database": "failed; the log says how", "schema": "ok", "redis": "ok"},
    }
    dependencies.failure = None
    assert (await client.get("/readyz")).status_code == 200


async def test_a_database_that_hangs_makes_it_unready_in_time(client, dependencies, monkeypatch):
    monkeypatch.setattr(health, "PATIENCE_SECONDS", 0.05)
    dependencies.release.clear()
    async with asyncio.timeout(2):
        answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == "no answer in time"


def test_the_database_has_a_second():
    assert health.PATIENCE_SECONDS == 1


@pytest.mark.parametrize(
    ("installed", "status", "schema"),
    [
        (None, 503, "not migrated; run the migrations"),
        ("0002", 503, "at revision 0002, needs 0003; run the migrations"),
        ("0003", 200, "ok"),
        ("0004", 200, "ok"),
    ],
)
async def test_the_schema_must_be_as_new_as_the_release(client, dependencies, installed, status, schema):
    dependencies.installed = installed
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]["schema"]) == (status, schema)


async def test_a_lost_redis_degrades(client, dependencies):
    dependencies.redis_failure = ConnectionError("redis.internal is down")
    answer = await client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["checks"]["redis"] == "failed; the log says how"


@pytest.mark.parametrize("redis", [True, False])
async def test_a_lost_bus_degrades_and_says_what_that_means(dependencies, redis):
    bus = [False]
    real = Health(
        dependencies,
        dependencies.revision,
        oldest_revision="0003",
        redis=dependencies.ping if redis else None,
        is_bus_healthy=lambda: bus[0],
    )
    why = "away" if redis else "set REDIS_URL, since others relay"
    async with served(Starlette(routes=routes(real))) as address, httpx.AsyncClient(base_url=address) as client:
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
        assert answer.json()["checks"]["bus"] == f"{why}; live events are polled"
        bus[0] = True
        answer = await client.get("/readyz")
        assert answer.json()["status"] == "ready"
        assert answer.json()["checks"].items() >= {"database": "ok", "schema": "ok", "bus": "ok"}.items()


async def test_a_draining_process_is_not_ready_and_asks_nobody(client, dependencies, watched):
    watched.is_draining = True
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "draining", "checks": {}})
    assert dependencies.pings == 0


async def test_it_has_started_when_it_says_so(client, watched):
    answer = await client.get("/startupz")
    assert (answer.status_code, answer.json()["status"]) == (503, "starting")
    watched.is_started = True
    answer = await client.get("/startupz")
    assert (answer.status_code, answer.json()["status"]) == (200, "started")


async def test_probes_at_the_same_time_share_one_check(watched, dependencies):
    dependencies.release.clear()
    probes = [asyncio.create_task(watched.checks()) for _ in range(20)]
    await dependencies.asked.wait()
    dependencies.release.set()
    assert all(checks["database"] == "ok" for checks in await asyncio.gather(*probes))
    assert dependencies.pings == 1


async def test_probes_are_answered_to_head_and_refused_to_post(client):
    assert (await client.head("/readyz")).status_code == 200
    assert (await client.post("/readyz")).status_code == 405


async def test_a_migrated_database_is_ready_until_it_is_gone(postgres):
    database = await Database.connect(postgres.app_url)
    newest = migrations.newest_revision()
    real = Health(database, lambda: migrations.current_revision(database), oldest_revision=newest)
    async with served(Starlette(routes=routes(real))) as address, httpx.AsyncClient(base_url=address) as client:
        answer = await client.get("/readyz")
        assert answer.json() == {"status": "ready", "checks": {"database": "ok", "schema": "ok"}}
        await database.close()
        answer = await client.get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (503, "unready")


async def test_a_database_that_answers_others_is_not_asked(watched, dependencies):
    dependencies.busy = True
    # What is not known yet is asked for nevertheless.
    assert set((await watched.checks()).values()) == {"ok"}
    assert (dependencies.pings, dependencies.looks) == (0, 1)
    assert set((await watched.checks()).values()) == {"ok"}
    assert (dependencies.pings, dependencies.looks) == (0, 1)
    dependencies.busy = False
    assert set((await watched.checks()).values()) == {"ok"}
    assert (dependencies.pings, dependencies.looks) == (1, 2)


async def test_a_busy_database_at_an_older_schema_is_looked_at_until_it_is_not(watched, dependencies):
    dependencies.busy, dependencies.installed = True, "0002"
    assert "needs 0003" in (await watched.checks())["schema"]
    assert "needs 0003" in (await watched.checks())["schema"]
    dependencies.installed = "0003"
    assert (await watched.checks())["schema"] == "ok"


@pytest.fixture
async def held(postgres, shop):
    """A database whose only connection waits for a lock until the test is over."""
    holder = await asyncpg.connect(postgres.owner_url)
    await holder.execute("SELECT pg_advisory_lock(991)")
    database = await Database.connect(postgres.app_url, pool_size=1, acquire_timeout_seconds=10)
    tenant = database.of_tenant(shop.id, statement_timeout_seconds=60)
    waiting = asyncio.create_task(tenant.fetch(text("SELECT pg_advisory_xact_lock_shared(991)"), alone=True))
    await wait_for_lock(holder, 991)
    yield database
    await holder.close()
    await waiting
    await tenant.close()
    await database.close()


@pytest.mark.parametrize("heard", ["just now", "a while ago"])
async def test_a_pool_that_is_used_up_by_slow_statements_is_ready(held, heard):
    if heard == "a while ago":
        held.reads._heard_at -= 60
    assert held.is_at_work() is (heard == "just now")
    newest = migrations.newest_revision()
    real = Health(held, lambda: migrations.current_revision(held), oldest_revision=newest)
    async with served(Starlette(routes=routes(real))) as address, httpx.AsyncClient(base_url=address) as client:
        for _ in range(2):
            answer = await client.get("/readyz")
            assert (answer.status_code, answer.json()["checks"]) == (200, {"database": "ok", "schema": "ok"})
    assert held.reads.in_use == 1


async def test_a_pool_that_is_used_up_by_a_server_that_is_silent_is_unready(postgres):
    async with faulty(postgres.app_url) as (faults, url):
        database = await Database.connect(url, pool_size=1)
        newest = migrations.newest_revision()
        real = Health(database, lambda: migrations.current_revision(database), oldest_revision=newest)
        taken = await database.reads.acquire()
        assert await real.checks() == {"database": "ok", "schema": "ok"}
        faults.swallow()
        database.reads._heard_at -= 60
        assert await real.checks() == {"database": "no answer in time", "schema": "no answer in time"}
        taken.driver.terminate()
        database.reads.settle(taken)
        await database.close()


async def test_metrics_say_what_the_probe_said_last(client, dependencies, watched):
    registry = CollectorRegistry()
    health.watch_health(registry, watched)

    def shown():
        return [registry.get_sample_value(name) for name in ("galleria_ready", "galleria_degraded")]

    assert shown() == [None, None]
    await client.get("/readyz")
    assert shown() == [1, 0]
    dependencies.redis_failure = ConnectionError("redis.internal is down")
    await client.get("/readyz")
    assert shown() == [1, 1]
    dependencies.failure = OSError("connection refused")
    await client.get("/readyz")
    assert shown() == [0, 0]
