"""Those who wait to be let in: the more important kind first, and within a kind one shop after the other."""

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


_Lanes = OrderedDict[Lane, deque[Waiting]]


class Line:
    """Those who wait, at most `AT_MOST`.

    A shop that has many waiting takes its turn as often as one that has few, and when there are too many it is the last
    of the shop that has most who leaves.

    Attributes:
        length: How many they are.
    """

    __slots__ = ("_kinds", "length")

    def __init__(self) -> None:
        self._kinds: tuple[_Lanes, ...] = tuple(OrderedDict() for _ in Kind)
        self.length = 0

    def add(self, waiting: Waiting) -> Waiting | None:
        """Let somebody wait; return who has to leave for it, perhaps himself."""
        gone = self._displaced_by(waiting) if self.length >= AT_MOST else None
        if gone is waiting:
            return gone
        self._kinds[waiting.kind].setdefault(waiting.lane, deque()).append(waiting)
        self.length += 1
        return gone

    def next(self) -> Waiting | None:
        """Take out whose turn it is."""
        for lanes in self._kinds:
            if lanes:
                lane, line = lanes.popitem(last=False)
                waiting = line.popleft()
                if line:
                    # At the end: all other shops come before its next one.
                    lanes[lane] = line
                self.length -= 1
                return waiting
        return None

    def take_older(self, kind: Kind, since: float) -> list[Waiting]:
        """Take out those of a kind who have been waiting since before a moment."""
        taken = []
        lanes = self._kinds[kind]
        for lane in list(lanes):
            line = lanes[lane]
            while line and line[0].since < since:
                taken.append(line.popleft())
            if not line:
                del lanes[lane]
        self.length -= len(taken)
        return taken

    def _displaced_by(self, newcomer: Waiting) -> Waiting:
        for kind in reversed(Kind):
            lanes = self._kinds[kind]
            if kind > newcomer.kind and lanes:
                return self._last_of_longest(lanes)
        lanes = self._kinds[newcomer.kind]
        if not lanes:
            return newcomer
        own = len(lanes.get(newcomer.lane, ()))
        longest = max(map(len, lanes.values()))
        return self._last_of_longest(lanes) if longest > own + 1 else newcomer

    def _last_of_longest(self, lanes: _Lanes) -> Waiting:
        lane, line = max(lanes.items(), key=lambda item: len(item[1]))
        waiting = line.pop()
        if not line:
            del lanes[lane]
        self.length -= 1
        return waiting
