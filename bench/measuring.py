"""A run: all servers are started, checked and warmed up, then measured in turn: a disturbance hits all alike."""

import contextlib
import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, Self

import httpx
from rich.console import Console

from bench import contenders, shops
from bench.equality import Answers, answers, require_equal, turn
from bench.load import Round, Turn, measure
from bench.operations import NAMES, Request, documents, requests
from bench.servers import Ground, Running, serving
from core.errors import ConfigurationError
from server.demo.profiles import Size

_TIMEOUT_SECONDS = 30.0

Rounds = Mapping[str, Mapping[str, Sequence[Round]]]
"""By operation and server, in the order of the rounds."""


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured.

    Attributes:
        size: Of the largest shop.
        shops: How many there are.
        rounds: Each asks every server for every operation in turn.
        seconds: Length of a turn.
        warm_up_seconds: Length of the turn before the first that counts; compilers need some.
    """

    size: Size
    shops: int
    rounds: int
    seconds: int
    warm_up_seconds: int

    def changed(self, **given: Any) -> Self:
        """Return the plan with what is given and not None."""
        return dataclasses.replace(self, **{name: value for name, value in given.items() if value is not None})


@dataclasses.dataclass(frozen=True, slots=True)
class _Contest:
    """What each server is asked, by operation and server."""

    running: Mapping[str, Running]
    turns: Mapping[str, Mapping[str, Turn]]


@dataclasses.dataclass(frozen=True, slots=True)
class Measured:
    """What a run found.

    Attributes:
        rounds: The figures.
        notes: Why some servers are not measured, or not in all operations.
    """

    rounds: Rounds
    notes: Sequence[str]


def measured(plan: Plan, ground: Ground, console: Console) -> Measured:
    """Measure all servers."""
    programs, notes = contenders.peers(ground.environ)
    with contextlib.ExitStack() as stack:
        running = {contenders.GALLERIA: stack.enter_context(serving(contenders.galleria(ground.environ), ground))}
        for program in programs:
            try:
                running[program.name] = stack.enter_context(serving(program, ground))
            except ConfigurationError as error:
                notes.append(f"{program.name}: {error}")
        asked = _asked(running[contenders.GALLERIA], ground.environ, plan.shops)
        console.print("Comparing the answers.")
        contest = _Contest(running, _turns(running, asked, notes))
        console.print("Warming up.")
        for _, name, given in _order(contest, 0):
            measure(running[name], given, ground, seconds=plan.warm_up_seconds)
        return Measured(_rounds(plan, contest, ground, console), notes)


def _asked(server: Running, environ: Mapping[str, str], number: int) -> Mapping[str, Sequence[Request]]:
    with httpx.Client(base_url=server.url, timeout=_TIMEOUT_SECONDS) as client:
        return requests(client, shops.shoppers(environ, number))


def _turns(
    running: Mapping[str, Running], asked: Mapping[str, Sequence[Request]], notes: list[str]
) -> Mapping[str, Mapping[str, Turn]]:
    """Compare every answer of every server with Galleria's; a server that differs is left out of the operation."""
    expected: dict[str, Answers] = {}
    turns: dict[str, dict[str, Turn]] = {operation: {} for operation in NAMES}
    for name, server in running.items():
        texts = documents(contenders.DOCUMENTS[name]) if name in contenders.DOCUMENTS else documents()
        for operation in NAMES:
            try:
                given = answers(server, asked[operation], texts[operation])
                require_equal(expected.setdefault(operation, given), given)
            except (ConfigurationError, httpx.HTTPError) as error:
                if name == contenders.GALLERIA:
                    raise ConfigurationError(f"Galleria, {operation}: {error}") from error
                notes.append(f"{name}, {operation}: {error}")
                continue
            turns[operation][name] = turn(asked[operation], texts[operation], given)
    return turns


def _order(contest: _Contest, number: int) -> list[tuple[str, str, Turn]]:
    """Return the turns of a round; each round starts with another server."""
    found = []
    for operation, turns in contest.turns.items():
        names = list(turns)
        place = number % len(names)
        found += [(operation, name, turns[name]) for name in names[place:] + names[:place]]
    return found


def _rounds(plan: Plan, contest: _Contest, ground: Ground, console: Console) -> Rounds:
    found: dict[str, dict[str, list[Round]]] = {
        operation: {name: [] for name in turns} for operation, turns in contest.turns.items()
    }
    for number in range(plan.rounds):
        console.print(f"Measuring, round {number + 1} of {plan.rounds}.")
        for operation, name, given in _order(contest, number):
            server = contest.running[name]
            found[operation][name].append(measure(server, given, ground, seconds=plan.seconds))
    return found
