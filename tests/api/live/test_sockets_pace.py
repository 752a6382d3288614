"""Who catches up does so at his own pace, and at that of his budget; nobody is cut off for it."""

import asyncio
import contextlib
import dataclasses
import socket as sockets
from urllib.parse import urlsplit

import pytest

from core.budgets import budgets
from server.live import subscription
from server.live.bounds import Bounds
from tests.api.live.sockets import endpoint, refused, socket
from tests.api.live.test_sockets_callers import bearer
from tests.api.live.test_sse_lifecycle import narrow_listener
from tests.resolvers.feeding import announce, number

MISSED = 300
LARGE = " ".join(f"a{each}: id" for each in range(28))
EVENTS = f"subscription($after: BigInt) {{ events(after: $after) {{ ... on ShopEvent {{ sequence {LARGE} }} }} }}"
"""A message of some 1.7 kB."""


@pytest.fixture
def narrow(monkeypatch):
    """Servers of whose answers the system keeps little, so that they soon wait for the client to read."""

    monkeypatch.setattr("tests.servers.free_port", narrow_listener)


@pytest.fixture
async def last(database, shop):
    """The last of the events that were missed."""
    await announce(database, shop, MISSED)
    return await number(database, shop)


@contextlib.asynccontextmanager
async def reading_little(server, settings, shop):
    """Open a socket of staff that takes no more than its messages are read, but for some kilobytes."""
    address = urlsplit(server.url)
    with sockets.socket() as own:
        own.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4_096)
        own.setblocking(False)  # noqa: FBT003  (its only argument)
        await asyncio.get_running_loop().sock_connect(own, (address.hostname, address.port))
        async with socket(server.url, sock=own, max_queue=1) as client:
            await client.introduce(authorization=bearer(settings, shop))
            yield client


@contextlib.asynccontextmanager
async def resuming(server, settings, shop, *names):
    """Subscribe to all that there was."""
    async with reading_little(server, settings, shop) as client:
        for name in names:
            await client.subscribe(name, EVENTS, variables={"after": "0"})
        yield client


async def reads(client, count):
    """Return which subscriptions the next messages are of, and their sequences."""
    received = [await client.receive() for _ in range(count)]
    assert {each["type"] for each in received} == {"next"}, received[-1]
    return [(each["id"], int(each["payload"]["data"]["events"]["sequence"])) for each in received]


def waits(server):
    """Tell whether the server waits for its only client."""
    [connection] = server.sockets.connections
    return connection._outgoing._task is not None


@pytest.mark.usefixtures("narrow")
async def test_slow_reader_catches_up_without_being_closed(settings, shop, last):
    bounds = Bounds(waiting_frames=4, waiting_bytes=20_000)
    async with endpoint(settings, bounds) as server, resuming(server, settings, shop, "1") as client:
        heard = []
        while len(heard) < last:
            [connection] = server.sockets.connections
            await server.until(lambda: waits(server) or server.hub.statistics.delivered == last)
            assert connection.waiting <= 1
            heard += await reads(client, min(20, last - len(heard)))
        assert heard == [("1", each) for each in range(1, last + 1)]
        assert server.hub.statistics.opened == 1
        assert server.sample("galleria_socket_overruns_total") == 0


@pytest.mark.usefixtures("narrow")
async def test_subscriptions_of_a_slow_reader_catch_up_side_by_side(settings, shop, last):
    bounds = Bounds(waiting_frames=4)
    async with endpoint(settings, bounds) as server, resuming(server, settings, shop, "1", "2", "3") as client:
        await server.until(lambda: waits(server) and server.hub.statistics.opened == 3)
        heard = []
        while len(heard) < 3 * last:
            heard += await reads(client, min(50, 3 * last - len(heard)))
            # None is let wait until another one has caught up.
            assert len(heard) < last or {"1", "2", "3"} == {name for name, _ in heard}
        for name in ("1", "2", "3"):
            assert [sequence for each, sequence in heard if each == name] == list(range(1, last + 1))


@pytest.mark.usefixtures("narrow", "last")
async def test_who_catches_up_and_reads_nothing_is_closed(settings, shop):
    async with (
        endpoint(settings, Bounds(stall_seconds=0.3)) as server,
        resuming(server, settings, shop, "1") as client,
    ):
        await server.until(lambda: server.sample("galleria_socket_overruns_total") == 1)
        assert (await client.closed())[0] == 1013
        await server.until(lambda: server.open_subscriptions == 0)


@pytest.mark.usefixtures("narrow")
async def test_each_subscription_has_a_line_of_its_own(settings, shop, database, last):
    """What several subscriptions have waiting is more than what one of them may have."""
    bounds = Bounds(waiting_frames=100)
    async with endpoint(settings, bounds) as server, reading_little(server, settings, shop) as client:
        for name in ("1", "2", "3"):
            await client.subscribe(name, EVENTS, variables={"after": str(last)})
        await server.until(lambda: server.open_subscriptions == 3)
        [connection] = server.sockets.connections
        await announce(database, shop, 80)
        await server.until(lambda: connection.waiting > 100)
        heard = await reads(client, 3 * 80)
        assert len(heard) == 3 * 80
        assert server.sample("galleria_socket_overruns_total") == 0
        await announce(database, shop, 200)
        await server.until(lambda: server.sample("galleria_socket_overruns_total") == 1)
        assert (await client.closed())[0] == 1013


def poor(settings, budget):
    return dataclasses.replace(settings, budgets=budgets(budget), redis_url=None)


async def test_who_catches_up_waits_for_his_budget(settings, shop, last):
    async with (
        endpoint(poor(settings, "staff=100/200")) as server,
        resuming(server, settings, shop, "1") as client,
    ):
        assert await reads(client, last) == [("1", each) for each in range(1, last + 1)]
        assert server.hub.statistics.opened == 1


async def test_who_waits_for_his_budget_for_too_long_comes_again_later(settings, shop, last, monkeypatch):
    monkeypatch.setattr(subscription, "PATIENCE_SECONDS", 0.5)
    async with endpoint(poor(settings, "staff=60/1")) as server, resuming(server, settings, shop, "1") as client:
        message = await client.receive()
        while message["type"] == "next":
            heard = int(message["payload"]["data"]["events"]["sequence"])
            message = await client.receive()
        assert refused(message, "THROTTLED")
        extensions = message["payload"][0]["extensions"]
        assert (extensions["sequence"], heard < last) == (str(heard), True)
        # For the opening, and for some messages.
        assert extensions["retryAfterMs"] >= 30_000


async def test_who_hears_live_and_cannot_pay_does_not_come_again_at_once(settings, shop, database):
    async with endpoint(poor(settings, "staff=100/100")) as server, socket(server.url) as client:
        await client.introduce(authorization=bearer(settings, shop))
        await client.subscribe("1", EVENTS)
        await server.until(lambda: server.open_subscriptions == 1)
        await announce(database, shop, 1_000)
        message = await client.receive()
        while message["type"] == "next":
            message = await client.receive()
        assert refused(message, "THROTTLED")
        assert message["payload"][0]["extensions"]["retryAfterMs"] >= 1_000
