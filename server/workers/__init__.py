"""Several processes that serve on one port: started, replaced when they die, stopped together.

uvicorn's supervisor does not fit: it starts its own server and not ours, which hands live connections over before it
ends; it knows no second signal, no pause before the next attempt and no end of them; its workers go on when it is
killed, and nobody adds up what they measure.
"""

import asyncio
import contextlib
import signal
import socket
import time
from collections.abc import Callable, Mapping

import structlog

from server.workers.process import Worker

PAUSE_SECONDS = 0.1
"""Before a worker that died is replaced; twice as long each time that it died early."""

EARLY_SECONDS = 1.0
"""A worker that dies within this time after it was ready would do so again, as one that was never ready."""

ATTEMPTS = 5
"""After so many early ends in a row, what is wrong is nothing that another attempt heals."""

HOPELESS = 2
"""Exit status of a worker whose settings are wrong: they will be so at every attempt."""

FORCE_SECONDS = 5.0
"""What a worker may take to end once it is told not to wait for anybody."""

_log = structlog.get_logger(area="workers")


class Supervisor:
    """Keeps workers running until it is told to stop.

    Args:
        count: How many.
        listener: Where they take connections.
        environ: What their settings are read from.
        patience_seconds: What one may take to end once it is told to.

    Attributes:
        workers: The present ones, by number from 1.
        restarts: How often each was replaced.
        failure: Why there is no point in going on; None while there is.
        is_clean: Whether all that were told to end did so by themselves.
    """

    def __init__(
        self, count: int, listener: socket.socket, environ: Mapping[str, str], *, patience_seconds: float
    ) -> None:
        self.workers: dict[int, Worker] = {}
        self.restarts = dict.fromkeys(range(1, count + 1), 0)
        self.failure: str | None = None
        self.is_clean = True
        # One socket that all take from, and not one for each by SO_REUSEPORT: the kernel would assign connections to a
        # worker that hangs or has died, where here they wait for whoever is free.
        self._listener = listener
        self._environ = environ
        self._patience_seconds = patience_seconds
        self._stopping = asyncio.Event()
        self._deadline: asyncio.TimerHandle | None = None
        self._ready: Callable[[], None] | None = None

    async def run(self, *, ready: Callable[[], None]) -> None:
        """Run all of them until the last has ended.

        Args:
            ready: Called once all of them serve.
        """
        self._ready = ready
        tasks = [asyncio.create_task(self._keep(number)) for number in self.restarts]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            for worker in self.workers.values():
                worker.kill()
            if self._deadline is not None:
                self._deadline.cancel()

    def stop(self) -> None:
        """Let all of them end in order; the second time, at once."""
        seconds = FORCE_SECONDS if self._stopping.is_set() else self._patience_seconds
        self._stopping.set()
        for worker in self.workers.values():
            worker.send(signal.SIGTERM)
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = asyncio.get_running_loop().call_later(seconds, self._kill)

    def _kill(self) -> None:
        for worker in self.workers.values():
            worker.kill()

    async def _keep(self, number: int) -> None:
        """Keep one worker running, by replacing it."""
        early = 0
        while not self._stopping.is_set():
            worker = self.workers[number] = await Worker.start(
                number, self._listener, self._environ, ready=self._note_ready
            )
            if self._stopping.is_set():
                # The signal came while it was being started.
                worker.send(signal.SIGTERM)
            status = await worker.ended()
            if self._stopping.is_set():
                self.is_clean = self.is_clean and worker.has_ended_in_order
                return
            is_early = worker.ready_at is None or time.monotonic() - worker.ready_at < EARLY_SECONDS
            early = early + 1 if is_early else 0
            _log.warning("a worker ended", worker=number, status=status)
            if early == ATTEMPTS or status == HOPELESS:
                self._give_up(number, status, early)
                return
            self.restarts[number] += 1
            await self._pause(PAUSE_SECONDS * 2.0**early)

    def _note_ready(self) -> None:
        """Tell, once, that all serve."""
        workers = self.workers
        if self._ready is not None and all(number in workers and workers[number].is_ready for number in self.restarts):
            self._ready()
            self._ready = None

    def _give_up(self, number: int, status: int, times: int) -> None:
        how = f"signal {-status}" if status < 0 else f"status {status}"
        often = f", {times} times in a row" if times > 1 else ""
        self.failure = (
            f"Worker {number} ended as soon as it had started{often}, at last by {how}: see what was said above. "
            "All workers are stopped."
        )
        if not self._stopping.is_set():
            self.stop()

    async def _pause(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
