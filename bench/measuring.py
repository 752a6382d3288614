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
    """Who is measured in what.

    Attributes:
        running: The servers, by name.
        turns: What each is asked, by operation and server; one that fails is taken out.
        notes: Why.
    """

    running: Mapping[str, Running]
    turns: Mapping[str, dict[str, Turn]]
    notes: list[str]


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
        contest = _Contest(running, _turns(running, asked, notes), notes)
        console.print("Warming up.")
        _round(contest, ground, 0, seconds=plan.warm_up_seconds)
        return Measured(_rounds(plan, contest, ground, console), notes)


def _asked(server: Running, environ: Mapping[str, str], number: int) -> Mapping[str, Sequence[Request]]:
    with httpx.Client(base_url=server.url, timeout=_TIMEOUT_SECONDS) as client:
        return requests(client, shops.shoppers(environ, number))


def _turns(
    running: Mapping[str, Running], asked: Mapping[str, Sequence[Request]], notes: list[str]
) -> Mapping[str, dict[str, Turn]]:
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


def _rounds(plan: Plan, contest: _Contest, ground: Ground, console: Console) -> Rounds:
    """Return the figures of the servers that came through all rounds."""
    rounds = []
    for number in range(plan.rounds):
        console.print(f"Measuring, round {number + 1} of {plan.rounds}.")
        rounds.append(_round(contest, ground, number, seconds=plan.seconds))
    return {
        operation: {name: [found[operation, name] for found in rounds] for name in turns}
        for operation, turns in contest.turns.items()
    }


def _round(contest: _Contest, ground: Ground, number: int, *, seconds: int) -> Mapping[tuple[str, str], Round]:
    """Let every server have its turn in every operation; each round starts with another server."""
    found: dict[tuple[str, str], Round] = {}
    for operation, turns in contest.turns.items():
        names = list(turns)
        place = number % len(names)
        for name in names[place:] + names[:place]:
            try:
                found[operation, name] = measure(contest.running[name], turns[name], ground, seconds=seconds)
            except ConfigurationError as error:
                if name == contenders.GALLERIA:
                    raise
                del turns[name]
                contest.notes.append(f"{operation}: {error}")
    return found
