"""Lets operations in, as many at a time as the process can serve; a few wait for their turn, the others are refused."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager

import structlog
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector, CollectorRegistry
from starlette.types import Scope

from core.errors import Overloaded
from server.admission.kinds import Kind
from server.admission.limit import Limit
from server.admission.line import Lane, Line, Reason, Waiting
from server.tallies import Distribution, Tally

ADMITTED = "galleria.admitted"
"""Where the scope of a request has its gate while it is let in."""

LOOK_SECONDS = 0.1
"""Between two looks at how long operations wait, while there are any."""

PATIENCE_SECONDS = 0.5
"""How long somebody may wait to be let in while a burst is worked off."""

SHORT_PATIENCE_SECONDS = 0.05
"""The same once there has been a line for that long without a break: then it is no burst, and a long line would only
make all answers late. Mutations, which of a shop are let in first, may stay: theirs is short. Source: the controlled
delay of B. Maurer, "Fail at Scale" (ACM Queue 13(8), 2015)."""

_SAYING_SECONDS = 1.0
"""Between two log lines that say how many were refused."""

_WAIT_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1)

_log = structlog.get_logger(area="admission")


def _shed() -> Tally:
    return Tally("galleria_shed", "Operations refused for want of capacity.", ("class", "reason"))


def _waited() -> Distribution:
    return Distribution(
        "galleria_admission_wait_seconds", "Time that operations waited to be let in.", "class", _WAIT_SECONDS
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Counts:
    """What the gates of a process count.

    Attributes:
        shed: Refused operations, by class and reason.
        waited: How long those waited that were let in after that, by class.
    """

    shed: Tally = dataclasses.field(default_factory=_shed)
    waited: Distribution = dataclasses.field(default_factory=_waited)

    def watch(self, registry: CollectorRegistry, gates: "Mapping[str, Gate]") -> None:
        """Show what happens at gates among the metrics, each by its name."""
        for collector in (self.shed, self.waited, _Levels(gates)):
            registry.register(collector)


class Gate:
    """Lets operations in.

    All of it happens in one event loop: nothing is locked, and whoever is let in at once costs two comparisons.

    Args:
        limit: How many may run at the same time.
        waits: Tells for how long operations that run wait for what they share, such as connections.
        counts: Where it counts.

    Attributes:
        limit: How many may run at the same time.
        in_flight: How many do.
    """

    __slots__ = (
        "_counts",
        "_due",
        "_is_reached",
        "_line",
        "_loop",
        "_said_at",
        "_standing_since",
        "_timer",
        "_unsaid",
        "_waits",
        "in_flight",
        "limit",
    )

    def __init__(self, limit: Limit, *, waits: Callable[[], float] = lambda: 0.0, counts: Counts | None = None) -> None:
        self.limit = limit
        self.in_flight = 0
        self._waits = waits
        self._line = Line()
        self._is_reached = False
        self._standing_since = 0.0
        self._due = self._said_at = 0.0
        self._unsaid = 0
        self._timer: asyncio.TimerHandle | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._counts = counts or Counts()

    @property
    def waiting(self) -> int:
        """How many wait to be let in."""
        return self._line.length

    def take(self) -> bool:
        """Let an operation in at once, if there is room and nobody came before; `leave` ends it."""
        if self.in_flight >= self.limit.value or self._line.length:
            self._is_reached = True
            return False
        self.in_flight += 1
        if self._timer is None:
            self._look_later()
        return True

    def leave(self) -> None:
        """Take note that an operation has ended, and let the next in."""
        self.in_flight -= 1
        if self._line.length:
            self._let_in()

    def ask(self, waiting: Waiting) -> None:
        """Let somebody in, let him wait, or send him away; what becomes of it he is told at once or later."""
        if self._timer is None:
            self._look_later()
        if not self._line.length:
            self._standing_since = waiting.since
        gone = self._line.add(waiting)
        if gone is not None:
            self._send_away(gone, Reason.FULL if gone is waiting else Reason.DISPLACED)
        if self.in_flight < self.limit.value:
            self._let_in()

    def withdraw(self, waiting: Waiting) -> None:
        """Take note that somebody does not want to be let in any more, if he still waits."""
        self._line.remove(waiting)

    @asynccontextmanager
    async def entered(self, kind: Kind | None, lane: Lane) -> AsyncIterator[None]:
        """Let an operation in for as long as the block runs.

        Raises:
            Overloaded: It is refused.
        """
        await self.admitted(kind, lane)
        try:
            yield
        finally:
            self.leave()

    async def admitted(self, kind: Kind | None, lane: Lane) -> None:
        """Wait until an operation is let in; `leave` ends it.

        Args:
            kind: How important it is; None where nobody knows.
            lane: The shop that it is for, if known.

        Raises:
            Overloaded: It is refused.
        """
        if self.take():
            return
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[None] = loop.create_future()

        def start() -> bool:
            if turn.done():
                return False
            turn.set_result(None)
            return True

        def refuse(_: Reason) -> None:
            if not turn.done():
                turn.set_exception(refusal())

        waiting = Waiting(Kind.QUERY if kind is None else kind, lane, loop.time(), start, refuse)
        self.ask(waiting)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self.leave()
            else:
                self.withdraw(waiting)
            raise

    def _let_in(self) -> None:
        now = self._now()
        while self.in_flight < self.limit.value:
            waiting = self._line.next()
            if waiting is None:
                return
            if now - waiting.since > self._patience(waiting.kind, now):
                self._send_away(waiting, Reason.LATE)
            elif waiting.start():
                self.in_flight += 1
                self._counts.waited.observe(waiting.kind.name.lower(), now - waiting.since)

    def _send_away(self, waiting: Waiting, reason: Reason) -> None:
        self._counts.shed.add((waiting.kind.name.lower(), reason.value))
        self._unsaid += 1
        waiting.refuse(reason)

    def _patience(self, kind: Kind, now: float) -> float:
        is_burst = now - self._standing_since <= PATIENCE_SECONDS
        return PATIENCE_SECONDS if is_burst or kind is Kind.MUTATION else SHORT_PATIENCE_SECONDS

    def _look_later(self) -> None:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        self._due = self._loop.time() + LOOK_SECONDS
        self._timer = self._loop.call_at(self._due, self._look)

    def _look(self) -> None:
        """Look how long operations wait, and who has waited for too long to be let in."""
        now = self._now()
        self._timer = None
        waited = max(now - self._due, self._waits())
        self.limit.judge(waited, in_flight=self.in_flight, was_reached=self._is_reached)
        self._is_reached = self._line.length > 0
        if self._line.length:
            for kind in Kind:
                for waiting in self._line.take_older(kind, now - self._patience(kind, now)):
                    self._send_away(waiting, Reason.LATE)
            self._let_in()
        self._say(now)
        if self.in_flight or self._line.length or self._unsaid:
            self._look_later()

    def _say(self, now: float) -> None:
        """Say how many were refused, in one line a second: a line for each would be a load of its own."""
        if self._unsaid and now - self._said_at >= _SAYING_SECONDS:
            _log.warning("overloaded", refused=self._unsaid, limit=self.limit.value, in_flight=self.in_flight)
            self._unsaid, self._said_at = 0, now

    def _now(self) -> float:
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
        return self._loop.time()


def leave(scope: Scope) -> None:
    """Let the next in, if the request of a scope was let in and has not left."""
    gate: Gate | None = scope.pop(ADMITTED, None)
    if gate is not None:
        gate.leave()


def refusal() -> Overloaded:
    """Return what is told to those who are not let in."""
    return Overloaded("The server is busy; try again in a moment.")


class _Levels(Collector):
    """The figures of gates at the moment of a scrape."""

    def __init__(self, gates: Mapping[str, Gate]) -> None:
        self._gates = gates

    def collect(self) -> Iterator[GaugeMetricFamily]:
        limit = GaugeMetricFamily("galleria_admission_limit", "Operations that may run at a time.", labels=("gate",))
        running = GaugeMetricFamily("galleria_admission_in_flight", "Operations that run.", labels=("gate",))
        waiting = GaugeMetricFamily("galleria_admission_waiting", "Operations that wait for that.", labels=("gate",))
        for name, gate in self._gates.items():
            limit.add_metric((name,), gate.limit.value)
            running.add_metric((name,), gate.in_flight)
            waiting.add_metric((name,), gate.waiting)
        yield from (limit, running, waiting)
