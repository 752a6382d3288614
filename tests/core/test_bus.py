"""Both buses keep the same promises; and the one in Redis bears whatever Redis does."""

import asyncio
import contextlib
import gc
import signal
import uuid

import pytest
import redis.asyncio

from core import redis_bus
from core.bus import BEGUN, Bus, BusInProcess, Nudge
from core.redis_bus import PREFIX
from tests import servers
from tests.core.buses import TIMEOUT_SECONDS, Ear, bus_in_redis, free_port, pair


@pytest.fixture(params=["in process", "redis"])
async def ends(request, redis_url):
    """Who publishes, and who listens."""
    async with pair(request.param, redis_url) as both:
        yield both


async def listening(bus: Bus, shop_id):
    """An ear that has begun to listen."""
    ear = Ear()
    end = bus.listen(shop_id, ear)
    await ear.hears(BEGUN)
    return ear, end


async def test_both_are_healthy(ends):
    assert [bus.is_healthy for bus in ends] == [True, True]


async def test_nudges_are_heard_in_order(ends):
    publisher, listener = ends
    shop_id = uuid.uuid4()
    ear, end = await listening(listener, shop_id)
    for sequence in range(1, 6):
        await publisher.publish([Nudge(shop_id, sequence)])
        await ear.hears(sequence)
    assert ear.heard == []
    end()


async def test_of_many_at_once_the_last_is_heard(ends):
    publisher, listener = ends
    shops = [uuid.uuid4() for _ in range(20)]
    ears = [await listening(listener, shop_id) for shop_id in shops]
    await publisher.publish([Nudge(shop_id, sequence) for sequence in range(1, 51) for shop_id in shops])
    for ear, end in ears:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await ear.hears(50)
        assert ear.heard == []
        end()


async def test_a_shop_hears_nothing_of_another(ends):
    publisher, listener = ends
    own, foreign = uuid.uuid4(), uuid.uuid4()
    ear, end = await listening(listener, own)
    await publisher.publish([Nudge(foreign, 7)])
    await publisher.publish([Nudge(own, 8)])
    await ear.hears(8)
    assert ear.heard == []
    assert 7 not in ear.sequences
    end()


async def test_all_who_listen_to_a_shop_hear_it(ends):
    publisher, listener = ends
    shop_id = uuid.uuid4()
    ears = [await listening(listener, shop_id) for _ in range(3)]
    ears += [await listening(publisher, shop_id)]
    await publisher.publish([Nudge(shop_id, 3)])
    for ear, end in ears:
        await ear.hears(3)
        end()


async def test_who_has_ended_hears_no_more_and_the_others_do(ends):
    publisher, listener = ends
    shop_id = uuid.uuid4()
    gone, end_gone = await listening(listener, shop_id)
    ear, end = await listening(listener, shop_id)
    end_gone()
    end_gone()
    gone.heard.clear()
    await publisher.publish([Nudge(shop_id, 1)])
    await ear.hears(1)
    assert gone.heard == []
    end()


async def test_listening_again_begins_again(ends):
    publisher, listener = ends
    shop_id = uuid.uuid4()
    _, end = await listening(listener, shop_id)
    end()
    ear, end = await listening(listener, shop_id)
    await publisher.publish([Nudge(shop_id, 1)])
    await ear.hears(1)
    end()


