"""`python -m bench`: how fast Galleria is beside other servers, on the same data and under the same guarantees."""

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from bench import report, running, servers, shops
from bench.cached import cache_hit
from bench.load import require_wrk
from bench.machine import machine, share_cores
from bench.measuring import Plan, measured
from bench.results import summary
from server.demo.profiles import Size

_FULL = Plan(size=Size.L, shops=10, rounds=7, seconds=3, warm_up_seconds=3)
_QUICK = Plan(size=Size.M, shops=3, rounds=2, seconds=1, warm_up_seconds=2)
_LONGEST_SECONDS = 3_600
"""A run that takes longer than this hangs."""


def bench(
    *,
    quick: Annotated[
        bool, typer.Option("--quick", help="A smaller shop and shorter turns; writes quick.json.")
    ] = False,
    size: Annotated[Size | None, typer.Option(help="How large the largest shop is.")] = None,
    rounds: Annotated[int | None, typer.Option(min=1, max=20, help="Rounds; each asks all servers in turn.")] = None,
    seconds: Annotated[int | None, typer.Option(min=1, max=60, help="Length of a turn.")] = None,
) -> None:
    """Measure, write the figures to bench/results, and show them in the README."""
    plan = (_QUICK if quick else _FULL).changed(size=size, rounds=rounds, seconds=seconds)
    results = report.QUICK if quick else report.FULL
    found = running.run(lambda console: _run(plan, console), results, longest_seconds=_LONGEST_SECONDS)
    if not quick:
        report.publish(found)
    running.show(report.table(found), *(f"Note: {note}" for note in found["notes"]))


def _run(plan: Plan, console: Console) -> Mapping[str, Any]:
    require_wrk()
    here, cores = machine(), share_cores()
    with contextlib.ExitStack() as stack:
        folder: Path = stack.enter_context(servers.folder())
        postgres = stack.enter_context(servers.database(folder, cores))
        ground = servers.Ground(servers.environment(postgres, folder), folder, cores)
        console.print(f"Seeding {plan.shops} shops; the largest has size {plan.size.value}.")
        servers.run(ground.environ, "migrate")
        servers.run(ground.environ, "seed", "--size", plan.size.value, "--shop", shops.LARGEST)
        shops.seed_others(ground.environ, plan.shops)
        found = measured(plan, ground, console)
        console.print("Measuring answers from the response cache.")
        return summary(plan, here, cores, found, cache_hit=cache_hit(plan, ground))


if __name__ == "__main__":
    typer.run(bench)
