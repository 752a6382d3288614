"""Clients that come and go leave nothing behind in a server."""

import asyncio

import redis.asyncio

from tests.proofs.conftest import IS_LONG
from tests.proofs.crowds import Balancer, running
from tests.proofs.following import SocketFollower, StreamFollower, any_fate
from tests.proofs.processes import OBSERVED, servers, until
from tests.proofs.writing import writer

CYCLES = 10_000 if IS_LONG else 300
WARM_UP = max(200, CYCLES // 5)
"""Cycles before the first look: connections to the database open when needed, and each keeps its statements."""

AT_ONCE = 20
EVENTS = 40
TIMEOUT_SECONDS = 1_800 if IS_LONG else 90
MOST_GROWN_BYTES = 8 * 1024 * 1024

LEVELS = (
    "galleria_feeds",
    "galleria_feed_subscribers",
    "galleria_sockets_open",
    "galleria_socket_operations_open",
    "galleria_streams",
)


async def come_and_go(identity, balancer, chance, *, after, by_stream):
    """Connect, subscribe, hear of some events or none, and disconnect in one way or another."""
    if by_stream:
        follower = StreamFollower(identity, balancer.pick, after=after, at_most=chance.randint(1, 30))
    else:
        follower = SocketFollower(identity, balancer.pick, after=after, fates=lambda: any_fate(chance))
    await follower.live()
    assert set(follower.memory.ends) <= {"reset", "closed", "mid-frame", "enough"}, follower.memory.ends


async def hear_live(site, follower, writing):
    """Follow until something was heard of that happened meanwhile."""
    async with running([follower]):
        await follower.memory.until(lambda memory: bool(memory.sequences))
        before = writing.written
        await writing.run(lambda: writing.written > before)
        await until(site.outbox.is_relayed)
        await follower.memory.has_heard((await site.outbox.sequences())[-1])


async def test_clients_that_come_and_go_leave_nothing(site, chance):
    async with (
        asyncio.timeout(TIMEOUT_SECONDS),
        servers(1, site.environ, command=OBSERVED) as [server],
        redis.asyncio.from_url(site.environ["REDIS_URL"]) as bus,
    ):
        balancer = Balancer([server])
        writing = await writer(site.database, site.shop, chance)
        await writing.run(lambda: writing.written > EVENTS, at_most=20)
        await until(site.outbox.is_relayed)

        # Always the same, since tokens and messages are kept for a while, up to a bound that is not looked for here.
        identities = [
            site.follows_stock() if number % 5 == 1 else site.follows_all(f"staff-{number}")
            for number in range(AT_ONCE)
        ]

        async def cycles(count):
            for first in range(0, count, AT_ONCE):
                # As many events each time: who hears of ever more needs ever more room on his way.
                after = (await site.outbox.sequences())[-1] - EVENTS
                async with asyncio.TaskGroup() as tasks:
                    for number, identity in enumerate(identities):
                        by_stream = number % 5 == 0
                        tasks.create_task(come_and_go(identity, balancer, chance, after=after, by_stream=by_stream))
                    if not first % (5 * AT_ONCE):
                        tasks.create_task(writing.write(3))

        async def is_quiet():
            metrics = await server.metrics()
            return not any(metrics[level] for level in LEVELS) and not server.connections()

        async def settled():
            await until(is_quiet)
            assert await bus.pubsub_channels(f"*{site.shop.id}*") == []
            return await server.tasks(), server.open_files(), server.resident_bytes()

        await hear_live(site, SocketFollower(identities[0], balancer.pick, after=0), writing)
        assert (await server.metrics())["galleria_feed_events_total"] > 0
        await cycles(WARM_UP)
        tasks, files, memory = await settled()
        await cycles(CYCLES)
        _, files_after, memory_after = await settled()

        async def is_as_before():
            return await server.tasks() <= tasks

        # Of what a server does beside, some comes and goes.
        await until(is_as_before, seconds=20)
    print(  # noqa: T201
        f"{CYCLES} cycles: {tasks} tasks again, {files_after - files:+} files, "
        f"{memory / 2**20:.1f} MiB resident {(memory_after - memory) / 2**20:+.1f}"
    )
    # Connections to the database and to Redis are kept, as many as were needed at once.
    assert files_after <= files + AT_ONCE
    assert memory_after - memory < MOST_GROWN_BYTES
