"""Notices when a client leaves while its operation runs."""

import asyncio
import contextlib
from collections.abc import Iterator

from starlette.types import Receive

PATIENCE_SECONDS = 0.05
"""Most operations have ended before; only for the others a task is worth its while."""


class ClientLeft(Exception):
    """Nobody waits for the answer any more."""


class StrayCancellation(Exception):
    """Something within the operation was cancelled although nobody had cancelled the operation."""


@contextlib.contextmanager
def cancelled_when_client_leaves(receive: Receive) -> Iterator[None]:
    """Cancel the current task when its client closes the connection; what it awaits is cancelled with it.

    Args:
        receive: Nothing but the disconnection may be left to come from it.

    Raises:
        ClientLeft: The client left before the block ended.
        StrayCancellation: The block ended by a cancellation that nobody asked for.
    """
    watcher = _Watcher(receive)
    try:
        yield
    except asyncio.CancelledError as cancellation:
        if watcher.client_left:
            watcher.watched.uncancel()
            raise ClientLeft from None
        if not watcher.watched.cancelling():
            raise StrayCancellation from cancellation
        raise
    finally:
        watcher.stop()


class _Watcher:
    """Waits for the disconnection in a task of its own, once the operation takes long."""

    def __init__(self, receive: Receive) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("A client can only be watched from within a task.")
        self.watched = task
        self.client_left = False
        self._receive = receive
        self._task: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(PATIENCE_SECONDS, self._start)

    def stop(self) -> None:
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    def _start(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            continue
        self.client_left = True
        self.watched.cancel()