async def test_one_that_fails_does_not_keep_others_from_hearing(ends):
    publisher, listener = ends
    shop_id, troubles = uuid.uuid4(), []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, trouble: troubles.append(trouble["exception"]))
    end_failing = listener.listen(shop_id, lambda sequence: 1 // (sequence - 1))
    ear, end = await listening(listener, shop_id)
    await publisher.publish([Nudge(shop_id, 1)])
    await ear.hears(1)
    loop.set_exception_handler(None)
    assert [type(trouble) for trouble in troubles] == [ZeroDivisionError]
    end_failing()
    end()


async def test_nothing_is_left_of_those_who_ended(ends):
    _, listener = ends
    shops = [uuid.uuid4() for _ in range(1_000)]
    for shop_id in shops:
        listener.listen(shop_id, Ear())()
    # What is behind them on the connection is answered after them.
    _, end = await listening(listener, uuid.uuid4())
    end()
    await listening(listener, uuid.uuid4())
    assert len(listener._listeners) == 1
    gc.collect()
    assert sum(isinstance(each, Ear) for each in gc.get_objects()) <= 2


async def test_figures_are_kept():
    bus, shop_id = BusInProcess(), uuid.uuid4()
    await bus.publish([Nudge(shop_id, 1), Nudge(shop_id, 2)])
    assert (bus.statistics.published, bus.statistics.heard, bus.statistics.reconnections) == (2, 2, 0)


async def test_redis_keeps_subscriptions_of_those_who_listen_only(redis_url):
    shop_id = uuid.uuid4()
    client = redis.asyncio.from_url(redis_url)
    channel = PREFIX + shop_id.hex.encode()
    async with bus_in_redis(redis_url) as (bus, _):
        _, end_first = await listening(bus, shop_id)
        _, end_second = await listening(bus, shop_id)
        assert await client.pubsub_numsub(channel) == [(channel, 1)]
        end_first()
        end_second()
        _, end = await listening(bus, uuid.uuid4())
        assert await client.pubsub_numsub(channel) == [(channel, 0)]
        end()
    await client.aclose()


async def test_of_what_is_sent_together_the_highest_stands_for_all(redis_url):
    shop_id = uuid.uuid4()
    async with pair("redis", redis_url) as (publisher, listener):
        ear, end = await listening(listener, shop_id)
        await publisher.publish([Nudge(shop_id, 5), Nudge(shop_id, 3)])
        await ear.hears(5)
        assert (ear.heard, publisher.statistics.published) == ([], 1)
        end()


async def test_a_process_has_one_connection():
    with servers.redis() as url:
        client = redis.asyncio.from_url(url)
        async with bus_in_redis(url) as (bus, _):
            shop_id = uuid.uuid4()
            ear, end = await listening(bus, shop_id)
            await bus.publish([Nudge(shop_id, 1)])
            await ear.hears(1)
            await ear.hears(1)  # Once within the process, and once by Redis.
            assert bus.statistics.published == bus.statistics.heard == 1
            assert len(await client.client_list()) == 2
            end()
        async with asyncio.timeout(10):
            # Redis takes note of it in its own time.
            while len(await client.client_list()) > 1:
                continue
        await client.aclose()


@pytest.mark.parametrize("text", [b"", b"many", b"\xff", b"1" * 5_000, b"-"])
async def test_what_is_no_nudge_is_passed_over(redis_url, text):
    shop_id = uuid.uuid4()
    client = redis.asyncio.from_url(redis_url)
    async with bus_in_redis(redis_url) as (bus, reports):
        ear, end = await listening(bus, shop_id)
        channel = PREFIX + shop_id.hex.encode()
        await client.publish(channel, text)
        await client.publish(channel, b"5")
        await ear.hears(5)
        assert (bus.is_healthy, reports.failures) == (True, [])
        end()
    await client.aclose()


@pytest.fixture
def port():
    return free_port()


async def test_a_redis_that_is_killed_and_started_again_is_noticed_both_times(port):
    shops = [uuid.uuid4() for _ in range(3)]
    url = f"redis://127.0.0.1:{port}/0"
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(servers.redis_at(port))
        async with bus_in_redis(url) as (bus, reports), bus_in_redis(url) as (other, other_reports):
            ears = [await listening(bus, shop_id) for shop_id in shops]
            server.send_signal(signal.SIGKILL)
            await reports.away.wait()
            await other_reports.away.wait()
            assert (bus.is_healthy, other.is_healthy) == (False, False)
            # Neither raises nor waits; who is in the process hears it all the same.
            await bus.publish([Nudge(shops[0], 1)])
            assert ears[0][0].sequences == [1]
            ears[2][1]()
            stack.enter_context(servers.redis_at(port))
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await reports.healthy.wait()
                await other_reports.healthy.wait()
            for ear, _ in ears[:2]:
                await ear.hears(BEGUN)
            assert BEGUN not in ears[2][0].heard
            assert (bus.is_healthy, bus.statistics.reconnections) == (True, 1)
            for (ear, _), shop_id in zip(ears[:2], shops, strict=False):
                await other.publish([Nudge(shop_id, 9)])
                await ear.hears(9)
            assert len(reports.failures) == 1


async def test_a_redis_that_hangs_is_noticed_and_so_is_its_return(port, monkeypatch):
    monkeypatch.setattr(redis_bus, "PING_SECONDS", 0.1)
    monkeypatch.setattr(redis_bus, "PATIENCE_SECONDS", 0.3)
    shop_id = uuid.uuid4()
    url = f"redis://127.0.0.1:{port}/0"
    with servers.redis_at(port) as server:
        async with bus_in_redis(url) as (bus, reports):
            ear, _ = await listening(bus, shop_id)
            server.send_signal(signal.SIGSTOP)
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await reports.away.wait()
            assert not bus.is_healthy
            assert isinstance(reports.failures[0], TimeoutError)
            server.send_signal(signal.SIGCONT)
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await reports.healthy.wait()
            await ear.hears(BEGUN)
            ear.heard.clear()
            await bus.publish([Nudge(shop_id, 4)])
            await ear.hears(4)
            await ear.hears(4)


def test_a_hung_redis_is_noticed_within_two_seconds():
    assert redis_bus.PING_SECONDS + redis_bus.PATIENCE_SECONDS == 2


async def test_without_redis_it_waits_for_one(port):
    shop_id = uuid.uuid4()
    async with bus_in_redis(f"redis://127.0.0.1:{port}/0", healthy=False) as (bus, reports):
        ear = Ear()
        bus.listen(shop_id, ear)
        await bus.publish([Nudge(shop_id, 1)])
        assert (bus.is_healthy, ear.heard) == (False, [1])
        with servers.redis_at(port):
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await reports.healthy.wait()
            # Of what could not be published, the last of each shop is published now.
            await ear.hears(1)
            await ear.hears(1)


async def test_nothing_gathers_while_redis_is_away(port):
    async with bus_in_redis(f"redis://127.0.0.1:{port}/0", healthy=False) as (bus, reports):
        for _ in range(1_000):
            bus.listen(uuid.uuid4(), Ear())()
        assert (len(bus._listeners), len(bus._subscribing)) == (0, 0)
        assert len(reports.failures) == 1


async def test_a_connection_that_is_cut_is_made_again(redis_url):
    async with redis.asyncio.from_url(redis_url) as client:
        # Connections of other tests may not have ended yet.
        others = {each["id"] for each in await client.client_list(_type="pubsub")}
        async with bus_in_redis(redis_url) as (bus, reports):
            ear, _ = await listening(bus, uuid.uuid4())
            [own] = [each["id"] for each in await client.client_list(_type="pubsub") if each["id"] not in others]
            await client.client_kill_filter(_id=own)
            await reports.away.wait()
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await reports.healthy.wait()
            await ear.hears(BEGUN)
