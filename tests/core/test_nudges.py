"""Nudges reach every process that listens, and harm nobody where they do not."""

import asyncio
import contextlib
import uuid

import redis.asyncio

from core.nudges import CHANNEL, Nudges
from tests import servers


async def received(queue, tenant):
    """Wait for the nudge of a tenant; those of others, from other tests, pass by."""
    async with asyncio.timeout(5):
        while await queue.get() != tenant:
            continue


async def listening(url, queue):
    nudges = Nudges(redis.asyncio.from_url(url), queue.put_nowait)
    nudges.open()
    await nudges.is_listening.wait()
    return nudges


async def test_every_process_is_nudged(redis_url):
    queues = [asyncio.Queue(), asyncio.Queue()]
    first, second = [await listening(redis_url, queue) for queue in queues]
    tenant = uuid.uuid4()
    first.send(tenant)
    for queue in queues:
        await received(queue, tenant)
    await first.close()
    await second.close()


async def test_what_is_no_nudge_is_passed_over(redis_url):
    queue = asyncio.Queue()
    nudges = await listening(redis_url, queue)
    other = redis.asyncio.from_url(redis_url)
    tenant = uuid.uuid4()
    for text in (b"\xff", b"not an id", tenant.hex):
        await other.publish(CHANNEL, text)
    await received(queue, tenant)
    await other.aclose()
    await nudges.close()


async def test_a_connection_that_is_lost_is_made_again():
    queue = asyncio.Queue()
    with contextlib.ExitStack() as stack:
        url = stack.enter_context(servers.redis())
        nudges = await listening(url, queue)
        other = redis.asyncio.from_url(url)
        await other.client_kill_filter(_type="pubsub")
        tenant = uuid.uuid4()
        # Redis may count the connection that it is about to close.
        async with asyncio.timeout(30):
            while tenant not in queue._queue:
                await other.publish(CHANNEL, tenant.hex)
                await other.ping()
        await other.aclose()
        await nudges.close()


async def test_without_redis_nothing_fails():
    with contextlib.ExitStack() as stack:
        nudges = await listening(stack.enter_context(servers.redis()), asyncio.Queue())
        stack.close()
        nudges.send(uuid.uuid4())
        await nudges.close()
