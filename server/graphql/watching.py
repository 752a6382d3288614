"""Ends an operation whose client leaves, or whose time is up."""

import asyncio
from types import TracebackType
from typing import Self

from starlette.types import Receive

PATIENCE_SECONDS = 0.05
"""Most operations have ended before; only for the others a task is worth its while."""


class ClientLeft(Exception):
    """Nobody waits for the answer any more."""


class TimeUp(Exception):
    """The operation took longer than it may."""


class StrayCancellation(Exception):
    """Something within the operation was cancelled although nobody had cancelled the operation."""


class Watch:
    """Cancels the current task when its client closes the connection or its time is up; what it awaits goes with it.

    It is entered for each request, and is all the timers that a request has: one.

    Args:
        receive: Where the disconnection comes from.
        seconds: What there is of time.

    Attributes:
        may_receive: Whether nothing but the disconnection is left to come from `receive`.
    """

    __slots__ = (
        "_client_left",
        "_is_late",
        "_listener",
        "_loop",
        "_receive",
        "_task",
        "_timer",
        "_until",
        "may_receive",
    )

    def __init__(self, receive: Receive, *, seconds: float) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("A client can only be watched from within a task.")
        self.may_receive = False
        self._task = task
        self._receive = receive
        self._client_left = self._is_late = False
        self._listener: asyncio.Task[None] | None = None
        self._loop = task.get_loop()
        self._until = self._loop.time() + seconds
        self._timer = self._loop.call_later(min(PATIENCE_SECONDS, seconds), self._look)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """End the watch.

        Raises:
            ClientLeft: The client left before the block ended.
            TimeUp: The time was up before the block ended.
            StrayCancellation: The block ended by a cancellation that nobody asked for.
        """
        self._timer.cancel()
        if self._listener is not None:
            self._listener.cancel()
        for is_asked in (self._client_left, self._is_late):
            if is_asked:
                self._task.uncancel()
        if not isinstance(error, asyncio.CancelledError):
            return
        if self._task.cancelling():
            # Somebody else wants the task to end.
            return
        if self._client_left:
            raise ClientLeft from None
        if self._is_late:
            raise TimeUp from error
        raise StrayCancellation from error

    def _look(self) -> None:
        now = self._loop.time()
        if now >= self._until:
            self._is_late = True
            self._cancel()
            return
        if self.may_receive and self._listener is None:
            self._listener = self._loop.create_task(self._listen())
        again = self._until if self._listener is not None else min(self._until, now + PATIENCE_SECONDS)
        self._timer = self._loop.call_at(again, self._look)

    async def _listen(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            continue
        self._client_left = True
        self._cancel()

    def _cancel(self) -> None:
        """Cancel the task once; what it does to end is not to be cancelled as well."""
        self._timer.cancel()
        if self._listener is not None and self._is_late:
            self._listener.cancel()
        self._task.cancel()
