"""The relay: gives committed events their sequence, tells the bus of them, and forgets them when they are old."""

import asyncio
import contextlib
import dataclasses
import random
import time
from collections.abc import Awaitable, Callable, Sequence

from core.bus import Nudge
from core.database import Database
from models import outbox

AT_MOST = 500
"""Events of one transaction: it holds the positions of their shops for some ten milliseconds."""

SHORTEST_PAUSE_SECONDS = 0.025
LONGEST_PAUSE_SECONDS = 0.2
"""Before the next look, where nobody wakes the relay: for what other processes write."""

SPACING_SECONDS = 0.004
"""Between two looks, however often the relay is woken: what is committed meanwhile is relayed together."""

_SHORTEST_RETREAT_SECONDS = 0.1
_LONGEST_RETREAT_SECONDS = 2.0
"""After a failure, and after the one before was a failure too."""

_PATIENCE_SECONDS = 10.0
"""For one statement: beyond it the connection hangs, and another may not."""

_SAMPLE_SECONDS = 1.0
"""Between two looks at what waits."""

_CLEANING_SECONDS = 600.0
"""Between two searches for old events."""

_DELETED_AT_MOST = 1_000
"""Events of one deletion, so that what waits for it does so for some ten milliseconds."""

Publish = Callable[[Sequence[Nudge]], Awaitable[None]]

Report = Callable[[BaseException | None], None]
"""Told the first failure of a series, and None when it is over."""


@dataclasses.dataclass(slots=True)
class Backlog:
    """What a relay has done, and what it has found waiting.

    Attributes:
        relayed: Events that were given a sequence.
        expired: Events that were deleted for their age.
        waiting: Events without a sequence, of all shops, at the last look.
        oldest_seconds: For how long the first of them had been waiting.
        seen_at: When that was, of `time.monotonic`.
    """

    relayed: int = 0
    expired: int = 0
    waiting: int = 0
    oldest_seconds: float = 0.0
    seen_at: float = 0.0

    @property
    def lag_seconds(self) -> float:
        """For how long the first event has been waiting by now, as far as is known; 0 where none is."""
        return self.oldest_seconds + time.monotonic() - self.seen_at if self.waiting else 0.0


class Relay:
    """Gives committed events the sequence in which everybody hears of them; several relays may run at once.

    Args:
        database: One of its own, so that it does not queue behind requests; three connections are enough.
        publish: Takes the last sequence of each shop, once it is committed; never raises.
        retention_days: For how long events are kept.
        at_most: Events of one transaction.
        report: Told of failures, once for each series.

    Attributes:
        database: Where it relays; whoever made it closes it.
        backlog: What it has done and seen so far.
    """

    def __init__(
        self,
        database: Database,
        publish: Publish,
        *,
        retention_days: int = 30,
        at_most: int = AT_MOST,
        report: Report = lambda _: None,
    ) -> None:
        self.database = database
        self.backlog = Backlog()
        self._publish = publish
        self._retention_days = retention_days
        self._at_most = at_most
        self._report = report
        self._woken = asyncio.Event()
        self._is_failing = False

    def wake(self) -> None:
        """Relay at once: this process has committed something."""
        self._woken.set()

    async def run(self) -> None:
        """Relay until cancelled, whatever the database does meanwhile."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._keep_relaying())
            tasks.create_task(_keep_on(self.measure, _SAMPLE_SECONDS))
            # Apart from it: who deletes the events of a year looks at nothing else for minutes.
            tasks.create_task(_keep_on(self.expire, _CLEANING_SECONDS))

    async def relay_once(self) -> int:
        """Give waiting events their sequence, and tell the bus; return how many.

        Raises:
            Exception: Whatever the database has to say; what was not committed still waits.
        """
        async with asyncio.timeout(_PATIENCE_SECONDS):
            rows = await self.database.fetch_platform(outbox.relay, at_most=self._at_most)
        relayed: int = sum(row.relayed for row in rows)
        self.backlog.relayed += relayed
        if rows:
            await self._publish([Nudge(row.shop_id, row.sequence) for row in rows])
        return relayed

    async def expire(self) -> None:
        """Delete the events that are older than they are kept."""
        while True:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                [row] = await self.database.fetch_platform(
                    outbox.expire, days=self._retention_days, at_most=_DELETED_AT_MOST
                )
            self.backlog.expired += row.gone
            if not row.gone:
                return
            await asyncio.sleep(SHORTEST_PAUSE_SECONDS)

    async def measure(self) -> None:
        """Look how many events wait, and for how long."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            [row] = await self.database.fetch_platform(outbox.backlog)
        self.backlog.waiting, self.backlog.oldest_seconds = row.waiting, row.oldest_seconds
        self.backlog.seen_at = time.monotonic()

    async def _keep_relaying(self) -> None:
        pause = SHORTEST_PAUSE_SECONDS
        retreat = _SHORTEST_RETREAT_SECONDS
        while True:
            self._woken.clear()
            try:
                relayed = await self.relay_once()
            except Exception as error:  # noqa: BLE001  (whatever it is, the events of all shops must go on)
                self._fail(error)
                await asyncio.sleep(random.uniform(retreat / 2, retreat))  # noqa: S311  (jitter is no secret)
                retreat = min(2 * retreat, _LONGEST_RETREAT_SECONDS)
                continue
            self._recover()
            retreat = _SHORTEST_RETREAT_SECONDS
            if relayed >= self._at_most:
                continue
            pause = SHORTEST_PAUSE_SECONDS if relayed else min(2 * pause, LONGEST_PAUSE_SECONDS)
            if await self._wait(pause):
                pause = SHORTEST_PAUSE_SECONDS

    async def _wait(self, seconds: float) -> bool:
        """Wait until it is time, or the relay is woken, and tell whether it was."""
        await asyncio.sleep(SPACING_SECONDS)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds - SPACING_SECONDS):
                await self._woken.wait()
        return self._woken.is_set()

    def _fail(self, error: Exception) -> None:
        if not self._is_failing:
            self._report(error)
        self._is_failing = True

    def _recover(self) -> None:
        if self._is_failing:
            self._report(None)
        self._is_failing = False


async def _keep_on(work: Callable[[], Awaitable[None]], seconds: float) -> None:
    """Do something again and again; what fails is tried again after a second."""
    while True:
        pause = _SAMPLE_SECONDS
        # Where this fails relaying fails too, and says so.
        with contextlib.suppress(Exception):
            await work()
            pause = seconds
        await asyncio.sleep(pause)
