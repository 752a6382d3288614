"""What is done in the process of an audience: let in, spread an event, come back after a storm."""

import dataclasses
import time
from collections.abc import Mapping, Sequence

from bench.live.hall import Hall, Hello
from bench.live.messages import event_of
from bench.live.posting import Poster

_SILENCE_SECONDS = 2.0
"""After which nothing more comes of events that are past."""

AT_ONCE = 128
"""Subscribers on their way in at the same time: Galleria lets no more than 200 from one address."""


@dataclasses.dataclass(frozen=True, slots=True)
class Spread:
    """How long an event took to reach the subscribers.

    It happens when whoever made it is told so, or when the first subscriber hears of it if that is earlier: Galleria
    has committed then, and its peers begin to spread it.

    Attributes:
        first_ms: From the event until the first subscriber has heard of it.
        last_ms: Until all have.
        from_request_ms: From the request that made the event until all have.
        message: What they heard.
    """

    first_ms: float
    last_ms: float
    from_request_ms: float
    message: bytes


def enter(hall: Hall, hellos: Sequence[Hello]) -> float:
    """Let more subscribers in; return the seconds that it took."""
    return hall.open(hellos, at_once=AT_ONCE)


def leave(hall: Hall) -> None:
    """Let everybody go."""
    hall.close()


def spread(hall: Hall, request: bytes, accepted: bytes) -> Spread:
    """Make an event, and wait until each subscriber has heard of it once.

    Args:
        hall: The subscribers.
        request: What makes the event.
        accepted: What the answer has in it.
    """
    hall.count_anew()
    answered: list[float] = []
    first = last = 0.0

    def is_done() -> bool:
        nonlocal first, last
        if not first and hall.heard:
            first = time.perf_counter()
        if not last and hall.heard >= len(hall.lines):
            last = time.perf_counter()
        return bool(answered) and bool(last)

    poster = Poster(hall, accepted)
    sent = poster.post(request, answered.append)
    hall.until(is_done, f"an event for some of {len(hall.lines)} subscribers")
    poster.close()
    hall.require_each(1)
    happened = min(first, answered[0])
    return Spread((first - happened) * 1e3, (last - happened) * 1e3, (last - sent) * 1e3, hall.latest)


def publish(hall: Hall, requests: Sequence[bytes], accepted: bytes) -> None:
    """Make events one after the other, for nobody."""
    poster = Poster(hall, accepted)
    for each in requests:
        answered: list[float] = []
        poster.post(each, answered.append)
        hall.until(lambda: bool(answered), "the answer to an event")  # noqa: B023  (done before the next)
    poster.close()


def heard_of(hall: Hall, requests: Sequence[bytes], accepted: bytes) -> Mapping[str, int]:
    """Make events, and return those that the subscribers hear of: the sequence of each, by variant."""
    found: dict[str, int] = {}

    def hear(_: int, message: bytes, __: float) -> None:
        event = event_of(message)
        found[event["variantId"]] = int(event["sequence"])

    hall.count_anew()
    hall.on_result = hear
    publish(hall, requests, accepted)
    before = -1
    while hall.heard > before:
        before = hall.heard
        hall.turn(_SILENCE_SECONDS)
    hall.on_result = None
    return found


def come_back(hall: Hall, hellos: Sequence[Hello], missed: int) -> float:
    """Let subscribers in who have missed events, and return the seconds until each has heard of them all."""
    begun = time.perf_counter()
    hall.count_anew()
    hall.open(hellos, at_once=AT_ONCE)
    hall.until(lambda: hall.heard >= missed * len(hellos), f"an event that some of {len(hellos)} have missed")
    took = time.perf_counter() - begun
    hall.require_each(missed)
    return took
