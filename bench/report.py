"""The figures of a run: as a file for machines and a table for people."""

import dataclasses
import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from bench.load import CONNECTIONS, Round
from bench.machine import Cores, Machine
from bench.operations import Checked

_COLUMNS = {
    "req/s": "rps",
    "p50 ms": "p50_ms",
    "p99 ms": "p99_ms",
    "CPU ms": "server_cpu_ms",
    "DB ms": "database_cpu_ms",
    "SQL": "statements",
    "rows": "rows",
    "bytes": "bytes",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What is to be measured, and on what.

    Attributes:
        size: Of the shop.
        rounds: Each asks for every page in turn.
        seconds: Length of a page's turn.
        machine: As it was before.
        cores: Who runs where.
    """

    size: str
    rounds: int
    seconds: int
    machine: Machine
    cores: Cores


@dataclasses.dataclass(frozen=True, slots=True)
class Measured:
    """An operation and its figures, round by round."""

    checked: Checked
    rounds: Sequence[Round]


def summary(plan: Plan, measured: Sequence[Measured]) -> dict[str, Any]:
    """Return everything as JSON has it."""
    return {
        "machine": {**dataclasses.asdict(plan.machine), "server_has_a_core_of_its_own": bool(plan.cores.server)},
        "size": plan.size,
        "connections": CONNECTIONS,
        "processes": 1,
        "rounds": plan.rounds,
        "seconds": plan.seconds,
        "operations": {each.checked.operation.name: _figures(each) for each in measured},
    }


def table(found: Mapping[str, Any]) -> Table:
    """Return a summary for people to look at."""
    machine = found["machine"]
    shown = Table(
        title=f"Size {found['size']}, {CONNECTIONS} connections, one process; median of {found['rounds']} rounds",
        caption=f"{machine['processor']}, {machine['cores']} cores, load before {machine['load']}; "
        f"Python {machine['python']}. CPU and DB: processor time of the server and of PostgreSQL for one answer.",
    )
    shown.add_column("page")
    for title in _COLUMNS:
        shown.add_column(title, justify="right")
    for name, figures in found["operations"].items():
        shown.add_row(name, *("?" if figures[key] is None else f"{figures[key]:,}" for key in _COLUMNS.values()))
    return shown


def _figures(measured: Measured) -> dict[str, Any]:
    rates = [each.rps for each in measured.rounds]
    medians = {field.name: _median(measured.rounds, field.name) for field in dataclasses.fields(Round)}
    return {
        **medians,
        "rps_least": min(rates),
        "rps_most": max(rates),
        "statements": measured.checked.statements,
        "rows": measured.checked.rows,
        "bytes": measured.checked.answer_bytes,
    }


def _median(rounds: Sequence[Round], name: str) -> float | None:
    known = [value for value in (getattr(each, name) for each in rounds) if value is not None]
    return round(statistics.median(known), 3) if known else None
