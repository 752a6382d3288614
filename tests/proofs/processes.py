"""Runs servers as processes of their own, so that they can be killed, told to stop, and looked at from outside."""

import asyncio
import contextlib
import dataclasses
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import httpx
from prometheus_client.parser import text_string_to_metric_families

from core.embedded_binaries import guard
from tests.servers import free_port

ROOT = Path(__file__).parent.parent.parent
START_SECONDS = 60
SERVE = ("-m", "server", "serve")
OBSERVED = ("-m", "tests.proofs.observed")
"""The same, but that it tells of its tasks when it is sent `SIGUSR1`."""
RELAY = ("-m", "server", "relay")

_ANSWERS = "Galleria answers on"
_RELAYS = "Relaying events"

_CONNECTED = ("01", "08")
"""States in the kernel's table: established, and closed by the other side alone."""


@dataclasses.dataclass(slots=True)
class Server:
    """One server: a place that a process has, and another one after it was killed.

    Attributes:
        environ: What its processes are told.
        url: Where it answers.
        metrics_url: Where it tells its metrics.
        command: What runs it.
        is_taking: Whether clients are led to it.
        errors: What its present process has written to its standard error, by line.
    """

    environ: Mapping[str, str]
    url: str
    metrics_url: str
    command: tuple[str, ...] = SERVE
    is_taking: bool = False
    errors: list[str] = dataclasses.field(default_factory=list)
    _process: asyncio.subprocess.Process | None = None
    _guard: "subprocess.Popen[bytes] | None" = None
    _reading: asyncio.Task[None] | None = None
    _said: asyncio.Condition = dataclasses.field(default_factory=asyncio.Condition)

    @property
    def process(self) -> asyncio.subprocess.Process:
        """The present process."""
        assert self._process is not None, "it was not started"
        return self._process

    async def start(self) -> None:
        """Start a process, and wait until it is ready."""
        self.errors.clear()
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, *self.command),
            cwd=ROOT,
            env=self.environ,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        self._guard = guard(self._process)  # type: ignore[arg-type]  # it asks for the pid alone
        self._reading = asyncio.create_task(self._read())
        async with asyncio.timeout(START_SECONDS):
            await self.says(_RELAYS if self.command == RELAY else _ANSWERS)
            async with httpx.AsyncClient(base_url=self.url, timeout=START_SECONDS) as client:
                ready = await client.get("/readyz")
        # It may be degraded: events are polled until Redis is reached.
        assert ready.status_code == httpx.codes.OK, ready.text
        self.is_taking = True

    async def says(self, beginning: str, *, after: int = 0) -> str:
        """Wait for a line on its standard error, and return it.

        Args:
            beginning: How the line begins.
            after: How many lines to pass over.
        """
        async with self._said:
            while True:
                for line in self.errors[after:]:
                    if line.startswith(beginning):
                        return line
                assert self._reading is not None
                assert not self._reading.done(), f"it ended: {self.errors}"
                await self._said.wait()

    def send(self, number: signal.Signals) -> None:
        """Send its process a signal."""
        self.process.send_signal(number)

    async def kill(self) -> None:
        """Kill it, as a machine that is gone would."""
        self.is_taking = False
        if self.process.returncode is None:
            self.process.kill()
        await self.ended()

    async def ended(self) -> int:
        """Wait until the process has ended, and return how."""
        code = await self.process.wait()
        if self._reading is not None:
            await self._reading
        if self._guard is not None:
            self._guard.kill()
            await asyncio.to_thread(self._guard.communicate)
            self._guard = None
        return code

    async def metrics(self) -> dict[str, float]:
        """Return what it measures, of each metric the sum over its labels."""
        async with httpx.AsyncClient(timeout=START_SECONDS) as client:
            text = (await client.get(self.metrics_url)).text
        sums: dict[str, float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
        return sums

    def resident_bytes(self) -> int:
        """Return how much memory its process holds."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        [line] = [line for line in status.splitlines() if line.startswith("VmRSS:")]
        return int(line.split()[1]) * 1024

    def open_files(self) -> int:
        """Return how many files and sockets its process has open."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def connections(self) -> int:
        """Return how many clients are connected to its process, or have left without its taking note."""
        port = f"{urlsplit(self.url).port:04X}"
        rows = [line.split() for line in Path(f"/proc/{self.process.pid}/net/tcp").read_text().splitlines()[1:]]
        return sum(local.endswith(f":{port}") and state in _CONNECTED for _, local, _, state, *_ in rows)

    async def tasks(self) -> int:
        """Return how many tasks its event loop has, its garbage collected; where it is an observed one."""
        after = len(self.errors)
        self.send(signal.SIGUSR1)
        line = await self.says("tasks=", after=after)
        return int(line.removeprefix("tasks="))

    async def _read(self) -> None:
        stream = self.process.stderr
        assert stream is not None
        while line := await stream.readline():
            async with self._said:
                self.errors.append(line.decode().strip())
                self._said.notify_all()
        async with self._said:
            self._said.notify_all()


@contextlib.asynccontextmanager
async def servers(
    count: int, environ: Mapping[str, str], *, command: tuple[str, ...] = SERVE
) -> AsyncIterator[list[Server]]:
    """Run servers, from their first good answers on; whatever happens, none is left in the end.

    Args:
        count: How many.
        environ: What all of them are told.
        command: What runs one.
    """
    made = [_placed(environ, command) for _ in range(count)]
    try:
        await asyncio.gather(*(server.start() for server in made))
        yield made
    finally:
        for server in made:
            if server._process is not None:
                await server.kill()


@contextlib.asynccontextmanager
async def relay(environ: Mapping[str, str]) -> AsyncIterator[Server]:
    """Run a relay of its own; its port of metrics tells whether it is ready, too."""
    made = _placed(environ, RELAY)
    made.url = made.metrics_url.removesuffix("/metrics")
    await made.start()
    try:
        yield made
    finally:
        await made.kill()


def _placed(environ: Mapping[str, str], command: tuple[str, ...]) -> Server:
    with free_port() as api, free_port() as scraped:
        port, metrics_port = (each.getsockname()[1] for each in (api, scraped))
    return Server(
        {**environ, "GALLERIA_PORT": str(port), "GALLERIA_METRICS_PORT": str(metrics_port)},
        f"http://127.0.0.1:{port}",
        f"http://127.0.0.1:{metrics_port}/metrics",
        command,
    )


async def until(condition: Callable[[], Awaitable[bool]], *, seconds: float = 60) -> None:
    """Wait until something is so that nobody tells of."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110  (there is no event)
            await asyncio.sleep(0.02)
