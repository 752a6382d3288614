"""Events go on while Redis is killed, hangs and comes back: none is missed, none comes twice, all are in order."""

import asyncio
import contextlib
import signal

import pytest

from core import redis_bus
from resolvers import feeds as feeds_module
from resolvers.feeds import Feeds
from tests import factories, servers
from tests.core.buses import bus_in_redis, free_port
from tests.resolvers.feeding import TIMEOUT_SECONDS, Heard, announce, number, relay, stored


@pytest.fixture
async def shops(database):
    return [await factories.shop(database) for _ in range(3)]


@pytest.fixture(autouse=True)
def short_patience(monkeypatch):
    monkeypatch.setattr(redis_bus, "PING_SECONDS", 0.1)
    monkeypatch.setattr(redis_bus, "PATIENCE_SECONDS", 0.3)


async def followed(feeds, shop):
    feed, heard = await feeds.follow(shop.id), Heard()
    position = feed.position
    feed.subscribe(heard)
    return feed, heard, position


async def relaying(database, bus, shops, until):
    """Relay events of all shops in turn until an event is set; wait a moment after each round for others to work."""
    while not until.is_set():
        for shop in shops:
            await relay(database, bus, shop, 2)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(until.wait(), 0.005)


async def more_than(heard, count=10):
    """Wait until some more events were heard."""
    await heard.reaches((heard.sequences or [0])[-1] + count)


async def test_nothing_is_missed_whatever_redis_does(database, shops):
    port, is_over = free_port(), asyncio.Event()
    url = f"redis://127.0.0.1:{port}/0"
    async with contextlib.AsyncExitStack() as stack:
        server = stack.enter_context(servers.redis_at(port))
        publisher, _ = await stack.enter_async_context(bus_in_redis(url))
        bus, reports = await stack.enter_async_context(bus_in_redis(url))
        feeds = Feeds(database, bus)
        follows = [await followed(feeds, shop) for shop in shops]
        going = asyncio.create_task(relaying(database, publisher, shops, is_over))
        heard = follows[0][1]
        async with asyncio.timeout(2 * TIMEOUT_SECONDS):
            await more_than(heard)
            assert feeds.statistics.polls == 0
            server.send_signal(signal.SIGKILL)
            await reports.away.wait()
            await more_than(heard)
            assert feeds.statistics.polls > 0
            server = stack.enter_context(servers.redis_at(port))
            await reports.healthy.wait()
            await more_than(heard)
            server.send_signal(signal.SIGSTOP)
            await reports.away.wait()
            await more_than(heard)
            server.send_signal(signal.SIGCONT)
            await reports.healthy.wait()
            await more_than(heard)
            is_over.set()
            await going
        for shop, (feed, subscriber, position) in zip(shops, follows, strict=True):
            await subscriber.reaches(await number(database, shop))
            assert subscriber.ids == await stored(database, shop, position)
            feeds.leave(feed)
        assert (bus.is_healthy, bus.statistics.reconnections) == (True, 2)
        assert len(bus._listeners) == 0


async def test_events_of_another_process_arrive_by_nudges(database, redis_url, shops, monkeypatch):
    monkeypatch.setattr(feeds_module, "LOOK_SECONDS", 3_600)
    async with bus_in_redis(redis_url) as (publisher, _), bus_in_redis(redis_url) as (bus, _):
        feeds = Feeds(database, bus)
        feed, heard, position = await followed(feeds, shops[0])
        for _ in range(20):
            await heard.reaches(await relay(database, publisher, shops[0], 1))
        assert heard.ids == await stored(database, shops[0], position)
        assert feeds.statistics.polls == 0
        feeds.leave(feed)


async def test_without_redis_events_are_polled(database, shops, monkeypatch):
    monkeypatch.setattr(feeds_module, "LOOK_SECONDS", 3_600)
    async with bus_in_redis(f"redis://127.0.0.1:{free_port()}/0", healthy=False) as (bus, _):
        feeds = Feeds(database, bus)
        follows = [await followed(feeds, shop) for shop in shops]
        for shop, (feed, heard, position) in zip(shops, follows, strict=True):
            await announce(database, shop, 3)
            await heard.reaches(await number(database, shop))
            assert heard.ids == await stored(database, shop, position)
            feeds.leave(feed)
        assert feeds.statistics.polls > 0
