"""What tests of buses, and of what listens to them, have in common."""

import asyncio
import contextlib
import dataclasses

from core.bus import BEGUN, BusInProcess
from core.redis_bus import BusInRedis
from tests import servers

TIMEOUT_SECONDS = 20


@dataclasses.dataclass
class Ear:
    """Remembers what it heard."""

    heard: list[int] = dataclasses.field(default_factory=list)
    _changed: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)

    def __call__(self, sequence):
        self.heard.append(sequence)
        self._changed.set()

    @property
    def sequences(self):
        return [sequence for sequence in self.heard if sequence != BEGUN]

    async def hears(self, sequence):
        """Wait until a sequence was heard since the last such wait, and forget all up to it."""
        async with asyncio.timeout(TIMEOUT_SECONDS):
            while sequence not in self.heard:
                self._changed.clear()
                await self._changed.wait()
        del self.heard[: self.heard.index(sequence) + 1]


class Reports:
    """Remembers what a bus reports, and lets tests wait for it."""

    def __init__(self):
        self.healthy = asyncio.Event()
        self.away = asyncio.Event()
        self.failures = []

    def __call__(self, error):
        self.failures += [error] if error else []
        for event, is_set in ((self.healthy, error is None), (self.away, error is not None)):
            if is_set:
                event.set()
            else:
                event.clear()


@contextlib.asynccontextmanager
async def bus_in_redis(url, *, healthy=True):
    """A bus of its own, with its reports; one of a Redis that is there is awaited."""
    reports = Reports()
    bus = BusInRedis(url, report=reports)
    await bus.open()
    try:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            await (reports.healthy if healthy else reports.away).wait()
        yield bus, reports
    finally:
        await bus.close()


@contextlib.asynccontextmanager
async def pair(kind, redis_url):
    """Two ends of a bus: as one process, or as two, has it."""
    async with contextlib.AsyncExitStack() as stack:
        if kind == "in process":
            bus = BusInProcess()
            yield bus, bus
        else:
            (first, _), (second, _) = [await stack.enter_async_context(bus_in_redis(redis_url)) for _ in range(2)]
            yield first, second


def free_port():
    with servers.free_port() as reserved:
        return reserved.getsockname()[1]
