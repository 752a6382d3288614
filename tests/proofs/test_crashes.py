"""Servers that are killed while things happen lose no event, and tell none twice."""

import asyncio
import itertools

from tests.proofs.conftest import IS_LONG
from tests.proofs.crowds import Balancer, running, settled
from tests.proofs.following import SocketFollower, StreamFollower
from tests.proofs.processes import relay, servers
from tests.proofs.writing import keeper, writer

EVENTS, ROUNDS = (100_000, 20) if IS_LONG else (2_000, 3)
AT_ONCE = 20 if IS_LONG else 5
TIMEOUT_SECONDS = 3_000 if IS_LONG else 120


async def test_killed_servers_lose_nothing(site, chance):
    async with asyncio.timeout(TIMEOUT_SECONDS), servers(2, site.environ) as started:
        balancer = Balancer(started)
        writers = [await writer(site.database, site.shop, chance) for _ in range(2)]
        keeping = await keeper(site.database, site.shop, site.staff("keeper"), balancer.pick)
        all_of = [SocketFollower(site.follows_all(f"staff-{number}"), balancer.pick, after=0) for number in range(4)]
        all_of += [StreamFollower(site.follows_all(f"stream-{number}"), balancer.pick, after=0) for number in range(2)]
        stock_of = [SocketFollower(site.follows_stock(), balancer.pick, after=0) for _ in range(3)]
        # One after the other, and all at once: then nobody relays, and nobody is there to be asked.
        victims = itertools.cycle([started[:1], started[1:], started])
        quota, kills, is_over = 0, 0, asyncio.Event()

        def is_enough():
            return sum(each.written for each in writers) >= quota

        async with running([*all_of, *stock_of]) as tasks:
            keeping_on = tasks.create_task(keeping.run(is_over.is_set))
            for _ in range(ROUNDS):
                quota += EVENTS // (ROUNDS + 1)
                chosen, before = next(victims), writers[0].written
                writing_on = [tasks.create_task(each.run(is_enough, at_most=AT_ONCE)) for each in writers]
                await writers[0].reaches(before + chance.randint(1, EVENTS // (ROUNDS + 1) // 4))
                await asyncio.gather(*map(balancer.kill, chosen))
                kills += len(chosen)
                await asyncio.gather(*writing_on, *map(balancer.start, chosen))
            quota = EVENTS
            await asyncio.gather(*(each.run(is_enough, at_most=AT_ONCE) for each in writers))
            is_over.set()
            await keeping_on
            memories = [[each.memory for each in followers] for followers in (all_of, stock_of)]
            count = await settled(site.outbox, *memories)
            counted = await site.outbox.counted(keeping.variant)
    assert count >= EVENTS
    assert len(counted) == len(set(counted))
    assert set(keeping.confirmed) <= set(counted), "a change was confirmed, and nobody was told of it"
    assert all(follower.memory.ends for follower in (*all_of, *stock_of))
    print(  # noqa: T201
        f"{count} events, {kills} servers killed, {len(keeping.confirmed)} mutations confirmed, "
        f"{keeping.interrupted} interrupted"
    )


async def test_a_killed_relay_of_its_own_loses_nothing(site, chance):
    environ = {**site.environ, "GALLERIA_RELAY": "off"}
    async with asyncio.timeout(TIMEOUT_SECONDS), relay(environ) as relaying, servers(1, environ) as started:
        balancer = Balancer(started)
        writing = await writer(site.database, site.shop, chance)
        all_of = [SocketFollower(site.follows_all("staff"), balancer.pick, after=0)]
        all_of += [StreamFollower(site.follows_all("stream"), balancer.pick, after=0)]
        stock_of = [SocketFollower(site.follows_stock(), balancer.pick, after=0)]
        async with running([*all_of, *stock_of]):
            for number in range(1, ROUNDS + 1):
                quota = EVENTS // 4 * number // ROUNDS
                writing_on = asyncio.create_task(writing.run(lambda quota=quota: writing.written >= quota))
                await writing.reaches(writing.written + chance.randint(1, EVENTS // 4 // ROUNDS // 2))
                await relaying.kill()
                await writing_on
                await relaying.start()
            count = await settled(site.outbox, [each.memory for each in all_of], [each.memory for each in stock_of])
    assert count >= EVENTS // 4
    assert not any(follower.memory.ends for follower in (*all_of, *stock_of))
    print(f"{count} events, {ROUNDS} relays killed")  # noqa: T201
