"""Events that expire under clients who come again leave no hole that is not told."""

import asyncio

from models import outbox
from tests.proofs.conftest import IS_LONG
from tests.proofs.crowds import Balancer, running
from tests.proofs.following import SocketFollower, StreamFollower, any_fate
from tests.proofs.processes import servers, until
from tests.proofs.writing import writer

GAPS = 500 if IS_LONG else 25
TIMEOUT_SECONDS = 900 if IS_LONG else 120


def walked(memory):
    """Return where a client has come to, from event to event and over gaps; fail where one does not follow on."""
    place = 0
    for first, last in memory.spans:
        assert place + 1 == first <= last, f"{first} to {last} behind {place}"
        place = last
    return place


async def test_what_expires_under_clients_is_told(site, chance):
    followers = []

    def gaps():
        return sum(follower.memory.gaps for follower in followers)

    def is_enough():
        return gaps() >= GAPS

    async def expire():
        """Let expire what the server has told of, but for the last events or without them; it never is days behind."""
        while True:
            await witness.memory.has_heard(witness.memory.cursor + 1)
            await site.outbox.grow_old(witness.memory.cursor - chance.randint(0, 5))
            await site.database.fetch_platform(outbox.expire, days=30, at_most=chance.randint(1, 50))

    async with asyncio.timeout(TIMEOUT_SECONDS), servers(1, site.environ) as started:
        balancer = Balancer(started)
        writing = await writer(site.database, site.shop, chance)
        witness = SocketFollower(site.follows_all("witness"), balancer.pick, after=0)
        followers += [
            witness,
            *(
                SocketFollower(
                    site.follows_all(f"staff-{number}"),
                    balancer.pick,
                    after=0,
                    fates=lambda: None if is_enough() else any_fate(chance, most=5),
                )
                for number in range(4)
            ),
        ]
        followers += [
            StreamFollower(site.follows_all(f"stream-{number}"), balancer.pick, after=0, at_most=5)
            for number in range(2)
        ]
        async with running(followers) as tasks:
            expiring = tasks.create_task(expire())
            await writing.run(is_enough)
            expiring.cancel()
            # Something that everybody hears of, wherever he is.
            await writing.write(1)
            await until(site.outbox.is_relayed)
            last = await site.outbox.last()
            for follower in followers:
                await follower.memory.has_heard(last)
    assert [walked(follower.memory) for follower in followers] == [last] * len(followers)
    assert witness.memory.gaps == 0
    heard = sum(len(follower.memory.sequences) for follower in followers)
    assert heard > 0
    print(f"{last} events, {heard} messages and {gaps()} gaps to {len(followers)} clients")  # noqa: T201
