"""The machine that is measured: its cores, who runs on which, and the processor time that was used."""

import dataclasses
import os
import platform
from pathlib import Path

_PROC = Path("/proc")
_USER_TIME, _SYSTEM_TIME = 11, 12
"""Places in `/proc/<pid>/stat` behind the name of the program (proc_pid_stat(5))."""


@dataclasses.dataclass(frozen=True, slots=True)
class Machine:
    """What the figures were measured on.

    Attributes:
        processor: Its name.
        cores: How many this process may use.
        system: Operating system.
        python: Version that the server runs on.
        load: Processes that were running or waiting in the minute before; more than a few of them blur the figures.
    """

    processor: str
    cores: int
    system: str
    python: str
    load: float


@dataclasses.dataclass(frozen=True, slots=True)
class Cores:
    """Who runs on which cores; empty where the system has no way to say so, or too few.

    Attributes:
        server: One core for the process that is measured.
        others: The rest, for PostgreSQL and the clients.
    """

    server: frozenset[int] = frozenset()
    others: frozenset[int] = frozenset()


def machine() -> Machine:
    """Describe this machine."""
    return Machine(
        processor=_processor(),
        cores=len(_allowed()) or os.cpu_count() or 1,
        system=platform.system(),
        python=platform.python_version(),
        load=round(os.getloadavg()[0], 2),
    )


def share_cores() -> Cores:
    """Give the server a core of its own."""
    allowed = sorted(_allowed())
    if len(allowed) < 2:  # noqa: PLR2004  (two parties)
        return Cores()
    return Cores(frozenset(allowed[:1]), frozenset(allowed[1:]))


def pin(pid: int, cores: frozenset[int]) -> None:
    """Keep a process, and those that it starts from now on, on these cores."""
    if cores:
        os.sched_setaffinity(pid, cores)


def processor_seconds(pid: int) -> float | None:
    """Return the processor time that a process has used, in user and system mode; None where nobody tells."""
    fields = _statistics(pid)
    if fields is None:
        return None
    return (int(fields[_USER_TIME]) + int(fields[_SYSTEM_TIME])) / os.sysconf("SC_CLK_TCK")


def _statistics(pid: int) -> list[str] | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def _allowed() -> set[int]:
    return set(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else set()


def _processor() -> str:
    try:
        lines = (_PROC / "cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
