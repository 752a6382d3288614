"""Those who wait to be let in: one shop after the other, and of each shop the more important kind first."""

import dataclasses
import enum
import operator
import uuid
from collections import OrderedDict, deque
from collections.abc import Callable

from server.admission.kinds import Kind

AT_MOST = 128
"""Who may wait: at a thousand operations a second that is an eighth of one."""

Lane = uuid.UUID | None
"""A shop, or all of whom it is not known yet for which shop they ask."""

LaneOf = Callable[[str | None, str | None, str | None], Lane]
"""Returns the shop of a caller by his headers Authorization, Galleria-Shop and Host, where he is remembered."""


class Reason(enum.StrEnum):
    """Why somebody is not let in."""

    FULL = "full"
    DISPLACED = "displaced"
    LATE = "late"


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Waiting:
    """Somebody who waits.

    Attributes:
        kind: How important it is what he asks.
        lane: The shop that he asks for.
        since: Since when he waits, of the event loop's clock.
        start: Lets him in; tells whether he was still there.
        refuse: Sends him away.
    """

    kind: Kind
    lane: Lane
    since: float
    start: Callable[[], bool]
    refuse: Callable[[Reason], None]


class _Queue:
    """Those of one shop, by kind, each in the order in which they came."""

    __slots__ = ("kinds", "lane", "length")

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self.kinds: tuple[deque[Waiting], ...] = tuple(deque() for _ in Kind)
        self.length = 0

    def add(self, waiting: Waiting) -> None:
        self.kinds[waiting.kind].append(waiting)
        self.length += 1

    def first(self) -> Waiting:
        """Take out the first of the most important."""
        self.length -= 1
        return next(filter(None, self.kinds)).popleft()

    def last(self) -> Waiting:
        """Take out the last of the least important."""
        self.length -= 1
        return next(filter(None, reversed(self.kinds))).pop()

    def least(self) -> Kind:
        """Return the kind of the least important."""
        return next(kind for kind in reversed(Kind) if self.kinds[kind])


_NOBODY = _Queue(None)
_length = operator.attrgetter("length")


class Line:
    """Those who wait, at most `AT_MOST`.

    Shops take turns, so one that has many waiting is served as often as one that has few; and when there are too many,
    it is somebody of the shop that has most who leaves. How important it is what he asks decides within a shop alone,
    or else whoever sends what is important could keep all others out; and between shops that have one each.

    Attributes:
        length: How many they are.
    """

    __slots__ = ("_lanes", "length")

    def __init__(self) -> None:
        self._lanes: OrderedDict[Lane, _Queue] = OrderedDict()
        self.length = 0

    def add(self, waiting: Waiting) -> Waiting | None:
        """Let somebody wait; return who has to leave for it, perhaps himself."""
        gone = None
        if self.length >= AT_MOST:
            yielding = self._yielding(waiting)
            if yielding is None:
                return waiting
            gone = yielding.last()
            self._forget(yielding)
        queue = self._lanes.get(waiting.lane)
        if queue is None:
            queue = self._lanes[waiting.lane] = _Queue(waiting.lane)
        queue.add(waiting)
        self.length += 1
        return gone

    def next(self) -> Waiting | None:
        """Take out whose turn it is."""
        if not self._lanes:
            return None
        queue = next(iter(self._lanes.values()))
        waiting = queue.first()
        # At the end: all other shops come before its next one.
        self._lanes.move_to_end(queue.lane)
        self._forget(queue)
        return waiting

    def remove(self, waiting: Waiting) -> None:
        """Take out somebody who does not want to wait any more, if he is still there."""
        queue = self._lanes.get(waiting.lane)
        if queue is None or waiting not in queue.kinds[waiting.kind]:
            return
        queue.kinds[waiting.kind].remove(waiting)
        queue.length -= 1
        self._forget(queue)

    def take_older(self, kind: Kind, since: float) -> list[Waiting]:
        """Take out those of a kind who have been waiting since before a moment."""
        taken = []
        for queue in list(self._lanes.values()):
            line = queue.kinds[kind]
            while line and line[0].since < since:
                taken.append(line.popleft())
                queue.length -= 1
                self._forget(queue)
        return taken

    def _forget(self, queue: _Queue) -> None:
        """Take note that one has left a queue."""
        self.length -= 1
        if not queue.length:
            del self._lanes[queue.lane]

    def _yielding(self, newcomer: Waiting) -> _Queue | None:
        """Return the queue that somebody has to leave; None where it is the newcomer who does."""
        yielding = self._lanes.get(newcomer.lane, _NOBODY)
        # Whoever has half of all has most, which need not be looked for: so it is in most floods.
        if 2 * yielding.length < self.length:
            longest = max(self._lanes.values(), key=_length)
            if longest.length > yielding.length + 1:
                return longest
            if longest.length == 1 and yielding is _NOBODY:
                yielding = max(self._lanes.values(), key=_Queue.least)
        return yielding if yielding.length and yielding.least() > newcomer.kind else None
