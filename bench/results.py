"""The figures of a run, as the file of results has them."""

import dataclasses
import statistics
from collections.abc import Callable, Sequence
from typing import Any

from bench.contenders import GALLERIA
from bench.load import CONNECTIONS, Round
from bench.machine import Cores, Machine
from bench.measuring import Measured, Plan, Rounds


def summary(plan: Plan, machine: Machine, cores: Cores, measured: Measured, *, cache_hit: float) -> dict[str, Any]:
    """Return everything as JSON has it; what was not measured is not in it."""
    return {
        "machine": {**dataclasses.asdict(machine), "server_has_a_core_of_its_own": bool(cores.server)},
        "run": {**dataclasses.asdict(plan), "size": plan.size.value, "connections": CONNECTIONS, "processes": 1},
        "ratios": {
            operation: {name: ratio(found[GALLERIA], each) for name, each in found.items() if name != GALLERIA}
            for operation, found in measured.rounds.items()
        },
        "cache_hit": cache_hit,
        "rps": _medians(measured.rounds, lambda each: each.rps),
        "p99_ms": _medians(measured.rounds, lambda each: each.p99_ms),
        "cpu_us": _medians(measured.rounds, lambda each: each.cpu_us),
        "notes": list(measured.notes),
    }


def ratio(ours: Sequence[Round], theirs: Sequence[Round]) -> float:
    """Return how many answers of ours come for each of theirs: by round, then the median of the rounds."""
    return round(statistics.median(own.rps / other.rps for own, other in zip(ours, theirs, strict=True)), 3)


def _medians(rounds: Rounds, figure: Callable[[Round], float | None]) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for operation, servers in rounds.items():
        found[operation] = {}
        for name, each in servers.items():
            known = [value for value in map(figure, each) if value is not None]
            if known:
                found[operation][name] = round(statistics.median(known), 3)
    return found
