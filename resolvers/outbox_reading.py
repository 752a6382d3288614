"""Reads the outbox for all feeds of a process: few readings at a time, each until it succeeds."""

import asyncio
import dataclasses
import random
import uuid
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from core.database import Database
from core.errors import Overloaded
from core.statements import Row
from models import outbox
from models.base import Statement

READINGS_AT_MOST = 4
"""Readings of a process at a time, so that polling leaves connections to requests."""

STATEMENT_SECONDS = 10.0
"""A reading that takes longer is begun again."""

SHORTEST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0
"""Before a reading that failed is tried again."""

Result = TypeVar("Result")
Report = Callable[[BaseException | None], None]
"""Told the first failure to read of a series, and None once the database answers again."""


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """Something that has happened in a shop; see `models.outbox.OutboxEvent`."""

    sequence: int
    id: uuid.UUID
    type: str
    aggregate: str
    aggregate_id: uuid.UUID
    payload: Mapping[str, Any]
    actor: str | None
    created_at: datetime


@dataclasses.dataclass(slots=True)
class FeedStatistics:
    """What all feeds of a process have done.

    Attributes:
        reads: Statements that were run.
        polls: Looks at the database because the bus was not healthy.
        failures: Statements that failed and were tried again.
        handed_out: Events that were handed out, each counted once whatever the number of subscribers.
    """

    reads: int = 0
    polls: int = 0
    failures: int = 0
    handed_out: int = 0


class OutboxReader:
    """Reads the events of all shops that are followed, some readings at a time."""

    def __init__(self, database: Database, report: Report) -> None:
        self.statistics = FeedStatistics()
        self._database = database
        self._report = report
        self._places = asyncio.Semaphore(READINGS_AT_MOST)
        self._is_failing = False

    async def position(self, shop_id: uuid.UUID) -> tuple[int, int]:
        """Return the last sequence that was given in a shop, and the first that is still kept."""
        rows = await self._fetch(shop_id, outbox.position)
        return (rows[0].sequence, rows[0].oldest) if rows else (0, 1)

    async def page(self, shop_id: uuid.UUID, after: int, *, at_most: int) -> list[Event]:
        """Return the events of a shop with a sequence above `after`, in order."""
        rows = await self._fetch(shop_id, outbox.events_after, after=after, limit=at_most)
        return [Event(**row) for row in rows]

    async def persist(self, read: Callable[[], Awaitable[Result]]) -> Result:
        """Read, again and again until it succeeds."""
        pause = SHORTEST_PAUSE_SECONDS
        while True:
            try:
                return await read()
            except Exception as error:  # noqa: BLE001 - whatever it is, subscribers are to hear of events only.
                self._note_failure(error)
            await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311  (jitter is no secret)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    async def _fetch(self, shop_id: uuid.UUID, statement: Statement, **values: int) -> list[Row]:
        async with self._places:
            self.statistics.reads += 1
            tenant = self._database.of_tenant(shop_id, statement_timeout_seconds=STATEMENT_SECONDS)
            try:
                # A database that hangs does not end its statements either.
                async with asyncio.timeout(STATEMENT_SECONDS):
                    rows = await tenant.fetch(statement, alone=True, **values)
            except TimeoutError as error:
                raise Overloaded("The server is busy; try again in a moment.") from error
            finally:
                await tenant.close()
        if self._is_failing:
            self._is_failing = False
            self._report(None)
        return rows

    def _note_failure(self, error: Exception) -> None:
        self.statistics.failures += 1
        if not self._is_failing:
            self._is_failing = True
            self._report(error)
