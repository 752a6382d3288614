"""The way to a client: frames go out at once, or wait in a line that has an end."""

import asyncio
import types
from collections import Counter, deque
from collections.abc import Callable, Coroutine, Generator
from typing import Any

from starlette.types import Send

from server.live.bounds import REASON_BYTES, Bounds

_BROKEN = 1013, "A message could not be sent; connect again."


class Outgoing:
    """Writes frames to one socket, in order, without anybody waiting for it.

    Writing is a coroutine that seldom waits. It is stepped by hand, which takes a tenth of what a task would; only
    where the client is slower than we are, a task goes on with it.

    Args:
        send: Takes the messages of ASGI.
        bounds: What may wait.
        overrun: Called once, when more than that would.

    Attributes:
        is_overrun: Whether the client reads too slowly.
        is_closed: Whether nothing goes out any more.
    """

    __slots__ = (
        "_bounds",
        "_bytes",
        "_lines",
        "_overrun",
        "_send",
        "_task",
        "_waiting",
        "_written",
        "is_closed",
        "is_overrun",
    )

    def __init__(self, send: Send, bounds: Bounds, *, overrun: Callable[[], None]) -> None:
        self._send = send
        self._bounds = bounds
        self._overrun = overrun
        self._waiting: deque[tuple[str, str]] | None = None
        self._lines: Counter[str] | None = None
        self._bytes = self._written = 0
        self._task: asyncio.Task[None] | None = None
        self.is_overrun = self.is_closed = False

    @property
    def waiting(self) -> int:
        """How many frames wait."""
        return len(self._waiting or ())

    def push(self, frame: str, line: str = "") -> None:
        """Write a text frame, now or as soon as those before it are written; it never raises.

        Args:
            frame: What is written.
            line: The subscription that it is of; empty for all else. So many frames of each may wait.
        """
        if self.is_closed:
            return
        if self._task is not None:
            self._keep(frame, line)
            return
        blocked = self._step({"type": "websocket.send", "text": frame})
        if blocked is not None:
            self._task = asyncio.get_running_loop().create_task(self._go_on(*blocked))

    def close(self, code: int, reason: str) -> None:
        """Write the closing frame at once, in front of whatever waits, and nothing after it."""
        if self.is_closed:
            return
        self.drop()
        blocked = self._step({"type": "websocket.close", "code": code, "reason": _fitting(reason)})
        if blocked is not None:
            # A server that lets closing wait for a client that does not read: it is to see to that client itself.
            blocked[0].close()

    def drop(self) -> None:
        """Write nothing any more; there is nobody who would read it."""
        self.is_closed = True
        self._waiting, self._lines, self._bytes = None, None, 0
        if self._task is not None:
            self._task.cancel()

    async def flush(self, seconds: float) -> bool:
        """Wait until all frames are written, and tell whether they are."""
        if self._task is not None:
            await asyncio.wait([self._task], timeout=seconds)
        return self._task is None

    async def drained(self) -> None:
        """Wait until all frames are written that there are now; a client that reads none for too long is closed."""
        task = self._task
        while task is not None and not task.done():
            written = self._written
            await asyncio.wait([task], timeout=self._bounds.stall_seconds)
            if not task.done() and written == self._written and not self.is_closed:
                self._give_up()
                return

    def _keep(self, frame: str, line: str) -> None:
        waiting, lines, bounds = self._waiting, self._lines, self._bounds
        if waiting is None or lines is None:
            waiting, lines = self._waiting, self._lines = deque(), Counter()
        if lines[line] >= bounds.waiting_frames or (waiting and self._bytes + len(frame) > bounds.waiting_bytes):
            self._give_up()
            return
        waiting.append((frame, line))
        lines[line] += 1
        self._bytes += len(frame)

    def _next(self, waiting: deque[tuple[str, str]], lines: Counter[str]) -> str:
        """Take the next frame out of those that wait."""
        frame, line = waiting.popleft()
        self._bytes -= len(frame)
        self._written += 1
        lines[line] -= 1
        if not lines[line]:
            del lines[line]
        return frame

    def _give_up(self) -> None:
        self.is_overrun = True
        self._overrun()

    def _step(self, message: dict[str, Any]) -> tuple[Coroutine[Any, Any, None], Any] | None:
        """Begin to send; where that waits for the client, return what is begun, and the future that it waits for."""
        sending: Any = self._send(message)
        try:
            future = sending.send(None)
        except StopIteration:
            return None
        except (OSError, RuntimeError):
            # The client has gone, or the server has closed the socket; if neither, it must not be open and mute.
            self.close(*_BROKEN)
            return None
        return sending, future

    async def _go_on(self, sending: Coroutine[Any, Any, None], future: Any) -> None:
        try:
            await _continued(sending, future)
            while self._waiting and self._lines is not None:
                frame = self._next(self._waiting, self._lines)
                await self._send({"type": "websocket.send", "text": frame})
        except (OSError, RuntimeError):
            self.close(*_BROKEN)
        finally:
            sending.close()
            self._task = None


@types.coroutine
def _continued(sending: Coroutine[Any, Any, None], future: Any) -> Generator[Any, Any, None]:
    """Go on, from within a task, with a coroutine that was begun outside of one and waits for a future.

    It is awaited by nobody, and cannot be any more; so what it waits for is handed on to the task.
    """
    try:
        while True:
            try:
                yield future
            except BaseException as error:  # noqa: BLE001  (the coroutine decides)
                future = sending.throw(error)
            else:
                future = sending.send(None)
    except StopIteration:
        return


def _fitting(reason: str) -> str:
    encoded = reason.encode()
    return reason if len(encoded) <= REASON_BYTES else encoded[:REASON_BYTES].decode(errors="ignore")
