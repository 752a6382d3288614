"""The servers of a run with their audiences: each is started, and has told its audience of an event like Galleria's."""

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console

from bench.contenders import GALLERIA
from bench.live import levels, tasks
from bench.live.contenders import customers, owner, programs
from bench.live.levels import Level, Told
from bench.live.messages import event_of, hello, shape
from bench.live.tasks import Spread
from bench.live.worker import Audience, audience
from bench.machine import processor_seconds
from bench.servers import Ground, Program, Running, serving
from core.errors import ConfigurationError

MOST_LEVELS = 240
"""That events are about: a subscription may name 250 variants."""


@dataclasses.dataclass(slots=True)
class Contender:
    """A server, and those who hear it.

    Attributes:
        server: The server.
        audience: Its subscribers.
        publication: Returns the request that makes the next event.
        accepted: What the answer to it has in it.
        sequence: Of the last event that was heard.
    """

    server: Running
    audience: Audience
    publication: Callable[[], bytes]
    accepted: bytes
    sequence: str = "0"

    def spread(self) -> tuple[Spread, float | None]:
        """Make an event; return how it spread, and the processor time that the server used, in seconds."""
        before = processor_seconds(self.server.pid)
        found = self.audience.do(tasks.spread, self.publication(), self.accepted)
        after = processor_seconds(self.server.pid)
        self.sequence = event_of(found.message)["sequence"]
        return found, None if before is None or after is None else after - before


@dataclasses.dataclass(frozen=True, slots=True)
class Contest:
    """All that are measured.

    Attributes:
        galleria: Galleria.
        peers: The others, by name.
        levels: What events are about; the first is what all subscribers of the fan-out hear of.
        owner: Token of whoever makes the events.
        environ: Settings of Galleria.
        notes: Why somebody is not measured.
    """

    galleria: Contender
    peers: dict[str, Contender]
    levels: Sequence[Level]
    owner: str
    environ: Mapping[str, str]
    notes: list[str]

    @property
    def contenders(self) -> Mapping[str, Contender]:
        """All, by name."""
        return {GALLERIA: self.galleria, **self.peers}

    @property
    def subject(self) -> str:
        """Id of the variant that all subscribers of the fan-out hear of."""
        return self.levels[0].variant_id


@contextlib.contextmanager
def contest(ground: Ground, console: Console) -> Iterator[Contest]:
    """Start all servers and their audiences, for as long as the block runs.

    Raises:
        ConfigurationError: Galleria does not start, or its subscribers do not hear of an event.
    """
    found, notes = programs(ground.environ)
    token = owner(ground.environ)
    with contextlib.ExitStack() as stack:
        server, hearing = _started(stack, found[0], ground)
        ours = Contender(server, hearing, lambda: levels.one_mutation(here.levels[0], token), levels.ACCEPTED)
        here = Contest(ours, {}, _audible(ours, ground.environ), token, ground.environ, notes)
        event = _first_event(here, ours)
        for program in found[1:]:
            try:
                here.peers[program.name] = _peer(here, event, *_started(stack, program, ground))
            except ConfigurationError as error:
                notes.append(f"{program.name}: {error}")
        console.print(f"Measuring {', '.join(here.contenders)}.")
        yield here


def _started(stack: contextlib.ExitStack, program: Program, ground: Ground) -> tuple[Running, Audience]:
    server = stack.enter_context(serving(program, ground))
    return server, stack.enter_context(audience(int(server.url.rpartition(":")[2]), ground.cores))


def _audible(ours: Contender, environ: Mapping[str, str]) -> Sequence[Level]:
    """Return the levels that customers hear of: not those of warehouses, or of products, that are not for them."""
    [token] = customers(environ, 1, "first")
    makes = owner(environ)
    shelf = levels.read_levels(ours.server.url, makes)[:MOST_LEVELS]
    ours.audience.do(tasks.enter, [hello(token, [level.variant_id for level in shelf], ours.sequence)])
    requests = [levels.one_mutation(level, makes) for level in shelf]
    heard = ours.audience.do(tasks.heard_of, requests, ours.accepted)
    ours.audience.do(tasks.leave)
    if not heard:
        raise ConfigurationError("Customers of Galleria hear of no stock that changes.")
    ours.sequence = str(max(heard.values()))
    return [level for level in shelf if level.variant_id in heard]


def _peer(here: Contest, event: Mapping[str, Any], server: Running, hearing: Audience) -> Contender:
    """Return a peer whose subscribers hear of events that look like Galleria's."""
    told = Told(event)
    found = Contender(server, hearing, lambda: told.publication(here.owner), levels.ACCEPTED_BY_PEERS)
    heard = _first_event(here, found)
    if shape(heard) != shape(event):
        raise ConfigurationError(f"its subscribers hear {heard}, and Galleria's {event}")
    return found


def _first_event(here: Contest, contender: Contender) -> Mapping[str, Any]:
    """Let one subscriber hear of one event."""
    [token] = customers(here.environ, 1, "first")
    contender.audience.do(tasks.enter, [hello(token, [here.subject], contender.sequence)])
    found, _ = contender.spread()
    contender.audience.do(tasks.leave)
    return event_of(found.message)
