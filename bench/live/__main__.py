"""`python -m bench.live`: how fast events reach thousands of subscribers, beside other servers of subscriptions."""

import contextlib
import gc
from typing import Annotated, Any

import typer
from rich.console import Console

from bench import running, servers
from bench.contenders import GALLERIA
from bench.live import fanout, report, tasks
from bench.live.contenders import TITLES, customers
from bench.live.contest import Contest, contest
from bench.live.flow import Flow, Flowed, run_flow
from bench.live.levels import read_levels
from bench.live.messages import hello
from bench.live.processes import allow_sockets, settle
from bench.live.results import Found, Plan, summary
from bench.live.storm import storms
from bench.machine import machine, share_cores
from bench.shops import LARGEST

_RATES = (100, 500, 1_000)
_FULL = Plan((1_000, 5_000, 10_000), 7, _RATES, 10, clients=10, storm=5_000, storms=3, storms_of_peers=1)
_QUICK = Plan((1_000, 5_000), 3, _RATES, 2, clients=10, storm=1_000, storms=1, storms_of_peers=1)
_EVENTS_AT_ONCE = 10
"""Of a mutation, where events come at a steady rate: as of an order, or of what a warehouse reports."""

_WARM_UP_SECONDS = 1.0
_LONGEST_SECONDS = 1_200
"""A run that takes longer than this hangs."""


def bench(
    *, quick: Annotated[bool, typer.Option("--quick", help="Fewer and shorter turns; writes live-quick.json.")] = False
) -> None:
    """Measure, write the figures to bench/results, and show them in the README."""
    plan, results = (_QUICK, report.QUICK) if quick else (_FULL, report.FULL)
    found = running.run(lambda console: _run(plan, console), results, longest_seconds=_LONGEST_SECONDS)
    if not quick:
        report.publish(found)
    running.show(report.table(found), *(f"Note: {note}" for note in found["notes"]))


def _run(plan: Plan, console: Console) -> dict[str, Any]:
    here, cores = machine(), share_cores()
    allow_sockets(max(*plan.sizes, plan.storm))
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(servers.folder())
        postgres = stack.enter_context(servers.database(folder, cores))
        ground = servers.Ground(servers.environment(postgres, folder), folder, cores)
        servers.run(ground.environ, "migrate")
        servers.run(ground.environ, "seed", "--size", "S", "--shop", LARGEST)
        gc.freeze()
        measured = _measured(plan, stack.enter_context(contest(ground, console)), console)
        return summary(plan, here, cores, measured)


def _measured(plan: Plan, here: Contest, console: Console) -> Found:
    def fan_out(names: list[str], hellos: fanout.Hellos) -> fanout.Sizes:
        return fanout.fan_out(here, fanout.Course(names, hellos, plan.sizes, plan.rounds), console)

    console.print("Fan-out.")
    equal = fan_out(list(TITLES), fanout.equal(here))
    console.print("Storms.")
    stormed = storms(
        here, subscribers=plan.storm, rounds=plan.storms, rounds_of_peers=plan.storms_of_peers, console=console
    )
    console.print("Fan-out of Galleria, distinct variables.")
    variables = fan_out([GALLERIA], fanout.distinct_variables(here))
    console.print("Fan-out of Galleria, distinct principals.")
    principals = fan_out([GALLERIA], fanout.distinct_principals(here))
    console.print("Latency.")
    return Found(equal, variables, principals, _flows(plan, here), stormed, here.notes)


def _flows(plan: Plan, here: Contest) -> dict[int, Flowed]:
    """Let events happen at each rate, after some that are not timed."""
    ours = here.galleria
    people = customers(here.environ, plan.clients, "flow")
    subjects = [level.variant_id for level in here.levels]
    ours.audience.do(tasks.enter, [hello(token, subjects, ours.sequence) for token in people])
    found: dict[int, Flowed] = {}
    for rate, seconds in ((plan.rates[0], _WARM_UP_SECONDS), *((rate, plan.seconds) for rate in plan.rates)):
        # The process of the audience counts copies of the levels.
        levels = [each for each in read_levels(ours.server.url, here.owner) if each.variant_id in subjects]
        found[rate] = ours.audience.do(run_flow, Flow(levels, here.owner, rate, _EVENTS_AT_ONCE, seconds))
        settle(ours.server)
    ours.audience.do(tasks.leave)
    return found


if __name__ == "__main__":
    typer.run(bench)
