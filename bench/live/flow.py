"""Events at a steady rate, and how long after their commit a client hears of each."""

import collections
import dataclasses
import re
import time
from collections.abc import Sequence

from bench.live.hall import Hall
from bench.live.levels import ACCEPTED, Level, many_mutations
from bench.live.posting import Poster

CONNECTIONS = 16
_VARIANT = re.compile(rb'"variantId":"([^"]+)"')


@dataclasses.dataclass(frozen=True, slots=True)
class Flow:
    """What is to happen.

    Attributes:
        levels: What is counted anew, in turn.
        token: By whom.
        events_per_second: How fast.
        events_at_once: Of each mutation.
        seconds: For how long.
    """

    levels: Sequence[Level]
    token: str
    events_per_second: int
    events_at_once: int
    seconds: float


@dataclasses.dataclass(frozen=True, slots=True)
class Flowed:
    """What has happened.

    Attributes:
        from_commit_ms: For each event and client, from the answer to its mutation until the client heard of it; 0 where
            the client was faster than the answer.
        from_request_ms: From when the mutation was sent.
        seconds: From the first mutation until the last was answered.
    """

    from_commit_ms: Sequence[float]
    from_request_ms: Sequence[float]
    seconds: float


@dataclasses.dataclass(slots=True)
class _Batch:
    """Levels that are counted in one mutation."""

    levels: Sequence[Level]
    sent: list[float] = dataclasses.field(default_factory=list)
    answered: list[float] = dataclasses.field(default_factory=list)


class _Stream:
    """Sends the mutations of a flow as they are due; one of a batch at a time, and one on a connection."""

    def __init__(self, hall: Hall, flow: Flow) -> None:
        size = flow.events_at_once
        groups = [flow.levels[place : place + size] for place in range(0, len(flow.levels) - size + 1, size)]
        self.batches = [_Batch(group) for group in groups]
        self.posters = [Poster(hall, ACCEPTED) for _ in range(CONNECTIONS)]
        self._hall = hall
        self._flow = flow
        self._free = collections.deque(self.batches)
        self._idle = list(self.posters)
        self._answered = 0

    def run(self) -> float:
        """Send everything, and return how long it took until the last answer."""
        flow, begun = self._flow, time.perf_counter()
        interval = flow.events_at_once / flow.events_per_second
        number = round(flow.seconds / interval)
        sent = 0
        while self._answered < number:
            due = begun + sent * interval - time.perf_counter()
            if sent < number and due <= 0 and self._idle and self._free:
                self._send()
                sent += 1
                due = 0
            self._hall.turn(max(0.0, min(due, 1.0)) if sent < number and self._idle and self._free else 1.0)
        return time.perf_counter() - begun

    def _send(self) -> None:
        poster, batch = self._idle.pop(), self._free.popleft()

        def answered(now: float) -> None:
            batch.answered.append(now)
            self._idle.append(poster)
            self._free.append(batch)
            self._answered += 1

        batch.sent.append(poster.post(many_mutations(batch.levels, self._flow.token), answered))


def run_flow(hall: Hall, flow: Flow) -> Flowed:
    """Let events happen, and time when each subscriber hears of each."""
    heard: dict[tuple[int, bytes], list[float]] = collections.defaultdict(list)

    def hear(number: int, message: bytes, now: float) -> None:
        found = _VARIANT.search(message)
        if found is not None:
            heard[number, found[1]].append(now)

    hall.count_anew()
    hall.on_result = hear
    stream = _Stream(hall, flow)
    seconds = stream.run()
    events = sum(len(batch.levels) * len(batch.sent) for batch in stream.batches)
    hall.until(lambda: hall.heard >= events * len(hall.lines), f"one of {events} events")
    hall.require_each(events)
    hall.on_result = None
    for poster in stream.posters:
        poster.close()
    return _delays(stream.batches, heard, len(hall.lines), seconds)


def _delays(
    batches: Sequence[_Batch], heard: dict[tuple[int, bytes], list[float]], subscribers: int, seconds: float
) -> Flowed:
    """Compare when a variant was counted with when each heard of it: both are in the order of its versions."""
    from_commit: list[float] = []
    from_request: list[float] = []
    for batch in batches:
        for level in batch.levels:
            for number in range(subscribers):
                times = heard[number, level.variant_id.encode()]
                from_commit += (max(0.0, at - since) * 1e3 for at, since in zip(times, batch.answered, strict=True))
                from_request += ((at - since) * 1e3 for at, since in zip(times, batch.sent, strict=True))
    return Flowed(from_commit, from_request, seconds)
