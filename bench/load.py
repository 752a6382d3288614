"""Load: `wrk` on one operation of one server, for some seconds."""

import dataclasses
import shutil
import subprocess
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import orjson

from bench.machine import Cores, pin, processor_seconds
from bench.servers import Ground, Running
from core.errors import ConfigurationError

CONNECTIONS = 16
_SCRIPT = Path(__file__).with_name("load.lua")
_TIMEOUT_SECONDS = 10
_LONGER = (1, 3, 9)
"""How much longer each attempt takes."""

_REQUESTS = "requests.txt"
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
    """Run wrk once; again and longer where no answer came in time, as on a machine that others keep busy.

    Args:
        server: What the load goes to.
        turn: What is asked.
        ground: Where wrk runs, and files of ours are.
        seconds: How long.

    Raises:
        ConfigurationError: Some answer was not one of those that were checked.
    """
    sizes = " ".join(str(size) for size in sorted(turn.sizes))
    lines = [sizes.encode(), *(each.header.encode() + b"\t" + each.body for each in turn.sent)]
    (ground.folder / _REQUESTS).write_bytes(b"\n".join(lines) + b"\n")
    for longer in _LONGER:
        before = processor_seconds(server.pid)
        found = _figures(server, ground, seconds=seconds * longer)
        after = processor_seconds(server.pid)
        if found["wrong"] or found["broken"]:
            raise ConfigurationError(
                f"{server.name}: of {found['requests']} answers {found['wrong']} were not the one expected and "
                f"{found['broken']} did not come; its log says more: {server.tail()}"
            )
        if found["requests"]:
            used = None if before is None or after is None else after - before
            return Round(
                rps=round(found["requests"] * 1e6 / found["microseconds"], 1),
                p99_ms=found["p99_microseconds"] / 1000,
                cpu_us=None if used is None else round(used * 1e6 / found["requests"], 1),
            )
    raise ConfigurationError(f"{server.name} answers nothing in {seconds * _LONGER[-1]} seconds.")


def _figures(server: Running, ground: Ground, *, seconds: int) -> Mapping[str, int]:
    requests, figures = ground.folder / _REQUESTS, ground.folder / "figures.json"
    _run_wrk(
        ["--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{seconds}s"],
        ["--timeout", f"{_TIMEOUT_SECONDS}s", "--script", str(_SCRIPT), f"{server.url}/graphql"],
        ["--", str(requests), str(figures)],
        timeout_seconds=seconds + _PATIENCE_SECONDS,
        cores=ground.cores,
    )
    found: Mapping[str, int] = orjson.loads(figures.read_bytes())
    return found


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
