"""Processes that a run starts and ends: PostgreSQL, Galleria and its peers."""

import contextlib
import dataclasses
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import httpx
import orjson
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm

from bench.machine import Cores, pin
from core import embedded
from core.embedded import Embedded
from core.embedded_cluster import APPLICATION, OWNER
from core.errors import ConfigurationError

ROOT = Path(__file__).parent.parent
_READY_SECONDS = 60.0
_STOP_SECONDS = 30.0
_POLL_SECONDS = 0.05
_LOG_CHARACTERS = 500


@dataclasses.dataclass(frozen=True, slots=True)
class Ground:
    """What all servers of a run stand on.

    Attributes:
        environ: Settings of Galleria, which the others' follow from.
        folder: For keys, logs and other files.
        cores: Who runs where.
    """

    environ: Mapping[str, str]
    folder: Path
    cores: Cores


@dataclasses.dataclass(frozen=True, slots=True)
class Program:
    """How a server is started.

    Attributes:
        name: As in the results.
        command: Program and arguments; `{port}` stands for its port.
        environ: Its environment; it may name the port in `port_variable`.
        port_variable: Variable that tells the port.
    """

    name: str
    command: Sequence[str]
    environ: Mapping[str, str]
    port_variable: str = "PORT"


@dataclasses.dataclass(frozen=True, slots=True)
class Running:
    """A server that answers.

    Attributes:
        name: As in the results.
        url: Its address.
        pid: Its process.
        log: What it printed.
    """

    name: str
    url: str
    pid: int
    log: Path

    def tail(self) -> str:
        """Return the end of what it printed."""
        return _tail(self.log)


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """Give a temporary folder that the unprivileged user of PostgreSQL may enter."""
    with tempfile.TemporaryDirectory(prefix="galleria-bench-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        yield Path(name)


@contextlib.contextmanager
def database(place: Path, cores: Cores) -> Iterator[Embedded]:
    """Run PostgreSQL for as long as the block runs; it keeps nothing beyond."""
    server = embedded.start(place / "postgresql", durable=False)
    try:
        if server.running is None:
            raise ConfigurationError("Another process runs this PostgreSQL: stop it.")
        pin(server.running.process.pid, cores.others)
        yield server
    finally:
        server.stop()


def environment(postgres: Embedded, place: Path) -> dict[str, str]:
    """Return the settings of a server in production, with a set of keys of its own."""
    keys = place / "keys.json"
    key = OKPAlgorithm.to_jwk(Ed25519PrivateKey.generate(), as_dict=True)
    keys.touch(mode=0o600)
    keys.write_bytes(orjson.dumps({"keys": [{**key, "kid": "bench", "alg": "EdDSA", "use": "sig"}]}))
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("GALLERIA_", "REDIS_URL"))}
    return ours | {
        "GALLERIA_ENVIRONMENT": "production",
        "GALLERIA_DATA": str(place),
        "GALLERIA_TOKEN_KEYS": str(keys),
        "GALLERIA_TOKEN_ISSUER": "bench",
        "GALLERIA_TOKEN_AUDIENCE": "galleria",
        "GALLERIA_METRICS_PORT": "0",
        "DATABASE_URL": postgres.url(APPLICATION),
        "GALLERIA_OWNER_DATABASE_URL": postgres.url(OWNER),
    }


def run(environ: Mapping[str, str], *arguments: str) -> None:
    """Run a command of the server to its end.

    Raises:
        ConfigurationError: It failed; its reason was seen.
    """
    ended = subprocess.run(  # noqa: S603  (the program is ours)
        [sys.executable, "-m", "server", *arguments], cwd=ROOT, env=environ, stdout=subprocess.DEVNULL, check=False
    )
    if ended.returncode != 0:
        raise ConfigurationError(f"`python -m server {' '.join(arguments)}` failed, as said above.")


@contextlib.contextmanager
def serving(program: Program, ground: Ground) -> Iterator[Running]:
    """Run a server for as long as the block runs.

    Raises:
        ConfigurationError: It does not start.
    """
    port, log = _free_port(), ground.folder / f"{program.name}.log"
    with log.open("wb") as printed:
        process = subprocess.Popen(  # noqa: S603  (the program is one of the servers measured)
            [part.replace("{port}", str(port)) for part in program.command],
            cwd=ROOT,
            env={**program.environ, program.port_variable: str(port)},
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=printed,
            start_new_session=True,
        )
    try:
        pin(process.pid, ground.cores.server)
        running = Running(program.name, f"http://127.0.0.1:{port}", process.pid, log)
        _wait_until_ready(process, running)
        yield running
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(process: "subprocess.Popen[bytes]", running: Running) -> None:
    """Wait for an answer of any kind: not every server has an address for its health."""
    limit = time.monotonic() + _READY_SECONDS
    while process.poll() is None and time.monotonic() < limit:
        with contextlib.suppress(httpx.TransportError):
            httpx.get(f"{running.url}/readyz", timeout=_READY_SECONDS)
            return
        time.sleep(_POLL_SECONDS)
    raise ConfigurationError(f"{running.name} did not start: {running.tail() or 'it said nothing'}")


def _tail(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace").strip()[-_LOG_CHARACTERS:]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
