"""Those who wait to be let in: one shop after the other, and of each shop the more important kind first."""

import dataclasses
import enum
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

    __slots__ = ("kinds", "length")

    def __init__(self) -> None:
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
            lane = self._yielding(waiting)
            if lane is None:
                return waiting
            gone = self._lanes[lane[0]].last()
            self._forget(lane[0])
        queue = self._lanes.get(waiting.lane)
        if queue is None:
            queue = self._lanes[waiting.lane] = _Queue()
        queue.add(waiting)
        self.length += 1
        return gone

    def next(self) -> Waiting | None:
        """Take out whose turn it is."""
        if not self._lanes:
            return None
        lane, queue = next(iter(self._lanes.items()))
        waiting = queue.first()
        # At the end: all other shops come before its next one.
        self._lanes.move_to_end(lane)
        self._forget(lane)
        return waiting

    def remove(self, waiting: Waiting) -> None:
        """Take out somebody who does not want to wait any more, if he is still there."""
        queue = self._lanes.get(waiting.lane)
        if queue is None or waiting not in queue.kinds[waiting.kind]:
            return
        queue.kinds[waiting.kind].remove(waiting)
        queue.length -= 1
        self._forget(waiting.lane)

    def take_older(self, kind: Kind, since: float) -> list[Waiting]:
        """Take out those of a kind who have been waiting since before a moment."""
        taken = []
        for lane, queue in list(self._lanes.items()):
            line = queue.kinds[kind]
            while line and line[0].since < since:
                taken.append(line.popleft())
                queue.length -= 1
                self._forget(lane)
        return taken

    def _forget(self, lane: Lane) -> None:
        """Take note that one has left a lane."""
        self.length -= 1
        if not self._lanes[lane].length:
            del self._lanes[lane]

    def _yielding(self, newcomer: Waiting) -> tuple[Lane] | None:
        """Return the lane that somebody has to leave; None where it is the newcomer who does."""
        if not self._lanes:
            return None
        own = self._lanes.get(newcomer.lane)
        lane, longest = max(self._lanes.items(), key=lambda item: item[1].length)
        if longest.length > (own.length if own else 0) + 1:
            return (lane,)
        if own is not None:
            return (newcomer.lane,) if own.least() > newcomer.kind else None
        if longest.length > 1:
            return None
        lane, least = max(self._lanes.items(), key=lambda item: item[1].least())
        return (lane,) if least.least() > newcomer.kind else None
