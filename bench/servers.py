"""What is measured, started for the purpose: PostgreSQL, a seeded shop, and the server as a process of its own."""

import contextlib
import dataclasses
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
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


@dataclasses.dataclass(frozen=True, slots=True)
class Running:
    """A server that answers.

    Attributes:
        url: Its address.
        pid: Its process.
    """

    url: str
    pid: int


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """Give a temporary folder that the unprivileged user of PostgreSQL may enter."""
    with tempfile.TemporaryDirectory(prefix="galleria-bench-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        yield Path(name)


@contextlib.contextmanager
def database(place: Path) -> Iterator[Embedded]:
    """Run PostgreSQL for as long as the block runs; it keeps nothing beyond."""
    server = embedded.start(place / "postgresql", durable=False)
    try:
        yield server
    finally:
        server.stop()


def environment(postgres: Embedded, place: Path) -> dict[str, str]:
    """Return the settings of a server in production, with a set of keys of its own."""
    keys = place / "keys.json"
    if not keys.exists():
        key = OKPAlgorithm.to_jwk(Ed25519PrivateKey.generate(), as_dict=True)
        keys.touch(mode=0o600)
        keys.write_bytes(orjson.dumps({"keys": [{**key, "kid": "bench", "alg": "EdDSA", "use": "sig"}]}))
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("GALLERIA_", "REDIS_URL"))}
    return ours | {
        "GALLERIA_ENVIRONMENT": "production",
        "GALLERIA_DATA": str(place),
        "GALLERIA_TOKEN_KEYS": str(keys),
        "GALLERIA_TOKEN_ISSUER": "bench",
        "GALLERIA_METRICS_PORT": "0",
        "DATABASE_URL": postgres.url(APPLICATION),
        "GALLERIA_OWNER_DATABASE_URL": postgres.url(OWNER),
    }


def run(environ: Mapping[str, str], *arguments: str) -> str:
    """Run a command of the server to its end, and return what it printed.

    Raises:
        ConfigurationError: It failed; its reason was seen.
    """
    ended = subprocess.run(  # noqa: S603  (the program is ours)
        [sys.executable, "-m", "server", *arguments],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if ended.returncode != 0:
        raise ConfigurationError(f"`python -m server {' '.join(arguments)}` failed, as said above.")
    return ended.stdout.strip()


@contextlib.contextmanager
def serving(environ: Mapping[str, str], log: Path, cores: Cores) -> Iterator[Running]:
    """Run a server for as long as the block runs."""
    port = _free_port()
    with log.open("wb") as printed:
        process = subprocess.Popen(
            [sys.executable, "-m", "server", "serve"],
            cwd=ROOT,
            env={**environ, "GALLERIA_PORT": str(port)},
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=printed,
            start_new_session=True,
        )
    try:
        pin(process.pid, cores.server)
        url = f"http://127.0.0.1:{port}"
        _wait_until_ready(process, url, log)
        yield Running(url, process.pid)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    limit = time.monotonic() + _READY_SECONDS
    while process.poll() is None and time.monotonic() < limit:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(f"{url}/readyz", timeout=_READY_SECONDS).status_code == httpx.codes.OK:
                return
        time.sleep(_POLL_SECONDS)
    said = log.read_text(encoding="utf-8", errors="replace").strip()
    raise ConfigurationError(f"The server did not start: {said[-500:] or 'it said nothing'}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
