"""A server that is told to stop hands its clients over, and nobody misses an event."""

import asyncio
import contextlib
import dataclasses
import itertools
import signal
import time

import httpx
import pytest

from tests.api.live.sockets import socket
from tests.proofs.conftest import IS_LONG
from tests.proofs.crowds import Balancer, running, settled
from tests.proofs.following import SocketFollower, StreamFollower
from tests.proofs.processes import servers
from tests.proofs.writing import keeper, writer

DRAIN_SECONDS = 20 if IS_LONG else 3
SOCKETS, SHOPPERS, STREAMS = (400, 8, 100) if IS_LONG else (30, 6, 8)
TIMEOUT_SECONDS = 300 if IS_LONG else 90


@dataclasses.dataclass
class Observer:
    """Asks a server again and again until it takes no more connections.

    Attributes:
        ready: Whether it said to be ready, and when it was asked.
        served: When it has answered a query.
        refused_at: When it was gone.
    """

    url: str
    headers: dict[str, str]
    ready: list[tuple[float, bool]] = dataclasses.field(default_factory=list)
    served: list[float] = dataclasses.field(default_factory=list)
    refused_at: float = 0.0

    async def run(self):
        # One that has just been taken may be closed before it has asked anything.
        with contextlib.suppress(httpx.TransportError):
            while True:
                await self.ask()
        self.refused_at = time.monotonic()

    async def ask(self):
        # Each by a connection of its own, as the probes of an orchestrator come.
        async with httpx.AsyncClient(base_url=self.url, headers=self.headers, timeout=30) as client:
            asked_at = time.monotonic()
            readiness = await client.get("/readyz")
            self.ready.append((asked_at, readiness.status_code == 200))
            answer = await client.post("/graphql", json={"query": "{ shop { name } }"})
            assert answer.json()["data"]["shop"]["name"]
            self.served.append(time.monotonic())

    @property
    def unready_at(self):
        return next(at for at, is_ready in self.ready if not is_ready)


def assert_spread(times):
    """Fail where many ends came at once, whose clients would come again at once."""
    times = sorted(times)
    assert times[-1] - times[0] > DRAIN_SECONDS / 2
    at_once = max(sum(1 for other in times if 0 <= other - time < DRAIN_SECONDS / 5) for time in times)
    assert at_once < len(times) * 0.6


async def closing_of(url):
    """Return how a socket is closed that comes while the server drains."""
    async with socket(url) as client:
        return await client.closed()


@pytest.fixture
def environ(site):
    return {**site.environ, "GALLERIA_DRAIN_SECONDS": str(DRAIN_SECONDS)}


async def test_a_server_that_stops_hands_its_clients_over(site, chance, environ):
    async with asyncio.timeout(TIMEOUT_SECONDS), servers(2, environ) as (old, new):
        new.is_taking = False
        balancer = Balancer([old, new])
        writing = await writer(site.database, site.shop, chance)
        keeping = await keeper(site.database, site.shop, site.staff("keeper"), balancer.pick)
        all_of = [
            kind(site.follows_all(f"staff-{number}"), balancer.pick, after=0)
            for number, kind in enumerate([*itertools.repeat(SocketFollower, SOCKETS), *[StreamFollower] * STREAMS])
        ]
        stock_of = [SocketFollower(site.follows_stock(), balancer.pick, after=0) for _ in range(SHOPPERS)]
        observer, is_over = Observer(old.url, site.staff("observer")), asyncio.Event()
        async with running([*all_of, *stock_of]) as tasks:
            await writing.write(1)
            for follower in (*all_of, *stock_of):
                await follower.memory.until(lambda memory: bool(memory.sequences))
                # Of hundreds at once some were asked to come again.
                for each in (follower.memory.ends, follower.memory.reasons, follower.memory.ended_at):
                    each.clear()
            keeping_on = tasks.create_task(keeping.run(is_over.is_set))
            writing_on = tasks.create_task(writing.run(is_over.is_set))
            observing = tasks.create_task(observer.run())
            await writing.reaches(writing.written + 20)
            new.is_taking, old.is_taking = True, False
            told_at = time.monotonic()
            old.send(signal.SIGTERM)
            await all_of[0].memory.until(lambda memory: bool(memory.ends))
            late = await closing_of(old.url)
            assert await old.ended() == 0
            ended_at = time.monotonic()
            await observing
            heard = [len(follower.memory.sequences) for follower in (*all_of, *stock_of)]
            for follower, before in zip((*all_of, *stock_of), heard, strict=True):
                await follower.memory.until(lambda memory, before=before: len(memory.sequences) > before)
            is_over.set()
            await asyncio.gather(keeping_on, writing_on)
            memories = [[each.memory for each in followers] for followers in (all_of, stock_of)]
            count = await settled(site.outbox, *memories)
            counted = await site.outbox.counted(keeping.variant)
    assert late == (1012, "This server is about to stop; connect again.")
    assert not any("Traceback" in line for line in old.errors)
    assert ended_at - told_at < DRAIN_SECONDS + 15
    for follower in (*all_of, *stock_of):
        memory = follower.memory
        if isinstance(follower, SocketFollower):
            assert memory.ends == {"1012": 1}
            assert memory.reasons[0].startswith("resume=")
        else:
            assert memory.ends == {"ended": 1}
    for kind in (SocketFollower, StreamFollower):
        assert_spread([each.memory.ended_at[0] for each in (*all_of, *stock_of) if isinstance(each, kind)])
    ends = sorted(each.memory.ended_at[0] for each in (*all_of, *stock_of))
    assert not any(is_ready for asked_at, is_ready in observer.ready if asked_at > ends[0])
    assert sum(ends[0] < at < ends[-1] for at in observer.served) > 3
    assert observer.refused_at > ends[-1]
    assert set(keeping.confirmed) <= set(counted)
    assert len(counted) == len(set(counted))
    print(  # noqa: T201
        f"{count} events, {len(all_of)} who follow all and {len(stock_of)} who follow stock; not ready "
        f"{observer.unready_at - told_at:.2f} s after the signal, ends from {ends[0] - told_at:.2f} s to "
        f"{ends[-1] - told_at:.2f} s, exit after {ended_at - told_at:.2f} s; {len(observer.served)} queries served, "
        f"{len(keeping.confirmed)} mutations, {keeping.interrupted} interrupted"
    )
