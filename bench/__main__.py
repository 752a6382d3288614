"""`python -m bench`: how many requests a second the pages of a storefront get, and how long each takes."""

import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import httpx
import orjson
import typer
from rich.console import Console

from bench import report, servers
from bench.load import Round, Target, measure, require_wrk
from bench.machine import Cores, machine, pin, share_cores
from bench.operations import SHOP, Checked, check, operations
from bench.report import Measured, Plan
from core.embedded import Embedded
from core.errors import ConfigurationError
from server.demo.profiles import Size

RESULTS = servers.ROOT / "bench" / "results" / "summary.json"
_WARM_UP_SECONDS = 2
_TIMEOUT_SECONDS = 30.0


def bench(
    *,
    size: Annotated[Size, typer.Option(help="How large the shop is that is asked.")] = Size.M,
    rounds: Annotated[int, typer.Option(min=1, max=20, help="Rounds; each asks for every page in turn.")] = 5,
    seconds: Annotated[int, typer.Option(min=1, max=60, help="Length of a page's turn.")] = 5,
) -> None:
    """Measure, print a table and write the figures to bench/results/summary.json."""
    console = Console(stderr=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    plan = Plan(size.value, rounds, seconds, machine(), share_cores())
    try:
        require_wrk()
        summary = report.summary(plan, _run(plan, console))
    except ConfigurationError as error:
        console.print(str(error), style="red", highlight=False, markup=False, soft_wrap=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_bytes(orjson.dumps(summary, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    Console().print(report.table(summary))


def _run(plan: Plan, console: Console) -> list[Measured]:
    with servers.folder() as folder, servers.database(folder) as postgres:
        environ = servers.environment(postgres, folder)
        console.print(f"Seeding the shop {SHOP}, size {plan.size}.")
        servers.run(environ, "migrate")
        servers.run(environ, "seed", "--size", plan.size, "--shop", SHOP)
        checked = _checked(environ, folder)
        console.print("Measuring.")
        return _measured(plan, postgres, folder, environ, checked)


def _checked(environ: Mapping[str, str], folder: Path) -> list[Checked]:
    """Check every answer on a server that tells its statements, as one in production does not."""
    development = {**environ, "GALLERIA_ENVIRONMENT": "development"}
    token = servers.run(environ, "keys", "token", "--as", "staff", "--shop", SHOP)
    with (
        servers.serving(development, folder / "check.log", Cores()) as server,
        httpx.Client(base_url=server.url, timeout=_TIMEOUT_SECONDS) as client,
    ):
        return [check(client, operation) for operation in operations(client, token)]


def _measured(
    plan: Plan, postgres: Embedded, folder: Path, environ: Mapping[str, str], checked: list[Checked]
) -> list[Measured]:
    """Warm up, then measure round by round, so that a disturbance hits all pages alike."""
    if postgres.running is None:
        raise ConfigurationError("Another process runs this PostgreSQL: stop it.")
    database_pid, cores = postgres.running.process.pid, plan.cores
    pin(database_pid, cores.others)
    found: dict[str, list[Round]] = {each.operation.name: [] for each in checked}
    with servers.serving(environ, folder / "serve.log", cores) as server:
        target = Target(f"{server.url}/graphql", server.pid, database_pid)
        for each in checked:
            measure(target, each, folder, seconds=_WARM_UP_SECONDS, cores=cores)
        for _ in range(plan.rounds):
            for each in checked:
                found[each.operation.name].append(measure(target, each, folder, seconds=plan.seconds, cores=cores))
    return [Measured(each, found[each.operation.name]) for each in checked]


if __name__ == "__main__":
    typer.run(bench)
