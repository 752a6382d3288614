"""Connections that are in use for longer than the operation's time that they were taken for: they are cut off."""

import asyncio
import time

from core.reading import ReadConnection

GRACE_SECONDS = 1.0
"""How long a connection may be in use after the time of its operation was over, which was to be cancelled by then."""

_LOOK_SECONDS = 0.5
"""Between two looks: one timer, and none for each connection."""


class Overdue:
    """Knows until when connections are in use, and ends those that are kept for longer."""

    __slots__ = ("_due", "_timer")

    def __init__(self) -> None:
        self._due: dict[ReadConnection, float] = {}
        self._timer: asyncio.TimerHandle | None = None

    def expect(self, connection: ReadConnection, until: float) -> None:
        """Take note that a connection is in use.

        Args:
            connection: One that was taken.
            until: When the operation's time is over, of `time.monotonic`.
        """
        self._due[connection] = until
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_LOOK_SECONDS, self._look)

    def forget(self, connection: ReadConnection) -> None:
        """Take note that a connection was given back."""
        self._due.pop(connection, None)

    def close(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def _look(self) -> None:
        self._timer = None
        latest = time.monotonic() - GRACE_SECONDS
        for connection in [each for each, until in self._due.items() if until < latest]:
            del self._due[connection]
            # Whoever still waits for it is told that it was lost.
            connection.driver.terminate()
        if self._due:
            self._timer = asyncio.get_running_loop().call_later(_LOOK_SECONDS, self._look)
