"""Relays number events: without a gap, none twice, none lost, whoever runs beside them or dies."""

import asyncio
import contextlib
import os
import signal
import sys
import time
from pathlib import Path

import asyncpg
import pytest

from core import embedded, migrations
from core.bus import Nudge
from core.database import Database
from jobs import relay as jobs
from jobs.relay import Relay
from models import outbox
from server.relaying import relaying
from tests.jobs.outboxes import check, shops_of, until, waiting, write, write_many
from tests.servers import folder

ROOT = Path(__file__).parent.parent.parent
EVENTS = int(os.environ.get("GALLERIA_TEST_EVENTS", "4000"))
"""Events of the test that kills; 100,000 take some minutes."""


@pytest.fixture(scope="module")
def place():
    with folder() as made:
        yield made / "postgresql"


@pytest.fixture(scope="module")
async def server(place):
    """A PostgreSQL of the module's own, whose events nobody else relays."""
    started = [embedded.start(place, durable=False)]
    await migrations.upgrade(started[0].url("galleria_owner"))
    yield started
    started[-1].stop()


@pytest.fixture
async def own(server):
    database = Database.of(server[-1].url("galleria_app"))
    yield database
    await database.close()


@pytest.fixture
async def owner(server):
    connection = await asyncpg.connect(server[-1].url("galleria_owner"))
    yield connection
    with contextlib.suppress(Exception):
        await connection.close()


class Heard:
    """Takes what is published."""

    def __init__(self):
        self.nudges: list[Nudge] = []
        self.news = asyncio.Event()

    async def publish(self, nudges):
        self.nudges += nudges
        self.news.set()

    def last(self, shop_id):
        return max((nudge.sequence for nudge in self.nudges if nudge.shop_id == shop_id), default=0)


def relay_of(server, heard, **settings):
    return Relay(Database.of(server[-1].url("galleria_app"), pool_size=3), heard.publish, **settings)


async def drained(relay):
    while await relay.relay_once():
        pass


async def follow(own, shop_id, until_sequence):
    """Read a shop's events as they come, and fail where one is seen before those that belong in front of it."""
    seen = 0
    while seen < until_sequence():
        tenant = own.of_tenant(shop_id)
        rows = await tenant.fetch(outbox.events_after, alone=True, after=seen, limit=50)
        await tenant.close()
        assert [row.sequence for row in rows] == list(range(seen + 1, seen + 1 + len(rows)))
        seen += len(rows)
    return seen


async def test_several_relays_number_what_is_written_beside_them(server, own, owner):
    shops = await shops_of(own, 20)
    heard, totals = Heard(), dict.fromkeys(shops, 10**9)
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(3):
            await stack.enter_async_context(relaying(relay_of(server, heard, at_most=100)))
        readers = [asyncio.create_task(follow(own, shop, lambda shop=shop: totals[shop])) for shop in shops]
        kept = await write_many(own, shops, 5_000)
        for shop in shops:
            totals[shop] = await owner.fetchval("SELECT count(*) FROM outbox_event WHERE shop_id = $1", shop)
        seen = await asyncio.wait_for(asyncio.gather(*readers), 30)

        async def told():
            return all(heard.last(shop) == totals[shop] for shop in shops)

        await until(told)

    assert seen == [totals[shop] for shop in shops]
    assert sum(map(len, kept.values())) == 5_000
    await check(owner, kept)


async def test_a_relay_leaves_shops_that_another_has_and_numbers_on_from_there(server, own, owner):
    first, second = await shops_of(own, 2)
    heard = Heard()
    relay = relay_of(server, heard)
    await drained(relay)
    await write(own, first, 3)
    await write(own, second, 3)
    async with owner.transaction():
        await owner.execute("SELECT FROM outbox_position WHERE shop_id = $1 FOR UPDATE", first)
        before = heard.last(first)
        assert await relay.relay_once() == 3
        assert (heard.last(first), await waiting(owner, [first])) == (before, 3)
    assert await relay.relay_once() == 3
    assert heard.last(first) == before + 3
    await relay.database.close()


