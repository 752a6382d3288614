"""What a server needs, and whether it has something to do."""

import resource
import time
from pathlib import Path

from bench.machine import processor_seconds
from bench.servers import Running
from core.errors import ConfigurationError

_SPARE_FILES = 500
"""Of a process, beside its sockets."""

_QUIET_SECONDS, _LONGEST_SECONDS = 0.3, 60.0
_QUIET_SHARE = 0.1
"""Of its core, which a server may use that has nothing to do."""


def allow_sockets(number: int) -> None:
    """Let this process, and those that it starts from now on, have as many sockets.

    Raises:
        ConfigurationError: The system does not.
    """
    needed = number + _SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise ConfigurationError(f"Allow {needed} open files (`ulimit -n {needed}`): each subscriber is one.")
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def resident_kib(pid: int) -> int | None:
    """Return how much memory a process has in use; None where nobody tells."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS:")), None)


def settle(server: Running) -> None:
    """Wait until a server has done what it had to do, such as seeing thousands of clients go.

    Raises:
        ConfigurationError: It does not come to an end.
    """
    limit = time.monotonic() + _LONGEST_SECONDS
    used = processor_seconds(server.pid)
    while used is not None:
        time.sleep(_QUIET_SECONDS)
        before, used = used, processor_seconds(server.pid)
        if used is not None and used - before <= _QUIET_SHARE * _QUIET_SECONDS:
            return
        if time.monotonic() > limit:
            raise ConfigurationError(f"{server.name} is busy, though nobody asks it anything: {server.tail()}")
