"""A PostgreSQL of our own, for laptops and tests: nothing to install, nothing left running."""

import contextlib
import dataclasses
import fcntl
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from core import embedded_binaries
from core.embedded_binaries import Account
from core.embedded_cluster import DATABASE, elsewhere, passwords, prepare, state
from core.errors import ConfigurationError

START_TIMEOUT_SECONDS = 60.0
"""Recovery after a crash may have to replay a gigabyte of log."""

STOP_TIMEOUT_SECONDS = 30.0
POLL_SECONDS = 0.005
"""PostgreSQL says that it is ready by a line in a file."""

PORT_ATTEMPTS = 3
"""A port that is free when we look may be taken a moment later."""

ALWAYS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "128MB",
    "jit": "off",
    # What is read lies in memory, or on a disk without heads: by the default of 4, made for those with, small tables
    # are read from end to end for each row of a page.
    "random_page_cost": "1.1",
}
"""TCP alone, since a socket's path would be limited to 107 bytes."""

DURABLE = {"max_connections": "100"}
FLEETING = {"max_connections": "200", "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
"""For tests, whose data need not survive the machine."""


@dataclasses.dataclass(frozen=True, slots=True)
class Running:
    """What has to be ended when we stop.

    Attributes:
        process: The postmaster.
        guard: Stops the postmaster when we die without stopping it.
        lock: Held for as long as the folder is in use.
    """

    process: "subprocess.Popen[bytes]"
    guard: "subprocess.Popen[bytes]"
    lock: IO[str]


@dataclasses.dataclass(frozen=True, slots=True)
class Embedded:
    """A PostgreSQL that answers on the loopback interface.

    Attributes:
        port: Where it listens.
        passwords: By role.
        running: None when another process of ours started it.
    """

    port: int
    passwords: Mapping[str, str] = dataclasses.field(repr=False)
    running: Running | None = None

    def url(self, user: str, database: str = DATABASE) -> str:
        """Return the address for a role, with its password."""
        return f"postgresql://{user}:{self.passwords[user]}@127.0.0.1:{self.port}/{database}"

    def stop(self) -> None:
        """Stop PostgreSQL if we started it: open sessions are ended and their transactions rolled back."""
        if self.running is None:
            return
        _end(self.running.process)
        self.running.guard.kill()
        self.running.guard.communicate()
        self.running.lock.close()


def start(folder: Path, *, durable: bool = True) -> Embedded:
    """Start PostgreSQL on a folder, which is made and filled the first time.

    Args:
        folder: Belongs to this function alone.
        durable: False for tests, whose data may be lost with the machine.

    Raises:
        ConfigurationError: The folder is in use or broken, or PostgreSQL cannot run; the message says what to do.
    """
    runner = embedded_binaries.account()
    programs = embedded_binaries.binaries(runner)
    settings = ALWAYS | (DURABLE if durable else FLEETING)
    with contextlib.ExitStack() as undo:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = undo.enter_context(_locked(folder))
            cluster = prepare(folder, programs, runner)
            known = passwords(folder)
            _end_leftover(cluster)
            process, port = _launched(folder, cluster, programs, runner, settings=settings)
        except OSError as error:
            raise ConfigurationError(f"Cannot use the data folder: {error}. {elsewhere(folder)}") from None
        undo.pop_all()
    return Embedded(port, known, Running(process, embedded_binaries.guard(process), lock))


def find(folder: Path) -> Embedded | None:
    """Return the PostgreSQL that another process of ours runs on a folder, if there is one."""
    try:
        _locked(folder).close()
    except FileNotFoundError:
        return None
    except ConfigurationError:
        found = state(folder / "cluster")
        return Embedded(found.port, passwords(folder)) if found and found.is_ready else None
    return None


def _locked(folder: Path) -> IO[str]:
    """Take the folder for this process; the lock goes with the process, however it ends."""
    lock = (folder / "lock").open("a+", encoding="ascii")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read().strip()
        lock.close()
        raise ConfigurationError(
            f"Galleria already runs on {folder}, as process {holder}: stop it, "
            "or use another data folder and port: make serve DATA=folder PORT=8001"
        ) from None
    lock.truncate(0)
    lock.write(str(os.getpid()))
    lock.flush()
    return lock


def _end_leftover(cluster: Path) -> None:
    """End the postmaster of a process that was killed together with its guard."""
    found = state(cluster)
    if found is None:
        return
    if not _serves(found.pid, cluster):
        (cluster / "postmaster.pid").unlink(missing_ok=True)
        return
    os.kill(found.pid, signal.SIGINT)
    if not _waited(lambda: not _serves(found.pid, cluster), STOP_TIMEOUT_SECONDS):
        raise ConfigurationError(
            f"A PostgreSQL from before (process {found.pid}) does not stop: end it with kill -QUIT {found.pid}"
        )


def _serves(pid: int, cluster: Path) -> bool:
    """Tell whether a process is the postmaster of a cluster: those work in its folder, and pids are used again."""
    if Path("/proc/self/cwd").exists():
        try:
            return Path(f"/proc/{pid}/cwd").readlink() == cluster
        except OSError:
            return False
    listing = subprocess.run(  # noqa: S603 - the argument is a number.
        ["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return str(cluster) in listing.stdout


def _launched(
    folder: Path, cluster: Path, programs: Path, runner: Account, *, settings: Mapping[str, str]
) -> "tuple[subprocess.Popen[bytes], int]":
    """Start the postmaster on a free port and wait until it takes connections."""
    path = folder / "log"
    path.touch(mode=0o600)
    options = [argument for name, value in settings.items() for argument in ("-c", f"{name}={value}")]
    for _ in range(PORT_ATTEMPTS):
        port = _free_port()
        with path.open("wb") as log:
            process = runner.launch([programs / "postgres", "-D", cluster, "-p", str(port), *options], log=log)
        if _became_ready(process, cluster):
            return process, port
        if b"Address already in use" not in path.read_bytes():
            break
    raise ConfigurationError(f"PostgreSQL did not start: {_reason(path)} (see {path}). {elsewhere(folder)}")


def _became_ready(process: "subprocess.Popen[bytes]", cluster: Path) -> bool:
    """Wait until a postmaster takes connections; one that does not is ended."""
    try:
        _waited(lambda: process.poll() is not None or _is_ready(cluster, process.pid), START_TIMEOUT_SECONDS)
    except BaseException:
        _end(process)
        raise
    if process.poll() is None and _is_ready(cluster, process.pid):
        return True
    _end(process)
    return False


def _is_ready(cluster: Path, pid: int) -> bool:
    found = state(cluster)
    return found is not None and found.pid == pid and found.is_ready


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Stop a postmaster: a fast shutdown, and an immediate one if that hangs."""
    for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
        if process.poll() is None:
            process.send_signal(how)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_TIMEOUT_SECONDS)
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _waited(condition: Callable[[], bool], timeout_seconds: float) -> bool:
    limit = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > limit:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _reason(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    fatal = [line.partition("FATAL:")[2] or line.partition("PANIC:")[2] for line in lines]
    return next((line.strip() for line in fatal if line), lines[-1] if lines else "it said nothing")