async def test_later_changes_of_a_row_come_later(server, own, owner):
    [shop] = await shops_of(own, 1)
    relay = relay_of(server, Heard(), at_most=7)
    ids = [each for _ in range(10) for each in await write(own, shop, 3)]
    await drained(relay)
    rows = await owner.fetch(
        "SELECT aggregate_id FROM outbox_event WHERE shop_id = $1 AND aggregate = 'product' ORDER BY sequence", shop
    )
    assert [row["aggregate_id"] for row in rows] == ids
    await relay.database.close()


async def test_what_this_process_commits_is_told_at_once(server, own):
    [shop] = await shops_of(own, 1)
    heard = Heard()
    relay = relay_of(server, heard)
    async with relaying(relay):
        times = []
        for _ in range(20):
            await asyncio.sleep(jobs.LONGEST_PAUSE_SECONDS / 7)
            heard.news.clear()
            expected = heard.last(shop)
            await write(own, shop, 2)
            started = time.perf_counter()
            relay.wake()
            while heard.last(shop) == expected:
                heard.news.clear()
                await asyncio.wait_for(heard.news.wait(), 5)
            times.append(time.perf_counter() - started)
    assert sorted(times)[len(times) // 2] < 0.02
    print(f"commit to relayed: median {sorted(times)[10] * 1000:.1f} ms, most {max(times) * 1000:.1f} ms")  # noqa: T201


async def test_what_others_commit_is_found_without_being_woken(server, own):
    [shop] = await shops_of(own, 1)
    heard = Heard()
    async with relaying(relay_of(server, heard)):
        await write(own, shop, 1)

        async def told():
            return heard.last(shop) > 0

        await until(told, seconds=5)


async def test_old_events_go_and_the_first_that_is_kept_is_known(server, own, owner):
    old, young = await shops_of(own, 2)
    relay = relay_of(server, Heard(), retention_days=30)
    for shop in (old, young):
        await write(own, shop, 1_500)
    await drained(relay)
    last = await owner.fetchval("SELECT sequence FROM outbox_position WHERE shop_id = $1", old)
    await owner.execute(
        "UPDATE outbox_event SET relayed_at = now() - interval '31 days' WHERE shop_id = $1 AND sequence <= 1200", old
    )
    await relay.expire()

    assert relay.backlog.expired == 1_200
    for shop, oldest in ((old, 1_201), (young, 1)):
        tenant = own.of_tenant(shop)
        [position] = await tenant.fetch(outbox.position, alone=True)
        [first] = await tenant.fetch(outbox.events_after, alone=True, after=0, limit=1)
        await tenant.close()
        assert (position.oldest, position.sequence, first.sequence) == (oldest, last, oldest)

    await owner.execute("UPDATE outbox_event SET relayed_at = now() - interval '31 days' WHERE shop_id = $1", old)
    await relay.expire()
    assert await owner.fetchval("SELECT oldest FROM outbox_position WHERE shop_id = $1", old) == last + 1
    await write(own, old, 1)
    await drained(relay)
    assert await owner.fetchval("SELECT max(sequence) FROM outbox_event WHERE shop_id = $1", old) == last + 1
    await relay.database.close()


async def test_what_waits_is_measured(server, own, owner):
    [shop] = await shops_of(own, 1)
    relay = relay_of(server, Heard())
    await drained(relay)
    await relay.measure()
    assert (relay.backlog.waiting, relay.backlog.lag_seconds) == (0, 0)
    before = relay.backlog.relayed
    await write(own, shop, 4)
    await owner.execute("UPDATE outbox_event SET created_at = now() - interval '1 hour' WHERE sequence IS NULL")
    await relay.measure()
    assert relay.backlog.waiting == 4
    assert 3_600 <= relay.backlog.lag_seconds < 3_660
    await drained(relay)
    await relay.measure()
    assert (relay.backlog.relayed, relay.backlog.lag_seconds) == (before + 4, 0)
    await relay.database.close()


async def test_what_waits_is_measured_while_old_events_go(server, own, owner, monkeypatch):
    monkeypatch.setattr(jobs, "_SAMPLE_SECONDS", 0.01)
    [shop] = await shops_of(own, 1)
    relay = relay_of(server, Heard())
    await write(own, shop, 3)
    await drained(relay)
    await owner.execute("UPDATE outbox_event SET relayed_at = now() - interval '31 days' WHERE shop_id = $1", shop)
    seen = set()

    async def waits():
        return await owner.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted")

    async def measured():
        seen.add(relay.backlog.seen_at)
        return len(seen) > 3

    async def gone():
        return relay.backlog.expired >= 3

    async with contextlib.AsyncExitStack() as stack:
        transaction = owner.transaction()
        await transaction.start()
        await owner.execute("SELECT FROM outbox_event WHERE shop_id = $1 FOR UPDATE", shop)
        await stack.enter_async_context(relaying(relay))
        await until(waits, seconds=10)
        await until(measured, seconds=jobs._PATIENCE_SECONDS / 2)
        assert relay.backlog.expired == 0
        await transaction.rollback()
        await until(gone, seconds=20)


async def test_a_relay_outlives_the_database_and_says_so_once(server, place, monkeypatch):
    first = Database.of(server[-1].url("galleria_app"))
    [shop] = await shops_of(first, 1)
    await write(first, shop, 5)
    reports, healed, failed, heard = [], asyncio.Event(), asyncio.Event(), Heard()

    def report(error):
        reports.append(error)
        (healed if error is None else failed).set()

    async with relaying(relay_of(server, heard, report=report)):
        while not heard.last(shop):
            await heard.news.wait()
            heard.news.clear()
        await write(first, shop, 5)
        await first.close()
        await asyncio.to_thread(server[-1].stop)
        await asyncio.wait_for(failed.wait(), 10)
        monkeypatch.setattr(embedded, "_free_port", lambda: server[-1].port)
        server.append(await asyncio.to_thread(embedded.start, place, durable=False))
        await asyncio.wait_for(healed.wait(), 10)
        again = Database.of(server[-1].url("galleria_app"))
        await write(again, shop, 5)
        total = heard.last(shop)

        async def told():
            tenant = again.of_tenant(shop)
            rows = await tenant.fetch(outbox.events_after, alone=True, after=0, limit=100)
            await tenant.close()
            return len([row for row in rows if row.aggregate == "product"]) == 15

        await until(told, seconds=10)
        await again.close()
    assert total >= 5
    assert [error is None for error in reports] == [False, True]


async def start(server):
    """Start a relay as a process of its own, and wait until it relays."""
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PATH", "HOME", "COVERAGE_"))}
    url = server[-1].url("galleria_app")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "server", "relay"),
        cwd=ROOT,
        env=kept | {"GALLERIA_ENVIRONMENT": "development", "DATABASE_URL": url},
        stderr=asyncio.subprocess.PIPE,
    )
    while b"Relaying" not in (line := await asyncio.wait_for(process.stderr.readline(), 30)):
        assert line, "the relay did not start"
    return process


async def test_killed_relays_lose_nothing_and_tell_nothing_twice(server, own, owner):
    shops = await shops_of(own, 10)
    writing = asyncio.create_task(write_many(own, shops, EVENTS))
    kills = 0
    while not writing.done() or kills < 3:
        process = await start(server)
        before = await waiting(owner, shops)

        async def moved(before=before):
            return writing.done() or await waiting(owner, shops) != before

        await until(moved)
        process.send_signal(signal.SIGKILL)
        await process.communicate()
        kills += 1
    kept = await writing
    process = await start(server)

    async def done():
        return not await waiting(owner, shops)

    await until(done, seconds=120)
    process.send_signal(signal.SIGTERM)
    await process.communicate()
    assert process.returncode == 0
    assert sum(map(len, kept.values())) == EVENTS
    await check(owner, kept)
    print(f"{EVENTS} events, {kills} relays killed")  # noqa: T201
