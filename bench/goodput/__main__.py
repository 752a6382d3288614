"""`python -m bench.goodput`: how much is answered in time when up to three times as much is asked as can be done."""

import asyncio
import contextlib
import os
import random
import resource
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import httpx
import typer
import uvloop
from rich.console import Console

from bench import contenders, running, servers, shops
from bench.goodput import report
from bench.goodput.load import CONNECTIONS, Asked, Crowd
from bench.goodput.results import LIMITED, MUTATION, UNLIMITED, Plan, level, summary
from bench.machine import machine, pin, share_cores
from bench.operations import body, documents, requests
from bench.servers import Ground, Program, Running, serving

_LOADS = (0.5, 1.0, 1.5, 2.0, 3.0)
_FULL = Plan(_LOADS, seconds=20.0, warm_up_seconds=5.0, size="M", shops=5)
_QUICK = Plan(_LOADS, seconds=3.0, warm_up_seconds=2.0, size="M", shops=3)

_SHARES = {"listing": 8, "detail": 1, MUTATION: 1}
"""How often each operation is asked; a listing is what most people see first, and the dearest of them."""

_CLIENTS = 32
_SEED = 20_261_121
_LONGEST_SECONDS = 1_800
_TIMEOUT_SECONDS = 30.0
_FILES_BESIDE = 200


def goodput(
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Shorter; writes goodput-quick.json.")] = False,
    seconds: Annotated[float | None, typer.Option(min=1, max=120, help="Length of each load.")] = None,
) -> None:
    """Measure, write the figures to bench/results, and show them in docs/overload.md."""
    plan, results = (_QUICK, report.QUICK) if quick else (_FULL, report.FULL)
    if seconds is not None:
        plan = Plan(plan.loads, seconds, plan.warm_up_seconds, plan.size, plan.shops)
    found = running.run(lambda console: measured(plan, console), results, longest_seconds=_LONGEST_SECONDS)
    if not quick:
        report.publish(found)
    running.show(report.table(found), report.caption(found))


def measured(plan: Plan, console: Console) -> dict[str, Any]:
    """Measure Galleria as it is, and as it would be without a limit."""
    here, cores = machine(), share_cores()
    _allow_connections()
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(servers.folder())
        postgres = stack.enter_context(servers.database(folder, cores))
        ground = Ground(servers.environment(postgres, folder), folder, cores)
        console.print("Seeding.")
        servers.run(ground.environ, "migrate")
        servers.run(ground.environ, "seed", "--size", plan.size, "--shop", shops.LARGEST)
        shops.seed_others(ground.environ, plan.shops)
        # The load shares its cores with PostgreSQL, and none with the server.
        pin(os.getpid(), cores.others)
        programs = {name: stack.enter_context(serving(_program(ground, name), ground)) for name in (LIMITED, UNLIMITED)}
        asked = _asked(programs[LIMITED], ground.environ, plan.shops)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            capacity, curves = runner.run(_curves(plan, programs, asked, console))
        return summary(plan, here, cores, capacity, curves)


async def _curves(
    plan: Plan, running: Mapping[str, Running], asked: Sequence[Asked], console: Console
) -> tuple[float, dict[str, dict[float, Any]]]:
    """Find out what the server can do, then ask each for multiples of that."""
    crowds = {name: Crowd(server.url, asked, random.Random(_SEED)) for name, server in running.items()}  # noqa: S311
    for crowd in crowds.values():
        await crowd.press(_CLIENTS, seconds=plan.warm_up_seconds)
    capacity = await crowds[LIMITED].press(_CLIENTS, seconds=plan.seconds)
    console.print(f"It answers {capacity:,.0f} requests a second.")
    curves: dict[str, dict[float, Any]] = {name: {} for name in crowds}
    # One after the other, and each from rest: what a server without a limit has not done yet would be others' load.
    for name, crowd in crowds.items():
        for load in plan.loads:
            await crowd.rest()
            outcome = await crowd.come(load * capacity, seconds=plan.seconds, warm_up_seconds=plan.warm_up_seconds)
            curves[name][load] = found = level(outcome, plan.seconds)
            console.print(f"{load:g} times that, {name}: {found['goodput_rps']:,.0f} good answers a second.")
    for crowd in crowds.values():
        await crowd.leave()
    return capacity, curves


def _program(ground: Ground, name: str) -> Program:
    galleria = contenders.galleria(ground.environ, name=name)
    concurrency = {LIMITED: "auto", UNLIMITED: "100000"}[name]
    return Program(name, galleria.command, {**galleria.environ, "GALLERIA_CONCURRENCY": concurrency}, "GALLERIA_PORT")


def _asked(server: Running, environ: Mapping[str, str], number: int) -> list[Asked]:
    """Return requests, as often as their operation's share has it."""
    with httpx.Client(base_url=server.url, timeout=_TIMEOUT_SECONDS) as client:
        found = requests(client, shops.shoppers(environ, number))
    texts = documents()
    most = max(len(found[name]) for name in _SHARES)
    asked = []
    for name, share in _SHARES.items():
        for place in range(share * most):
            request = found[name][place % len(found[name])]
            content = body(request, texts[name])
            lines = [
                "POST /graphql HTTP/1.1",
                "host: localhost",
                "content-type: application/json",
                "accept: application/graphql-response+json, application/json",
                f"authorization: Bearer {request.token}",
                f"content-length: {len(content)}",
            ]
            asked.append(Asked(name, "\r\n".join([*lines, "", ""]).encode() + content))
    return asked


def _allow_connections() -> None:
    """Let this process, and the servers that it starts, have as many connections as the load may need."""
    needed = 2 * CONNECTIONS + _FILES_BESIDE
    least, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if least < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(needed, most), most))


if __name__ == "__main__":
    typer.run(goodput)
