"""Stamps of tenants: a text that changes with whatever a tenant's data is read as, known for a bounded time."""

import asyncio
import dataclasses
import time
import uuid
from collections.abc import Awaitable, Callable

TENANTS = 10_000
"""Tenants whose stamp is remembered."""


@dataclasses.dataclass(frozen=True, slots=True)
class Stamp:
    """The state of a tenant's data.

    Attributes:
        value: Another one for each state.
        seconds: How long it lasts at most, though nothing be written; None where only writing ends it.
    """

    value: str
    seconds: float | None = None


Read = Callable[[uuid.UUID], Awaitable[Stamp]]
"""Returns a tenant's stamp as everything that is committed before the call makes it."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Known:
    value: str
    renew_at: float
    until: float


@dataclasses.dataclass(frozen=True, slots=True)
class _Reading:
    started: float
    task: "asyncio.Task[str]"


class Stamps:
    """The stamps of all tenants, none older than a bound.

    Whoever reads data after it was given a stamp reads the state of that stamp or a later one, never an earlier one:
    answers kept under it are not older than it says.

    Args:
        read: See `Read`.
        bound_seconds: How long a state may be over before it is noticed; 0 reads a stamp for each who asks.
        on_change: Called with a tenant whose stamp has turned out to be another.
        timer: A clock that never goes back.
    """

    def __init__(
        self,
        read: Read,
        *,
        bound_seconds: float,
        on_change: Callable[[uuid.UUID], None] | None = None,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._bound = bound_seconds
        self._on_change = on_change
        self._timer = timer
        self._known: dict[uuid.UUID, _Known] = {}
        self._readings: dict[uuid.UUID, _Reading] = {}

    def known(self, tenant: uuid.UUID) -> str | None:
        """Return a tenant's stamp where it is known; None where `current` must be awaited.

        In the second half of its time it is read again beside, so that a tenant who is asked for often waits for none.
        """
        known = self._known.get(tenant)
        if known is None:
            return None
        now = self._timer()
        if now >= known.until:
            return None
        if now >= known.renew_at:
            self._reading(tenant, now)
        return known.value

    async def current(self, tenant: uuid.UUID) -> str:
        """Return a tenant's stamp; whoever asks at the same time shares the reading."""
        known = self.known(tenant)
        if known is not None:
            return known
        return await asyncio.shield(self._reading(tenant, self._timer()).task)

    def forget(self, tenant: uuid.UUID) -> None:
        """Read a tenant's stamp again, since something was written; a reading that is under way comes too early."""
        self._known.pop(tenant, None)
        self._readings.pop(tenant, None)

    def _reading(self, tenant: uuid.UUID, now: float) -> _Reading:
        reading = self._readings.get(tenant)
        # One that began too long ago may have missed what was written since.
        if reading is None or now - reading.started >= self._bound:
            reading = self._readings[tenant] = _Reading(now, asyncio.ensure_future(self._read_at(tenant, now)))
            reading.task.add_done_callback(lambda task: self._end(tenant, task))
        return reading

    async def _read_at(self, tenant: uuid.UUID, started: float) -> str:
        stamp = await self._read(tenant)
        reading = self._readings.get(tenant)
        if reading is not None and reading.task is asyncio.current_task():
            self._remember(tenant, stamp, started)
        return stamp.value

    def _remember(self, tenant: uuid.UUID, stamp: Stamp, started: float) -> None:
        lasts = self._bound if stamp.seconds is None else min(self._bound, stamp.seconds)
        previous = self._known.pop(tenant, None)
        while len(self._known) >= TENANTS:
            del self._known[next(iter(self._known))]
        self._known[tenant] = _Known(stamp.value, started + lasts / 2, started + lasts)
        if self._on_change is not None and (previous is None or previous.value != stamp.value):
            self._on_change(tenant)

    def _end(self, tenant: uuid.UUID, task: "asyncio.Task[str]") -> None:
        reading = self._readings.get(tenant)
        if reading is not None and reading.task is task:
            del self._readings[tenant]
        if not task.cancelled():
            # Marks a failure as seen: whoever waits for it is told, and beside others nobody does.
            task.exception()
