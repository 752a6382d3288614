"""The figures of a run, as the file of results has them."""

import dataclasses
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from bench.goodput.load import Outcome
from bench.machine import Cores, Machine

GOOD_SECONDS = 1.0
"""An answer that comes later is of no use any more: its reader has gone."""

LIMITED, UNLIMITED = "limited", "unlimited"
"""Galleria as it is, and as it would be if it let everybody in."""

MUTATION = "mutation"
_TOP = 3.0


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured.

    Attributes:
        loads: What is asked, in multiples of what the server can do.
        seconds: How long each of them is measured.
        warm_up_seconds: How long it lasts before.
        size: Of the largest shop.
        shops: How many shops there are.
    """

    loads: Sequence[float]
    seconds: float
    warm_up_seconds: float
    size: str
    shops: int


def level(outcome: Outcome, seconds: float) -> dict[str, float | None]:
    """Return the figures of one load."""
    offered = sum(outcome.offered.values())
    good = [each for each in outcome.seconds if each <= GOOD_SECONDS]
    mutations = outcome.offered[MUTATION]
    return {
        "offered_rps": round(offered / seconds, 1),
        "goodput_rps": round(len(good) / seconds, 1),
        "p50_ms": _percentile(outcome.seconds, 50),
        "p99_ms": _percentile(outcome.seconds, 99),
        "refused": _share(sum(outcome.refused.values()), offered),
        "refused_mutations": _share(outcome.refused[MUTATION], mutations),
        "late_or_failed": _share(len(outcome.seconds) - len(good) + outcome.failed, offered),
    }


def summary(
    plan: Plan, machine: Machine, cores: Cores, capacity: float, curves: Mapping[str, Mapping[float, Any]]
) -> dict[str, Any]:
    """Return everything as JSON has it."""
    peak = max(each["goodput_rps"] for each in curves[LIMITED].values())
    top = curves[LIMITED].get(_TOP) or curves[LIMITED][max(curves[LIMITED])]
    return {
        "machine": {**dataclasses.asdict(machine), "server_has_a_core_of_its_own": bool(cores.server)},
        "run": dataclasses.asdict(plan),
        "capacity_rps": round(capacity, 1),
        "of_peak_at_most_load": round(top["goodput_rps"] / peak, 3),
        "loads": {name: {str(load): each for load, each in found.items()} for name, found in curves.items()},
    }


def _percentile(values: Sequence[float], percent: int) -> float | None:
    if len(values) < 2:  # noqa: PLR2004  (needed by the method)
        return None
    return round(statistics.quantiles(values, n=100, method="inclusive")[percent - 1] * 1000, 1)


def _share(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0
