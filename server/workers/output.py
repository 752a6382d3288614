"""Where a worker writes its logs: lines that other workers' lines do not tear apart."""

import io
import os
import select

_AT_ONCE = select.PIPE_BUF
"""Bytes that go into a pipe in one piece, whoever else writes to it."""

_KEPT_AT_MOST = 65_536
"""Characters, after which nobody waits for the next flush."""


class Lines(io.TextIOBase):
    """Hands on whole lines, as many at once as the kernel keeps together.

    Args:
        descriptor: Where to; it stays open.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._waiting: list[str] = []
        self._length = 0

    def isatty(self) -> bool:
        """Tell whether people read it."""
        return os.isatty(self._descriptor)

    def write(self, text: str) -> int:
        """Take a text, of whole lines sooner or later."""
        self._waiting.append(text)
        self._length += len(text)
        if self._length > _KEPT_AT_MOST:
            self.flush()
        return len(text)

    def flush(self) -> None:
        """Hand on the lines that are complete."""
        whole, newline, rest = "".join(self._waiting).rpartition("\n")
        self._waiting, self._length = [rest], len(rest)
        data = memoryview((whole + newline).encode(errors="replace"))
        while data:
            data = data[os.write(self._descriptor, data[: _together(data)]) :]


def _together(data: memoryview) -> int:
    """Return how much of some lines to hand on at once: all that fits, and never part of a line that would fit."""
    if len(data) <= _AT_ONCE:
        return len(data)
    end = bytes(data[:_AT_ONCE]).rfind(b"\n") + 1
    return end or _AT_ONCE
