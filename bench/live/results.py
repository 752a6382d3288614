"""The figures of a run, as the file of results has them."""

import dataclasses
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bench.contenders import GALLERIA
from bench.live.contenders import GRAPHQL_WS, STRAWBERRY
from bench.live.fanout import Reached, Size, Sizes
from bench.live.flow import Flowed
from bench.live.storm import MISSED
from bench.machine import Cores, Machine

PEERS = (GRAPHQL_WS, STRAWBERRY)


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured.

    Attributes:
        sizes: Numbers of subscribers, ascending.
        rounds: Events that are timed of each server, for each number.
        rates: Events a second of which the latency is taken.
        seconds: For how long, at each rate.
        clients: Who hear them.
        storm: Subscribers who come back at once.
        storms: How often, to Galleria.
        storms_of_peers: How often, to each other server.
    """

    sizes: tuple[int, ...]
    rounds: int
    rates: tuple[int, ...]
    seconds: float
    clients: int
    storm: int
    storms: int
    storms_of_peers: int


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """What was measured.

    Attributes:
        equal: Fan-out to subscribers who all subscribe to the same.
        variables: Fan-out to subscribers whose variables differ; of Galleria alone.
        principals: Fan-out to subscribers who are each another customer; of Galleria alone.
        flows: What has happened, by events a second.
        storms: Seconds of each storm, by server.
        notes: Why something is missing.
    """

    equal: Sizes
    variables: Sizes
    principals: Sizes
    flows: Mapping[int, Flowed]
    storms: Mapping[str, Sequence[float]]
    notes: Sequence[str]


def summary(plan: Plan, machine: Machine, cores: Cores, found: Found) -> dict[str, Any]:
    """Return everything as JSON has it; what was not measured is not in it."""
    return {
        "machine": {**dataclasses.asdict(machine), "server_has_a_core_of_its_own": bool(cores.server)},
        "run": {**dataclasses.asdict(plan), "missed": MISSED, "processes": 1},
        "fanout": {
            str(size): _equal(each)
            | _distinct("variables", found.variables[size])
            | _distinct("principals", found.principals[size])
            for size, each in found.equal.items()
        },
        "latency_p99_ms": {str(rate): _percentile(each.from_commit_ms, 99) for rate, each in found.flows.items()},
        "latency": {str(rate): _latency(each, plan.clients) for rate, each in found.flows.items()},
        f"storm_{plan.storm}_s": round(statistics.median(found.storms[GALLERIA]), 3),
        "storm": {f"{name}_s": round(statistics.median(each), 3) for name, each in found.storms.items()},
        "notes": list(found.notes),
    }


def _equal(size: Size) -> dict[str, Any]:
    """Return the figures of all servers, with one number of subscribers."""
    figures: dict[str, Any] = {}
    for name, rounds in size.rounds.items():
        figures |= _figures(name, rounds)
        if name in size.kib:
            figures[f"{name}_kib_per_connection"] = round(size.kib[name], 1)
        figures[f"{name}_entered_s"] = round(size.entered_seconds[name], 2)
    if GALLERIA in size.kib:
        figures["kib_per_connection"] = round(size.kib[GALLERIA], 1)
    figures["times_as_fast"] = {
        name: ratio(size.rounds[GALLERIA], size.rounds[name]) for name in PEERS if name in size.rounds
    }
    return figures


def _distinct(what: str, size: Size) -> dict[str, Any]:
    return _figures(f"distinct_{what}", size.rounds[GALLERIA])


def _figures(name: str, rounds: Sequence[Reached]) -> dict[str, float]:
    known = [each.cpu_us for each in rounds if each.cpu_us is not None]
    figures = {
        f"{name}_ms": _median(rounds, lambda each: each.last_ms),
        f"{name}_first_ms": _median(rounds, lambda each: each.first_ms),
        f"{name}_from_request_ms": _median(rounds, lambda each: each.from_request_ms),
    }
    # The system counts processor time in steps of 10 ms: a mean over the rounds is finer than any of them.
    return figures | ({f"{name}_cpu_us": round(statistics.mean(known), 1)} if known else {})


def _median(rounds: Sequence[Reached], figure: Callable[[Reached], float]) -> float:
    return round(statistics.median(map(figure, rounds)), 2)


def ratio(ours: Sequence[Reached], theirs: Sequence[Reached]) -> float:
    """Return how many times as fast ours reach everybody as theirs: by round, then the median of the rounds."""
    return round(statistics.median(other.last_ms / own.last_ms for own, other in zip(ours, theirs, strict=True)), 2)


def _latency(flow: Flowed, clients: int) -> dict[str, float]:
    events = len(flow.from_commit_ms) // clients
    return {
        "p50_ms": _percentile(flow.from_commit_ms, 50),
        "p99_ms": _percentile(flow.from_commit_ms, 99),
        "from_request_p50_ms": _percentile(flow.from_request_ms, 50),
        "from_request_p99_ms": _percentile(flow.from_request_ms, 99),
        "events": events,
        "events_per_second": round(events / flow.seconds, 1),
    }


def _percentile(values: Sequence[float], percent: int) -> float:
    """Return the least value that this share of all does not exceed."""
    return round(sorted(values)[math.ceil(len(values) * percent / 100) - 1], 2)
