"""Connections that are killed at any moment cost nobody an event."""

import asyncio
from collections import Counter

from tests.proofs.conftest import IS_LONG
from tests.proofs.crowds import Balancer, running, settled
from tests.proofs.following import SocketFollower, Way, any_fate
from tests.proofs.processes import servers
from tests.proofs.writing import writer

KILLS = 1_000 if IS_LONG else 60
TIMEOUT_SECONDS = 900 if IS_LONG else 90
WAYS = {way.value for way in Way}


async def test_killed_connections_miss_nothing(site, chance):
    followers = []

    def ends():
        return sum((follower.memory.ends for follower in followers), Counter())

    def is_enough():
        counted = ends()
        return sum(counted[way] for way in WAYS) >= KILLS

    def fate():
        return None if is_enough() else any_fate(chance)

    async with asyncio.timeout(TIMEOUT_SECONDS), servers(1, site.environ) as started:
        balancer = Balancer(started)
        writing = await writer(site.database, site.shop, chance)
        follow_all = [
            SocketFollower(site.follows_all(f"staff-{number}"), balancer.pick, after=0, fates=fate)
            for number in range(5)
        ]
        follow_stock = [SocketFollower(site.follows_stock(), balancer.pick, after=0, fates=fate) for _ in range(4)]
        followers += [*follow_all, *follow_stock]
        async with running(followers):
            await writing.run(is_enough)
            count = await settled(
                site.outbox, [each.memory for each in follow_all], [each.memory for each in follow_stock]
            )
    assert set(ends()) >= WAYS
    print(f"{count} events, {len(followers)} clients, connections ended by {dict(ends())}")  # noqa: T201
