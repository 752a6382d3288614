"""A worker as its supervisor sees it: a process, and a channel to it."""

import asyncio
import contextlib
import dataclasses
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Mapping
from typing import Self

from core.settings import Settings
from server.single_flight import SingleFlight
from server.workers.channel import ask, receive

ANSWER_SECONDS = 2.0
"""How long a worker may take to say what it has measured; one that is busier shows nothing this time."""


@dataclasses.dataclass(slots=True, eq=False)
class Worker:
    """A process that serves.

    Attributes:
        number: Its place, from 1.
        process: The process.
        ready_at: Since when it serves, of `time.monotonic`; None where it does not yet.
        was_killed: Whether it did not end when it was told to.
    """

    number: int
    process: asyncio.subprocess.Process
    _reader: asyncio.StreamReader
    _writer: asyncio.StreamWriter
    ready_at: float | None = None
    was_killed: bool = False
    _readying: "asyncio.Task[None] | None" = None
    _asking: SingleFlight[str, bytes] = dataclasses.field(default_factory=SingleFlight)

    @classmethod
    async def start(
        cls, number: int, listener: socket.socket, environ: Mapping[str, str], *, ready: Callable[[], None]
    ) -> Self:
        """Start a worker.

        Args:
            number: Its place, from 1.
            listener: Where it takes connections.
            environ: What its settings are read from.
            ready: Called when it serves.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            descriptors = (listener.fileno(), theirs.fileno())
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "server.workers", str(number), *map(str, descriptors)),
                env=environ,
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=descriptors,
                # Ctrl-C reaches all processes of a session, and for a worker it would be the second signal.
                start_new_session=True,
            )
        reader, writer = await asyncio.open_connection(sock=ours)
        worker = cls(number, process, reader, writer)
        worker._readying = asyncio.create_task(worker._become_ready(ready))
        return worker

    @property
    def is_ready(self) -> bool:
        """Whether it serves."""
        return self.ready_at is not None and self.process.returncode is None

    @property
    def has_ended_in_order(self) -> bool:
        """Whether it ended by itself, or before it had anything to end."""
        status = self.process.returncode
        return not self.was_killed and (status == 0 or (status == -signal.SIGTERM and self.ready_at is None))

    async def ended(self) -> int:
        """Wait until it has ended, and return its exit status; below 0, the signal that ended it."""
        status = await self.process.wait()
        if self._readying is not None:
            await asyncio.wait((self._readying,))
        self._writer.close()
        return status

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if there is still anybody."""
        if self.process.returncode is None:
            self.process.send_signal(number)

    def kill(self) -> None:
        """End it at once, if it has not ended."""
        if self.process.returncode is None:
            self.was_killed = True
            self.process.kill()

    async def measured(self) -> str | None:
        """Return what it has measured, as Prometheus reads it; None where it does not say."""
        if not self.is_ready:
            return None
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                # An answer that comes too late is still awaited, or it would be taken for that to the next question.
                return (await self._asking.run("metrics", self._ask)).decode()
        except (TimeoutError, EOFError, OSError):
            return None

    async def _ask(self) -> bytes:
        return await ask(self._reader, self._writer)

    async def _become_ready(self, ready: Callable[[], None]) -> None:
        with contextlib.suppress(EOFError, OSError):
            await receive(self._reader)
            self.ready_at = time.monotonic()
            ready()


def environment_of(settings: Settings) -> dict[str, str]:
    """Return what a worker's settings are read from: what ours were, and the embedded database where there is one."""
    environ = dict(os.environ)
    if settings.database_url is None or environ.get("DATABASE_URL") or environ.get("DATABASE_URL_FILE"):
        return environ
    environ.pop("GALLERIA_OWNER_DATABASE_URL_FILE", None)
    owner_url = settings.owner_database_url or settings.database_url
    return environ | {
        "GALLERIA_ENVIRONMENT": settings.environment.value,
        "DATABASE_URL": settings.database_url.value,
        "GALLERIA_OWNER_DATABASE_URL": owner_url.value,
    }
