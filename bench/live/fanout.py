"""Fan-out: how long one event takes to reach all subscribers of one process."""

import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence

from rich.console import Console

from bench.contenders import GALLERIA
from bench.live import tasks
from bench.live.contenders import customers
from bench.live.contest import Contender, Contest
from bench.live.hall import Hello
from bench.live.messages import hello
from bench.live.processes import resident_kib, settle
from bench.servers import Running
from core.errors import ConfigurationError

_SUBSCRIPTIONS = 100
"""Of one customer, where many subscribe to the same: Galleria allows 200."""


_OTHERS, _DIFFERENT = 3, 20_000
"""Variants beside the one that all hear of: of the demo shop's 138 there are more choices than are needed."""


@dataclasses.dataclass(frozen=True, slots=True)
class Reached:
    """One event.

    Attributes:
        first_ms: From the event until the first subscriber has heard of it.
        last_ms: Until all have.
        from_request_ms: From the request that made it until all have.
        cpu_us: Processor time of the server a subscriber; None where the system does not tell.
    """

    first_ms: float
    last_ms: float
    from_request_ms: float
    cpu_us: float | None


@dataclasses.dataclass(slots=True)
class Size:
    """What was found with a number of subscribers.

    Attributes:
        rounds: The events, by server.
        entered_seconds: How long those took to come in who were not there before, by server.
        kib: Memory of the server a subscriber, by server.
    """

    rounds: dict[str, list[Reached]] = dataclasses.field(default_factory=dict)
    entered_seconds: dict[str, float] = dataclasses.field(default_factory=dict)
    kib: dict[str, float] = dataclasses.field(default_factory=dict)

    def weigh(self, server: Running, subscribers: int, base: int | None) -> None:
        """Note how much memory a subscriber takes.

        Args:
            server: Whose.
            subscribers: How many there are.
            base: What the server used without them.
        """
        now = resident_kib(server.pid)
        if base is not None and now is not None:
            self.kib[server.name] = (now - base) / subscribers


Sizes = Mapping[int, Size]
"""By number of subscribers."""

Hellos = Callable[[range, str], Sequence[Hello]]
"""Returns how subscribers introduce themselves: which ones of all, and the last event that they know of."""


def equal(here: Contest) -> Hellos:
    """Return the subscribers of many customers, who all subscribe to the same."""

    def hellos(places: range, after: str) -> Sequence[Hello]:
        people = customers(here.environ, places.stop // _SUBSCRIPTIONS + 1, "equal")
        return [hello(people[place // _SUBSCRIPTIONS], [here.subject], after) for place in places]

    return hellos


def distinct_variables(here: Contest) -> Hellos:
    """Return subscribers of whom no two subscribe to the same, but all to one variant among others."""
    choices = itertools.combinations([level.variant_id for level in here.levels[1:]], _OTHERS)
    others = list(itertools.islice(choices, _DIFFERENT))

    def hellos(places: range, after: str) -> Sequence[Hello]:
        if places.stop > len(others):
            raise ConfigurationError(f"The shop has too few variants for {places.stop} different subscriptions.")
        people = customers(here.environ, places.stop // _SUBSCRIPTIONS + 1, "variables")
        return [hello(people[place // _SUBSCRIPTIONS], [here.subject, *others[place]], after) for place in places]

    return hellos


def distinct_principals(here: Contest) -> Hellos:
    """Return subscribers who are each another customer, and all subscribe to the same."""

    def hellos(places: range, after: str) -> Sequence[Hello]:
        people = customers(here.environ, places.stop, "principals")
        return [hello(people[place], [here.subject], after) for place in places]

    return hellos


@dataclasses.dataclass(frozen=True, slots=True)
class Course:
    """How the fan-out is measured.

    Attributes:
        names: The servers; a peer that fails is left out from then on.
        hellos: How subscribers introduce themselves.
        sizes: Numbers of subscribers, ascending.
        rounds: For each number.
    """

    names: Sequence[str]
    hellos: Hellos
    sizes: Sequence[int]
    rounds: int


def fan_out(here: Contest, course: Course, console: Console) -> Sizes:
    """Let ever more subscribers in, and time events: in each round one of every server, in turn."""
    running = [name for name in course.names if name in here.contenders]
    base = {name: resident_kib(here.contenders[name].server.pid) for name in running}
    found: dict[int, Size] = {}
    entered = 0
    for size in course.sizes:
        console.print(f"  {size:,} subscribers")
        found[size] = Size()
        for name in list(running):
            hellos = course.hellos(range(entered, size), here.contenders[name].sequence)
            try:
                _enter(here.contenders[name], hellos, found[size])
                found[size].weigh(here.contenders[name].server, size, base[name])
            except ConfigurationError as error:
                _leave_out(here, name, f"{size} subscribers: {error}")
                running.remove(name)
        for number in range(course.rounds):
            place = number % len(running)
            for name in running[place:] + running[:place]:
                found[size].rounds.setdefault(name, []).append(_reached(here.contenders[name], size))
        entered = size
    for name in running:
        here.contenders[name].audience.do(tasks.leave)
        settle(here.contenders[name].server)
    return found


def _enter(contender: Contender, hellos: Sequence[Hello], size: Size) -> None:
    """Let subscribers in, and see that they hear of an event before any is timed."""
    size.entered_seconds[contender.server.name] = contender.audience.do(tasks.enter, hellos)
    contender.spread()
    settle(contender.server)


def _leave_out(here: Contest, name: str, reason: str) -> None:
    if name == GALLERIA:
        raise ConfigurationError(f"Galleria, {reason}")
    here.notes.append(f"{name}, {reason}")
    del here.peers[name]


def _reached(contender: Contender, size: int) -> Reached:
    found, seconds = contender.spread()
    cpu_us = None if seconds is None else seconds * 1e6 / size
    return Reached(found.first_ms, found.last_ms, found.from_request_ms, cpu_us)
