"""Load: `wrk` on one operation of one server, for some seconds."""

import dataclasses
import shutil
import subprocess
from collections.abc import Collection, Sequence
from pathlib import Path

import orjson

from bench.machine import Cores, pin, processor_seconds
from bench.servers import Ground, Running
from core.errors import ConfigurationError

CONNECTIONS = 16
_SCRIPT = Path(__file__).with_name("load.lua")
_TIMEOUT_SECONDS = 10
_PATIENCE_SECONDS = 60
"""Beyond the time of a turn; a wrk that takes longer hangs."""


@dataclasses.dataclass(frozen=True, slots=True)
class Sent:
    """A request as it is sent.

    Attributes:
        header: The header line that says who asks, or which shop.
        body: JSON without line breaks.
    """

    header: str
    body: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class Turn:
    """What a server is asked, and how large its answers are.

    Attributes:
        sent: Requests, sent one after the other and again from the start.
        sizes: Bytes of the answers that were checked.
    """

    sent: Sequence[Sent]
    sizes: Collection[int]


@dataclasses.dataclass(frozen=True, slots=True)
class Round:
    """Figures of one turn.

    Attributes:
        rps: Answers a second.
        p99_ms: All but one of a hundred answers took this long or less.
        cpu_us: Processor time of the server an answer; None where the system does not tell.
    """

    rps: float
    p99_ms: float
    cpu_us: float | None


def require_wrk() -> str:
    """Return where wrk is.

    Raises:
        ConfigurationError: It is not installed.
    """
    found = shutil.which("wrk")
    if found is None:
        raise ConfigurationError("Install wrk, which makes the load (Debian and Ubuntu: apt install wrk).")
    return found


def measure(server: Running, turn: Turn, ground: Ground, *, seconds: int) -> Round:
    """Run wrk once.

    Args:
        server: What the load goes to.
        turn: What is asked.
        ground: Where wrk runs, and files of ours are.
        seconds: How long.

    Raises:
        ConfigurationError: Some answer was not one of those that were checked.
    """
    requests, figures = ground.folder / "requests.txt", ground.folder / "figures.json"
    sizes = " ".join(str(size) for size in sorted(turn.sizes))
    lines = [sizes.encode(), *(each.header.encode() + b"\t" + each.body for each in turn.sent)]
    requests.write_bytes(b"\n".join(lines) + b"\n")
    before = processor_seconds(server.pid)
    _run_wrk(
        ["--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{seconds}s"],
        ["--timeout", f"{_TIMEOUT_SECONDS}s", "--script", str(_SCRIPT), f"{server.url}/graphql"],
        ["--", str(requests), str(figures)],
        timeout_seconds=seconds + _PATIENCE_SECONDS,
        cores=ground.cores,
    )
    after = processor_seconds(server.pid)
    found = orjson.loads(figures.read_bytes())
    if found["wrong"] or found["broken"] or not found["requests"]:
        raise ConfigurationError(
            f"{server.name}: of {found['requests']} answers {found['wrong']} were not the one expected and "
            f"{found['broken']} did not come; its log says more: {server.tail()}"
        )
    return Round(
        rps=round(found["requests"] * 1e6 / found["microseconds"], 1),
        p99_ms=found["p99_microseconds"] / 1000,
        cpu_us=None if before is None or after is None else round((after - before) * 1e6 / found["requests"], 1),
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
