"""Load: `wrk` on one operation, for some seconds."""

import dataclasses
import shutil
import subprocess
from pathlib import Path

import orjson

from bench.machine import Cores, children, pin, processor_seconds
from bench.operations import SHOP, Checked
from core.errors import ConfigurationError

CONNECTIONS = 16
_SCRIPT = Path(__file__).with_name("load.lua")
_TIMEOUT_SECONDS = 10
_PATIENCE_SECONDS = 60
"""Beyond the time of a round; a wrk that takes longer hangs."""


@dataclasses.dataclass(frozen=True, slots=True)
class Target:
    """What the load goes to.

    Attributes:
        url: Address of the endpoint.
        server_pid: Process of the server.
        database_pid: Process that PostgreSQL's sessions descend from.
    """

    url: str
    server_pid: int
    database_pid: int


@dataclasses.dataclass(frozen=True, slots=True)
class Round:
    """Figures of one run of wrk.

    Attributes:
        rps: Answers a second.
        p50_ms: Half of the answers took this long or less.
        p99_ms: All but one of a hundred answers took this long or less.
        server_cpu_ms: Processor time of the server an answer; None where the system does not tell.
        database_cpu_ms: The same of PostgreSQL.
    """

    rps: float
    p50_ms: float
    p99_ms: float
    server_cpu_ms: float | None
    database_cpu_ms: float | None


def require_wrk() -> str:
    """Return where wrk is.

    Raises:
        ConfigurationError: It is not installed.
    """
    found = shutil.which("wrk")
    if found is None:
        raise ConfigurationError("Install wrk, which makes the load (Debian and Ubuntu: apt install wrk).")
    return found


def measure(target: Target, checked: Checked, folder: Path, *, seconds: int, cores: Cores) -> Round:
    """Run wrk once.

    Args:
        target: What the load goes to.
        checked: The operation and the size of its answer.
        folder: For files of ours.
        seconds: How long.
        cores: Where wrk runs.

    Raises:
        ConfigurationError: Some answer was not the one that was checked.
    """
    body, figures = folder / f"{checked.operation.name}.json", folder / "figures.json"
    body.write_bytes(checked.operation.body)
    before = _used(target)
    _run_wrk(
        ["--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{seconds}s"],
        ["--timeout", f"{_TIMEOUT_SECONDS}s", "--script", str(_SCRIPT), target.url],
        ["--", str(body), SHOP, str(checked.answer_bytes), str(figures)],
        timeout_seconds=seconds + _PATIENCE_SECONDS,
        cores=cores,
    )
    found = orjson.loads(figures.read_bytes())
    if found["wrong"] or found["broken"] or not found["requests"]:
        raise ConfigurationError(
            f"{checked.operation.name}: of {found['requests']} answers {found['wrong']} were not the one expected and "
            f"{found['broken']} broke off. Run the server by itself and look at its log."
        )
    server, database = (
        None if was is None or now is None else round((now - was) * 1000 / found["requests"], 3)
        for was, now in zip(before, _used(target), strict=True)
    )
    return Round(
        rps=round(found["requests"] * 1e6 / found["microseconds"], 1),
        p50_ms=found["p50_microseconds"] / 1000,
        p99_ms=found["p99_microseconds"] / 1000,
        server_cpu_ms=server,
        database_cpu_ms=database,
    )


def _run_wrk(*arguments: list[str], timeout_seconds: float, cores: Cores) -> None:
    command = [require_wrk(), *(argument for group in arguments for argument in group)]
    with subprocess.Popen(  # noqa: S603  (the program is the one we looked for)
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            pin(process.pid, cores.others)
            printed, _ = process.communicate(timeout=timeout_seconds)
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        raise ConfigurationError(f"wrk ended with {process.returncode}: {printed.strip()[-500:]}")


def _used(target: Target) -> tuple[float | None, float | None]:
    """Return the processor time of the server and of PostgreSQL's sessions so far."""
    sessions = [processor_seconds(pid) for pid in children(target.database_pid)]
    known = [seconds for seconds in sessions if seconds is not None]
    return processor_seconds(target.server_pid), sum(known) if known else None
