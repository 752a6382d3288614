"""The audience: thousands of sockets of one server, heard by one loop that hardly looks at what they say.

It has to be faster than any server measured: a frame that equals the last one is counted and nothing else.
"""

import dataclasses
import selectors
import socket
import time
from collections.abc import Callable, Sequence
from enum import Enum, auto

from bench.live import frames
from core.errors import ConfigurationError

PATH = "/graphql"
_READ_BYTES = 16_384
_PATIENCE_SECONDS = 90.0
"""After which something hangs; the slowest server measured opens 5,000 subscriptions in some 20 seconds."""

_NO_FRAME = b"-"
"""What no server sends, nor the end of a connection is."""

_ACK, _NEXT = b'"connection_ack"', b'"next"'
_KIND_WITHIN = 40
"""Bytes of a message in which its kind is, however it is spaced."""


@dataclasses.dataclass(frozen=True, slots=True)
class Hello:
    """How a subscriber introduces itself.

    Attributes:
        init: The message `connection_init`.
        subscribe: The message `subscribe`.
    """

    init: bytes
    subscribe: bytes


class _Stage(Enum):
    CONNECTING = auto()
    SIGNING_IN = auto()
    SUBSCRIBED = auto()


class Hall:
    """The subscribers of one server.

    Args:
        port: Of the server.

    Attributes:
        heard: Results heard by all since they were last counted.
        latest: The last message with a result.
        frame: A frame with a result that others may be sent too.
        on_result: Called with a subscriber's number, the message and the time; only counted where it is None.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self.heard = 0
        self.latest = b""
        self.frame = _NO_FRAME
        self.on_result: Callable[[int, bytes, float], None] | None = None
        self.lines: list[Line] = []
        self.signing_in = 0
        self._selector = selectors.DefaultSelector()

    def watch(self, source: object, on_readable: Callable[[], None]) -> None:
        """Call a function whenever something can be read."""
        self._selector.register(source, selectors.EVENT_READ, on_readable)  # type: ignore[arg-type]

    def forget(self, source: object) -> None:
        """Watch something no longer."""
        self._selector.unregister(source)  # type: ignore[arg-type]

    def turn(self, seconds: float | None = None) -> None:
        """Wait until something can be read, and read it all."""
        for key, _ in self._selector.select(seconds):
            key.data()

    def until(self, is_done: Callable[[], bool], expected: str) -> None:
        """Turn until something has come about.

        Raises:
            ConfigurationError: It does not.
        """
        limit = time.perf_counter() + _PATIENCE_SECONDS
        while not is_done():
            self.turn(1.0)
            if time.perf_counter() > limit:
                raise ConfigurationError(f"After {_PATIENCE_SECONDS:.0f} seconds {expected} is still missing.")

    def open(self, hellos: Sequence[Hello], *, at_once: int) -> float:
        """Let more subscribers in, until all have subscribed; return the seconds that it took.

        Args:
            hellos: Of each.
            at_once: How many may be on their way in at the same time.

        Raises:
            ConfigurationError: The server refuses one.
        """
        begun = time.perf_counter()
        for hello in hellos:
            if self.signing_in >= at_once:
                self.until(lambda: self.signing_in < at_once, "the answer to `connection_init`")
            self.lines.append(Line(self, len(self.lines), hello))
        self.until(lambda: self.signing_in == 0, "the answer to `connection_init`")
        return time.perf_counter() - begun

    def close(self) -> None:
        """Let everybody go, without a word, as a network that breaks."""
        for line in self.lines:
            line.close()
        self.lines.clear()
        self.signing_in = 0

    def count_anew(self) -> None:
        """Forget how much was heard."""
        self.heard = 0
        self.frame = _NO_FRAME
        for line in self.lines:
            line.heard = 0

    def require_each(self, results: int) -> None:
        """Check that every subscriber has heard the same number of results.

        Raises:
            ConfigurationError: One heard more, or less.
        """
        others = {line.heard for line in self.lines} - {results}
        if others:
            raise ConfigurationError(f"Each subscriber was to hear {results} results; some heard {sorted(others)}.")


class Line:
    """One subscriber's socket.

    Attributes:
        heard: Results heard since they were last counted.
    """

    __slots__ = ("_hall", "_hello", "_number", "_receive", "_rest", "_socket", "_stage", "heard")

    def __init__(self, hall: Hall, number: int, hello: Hello) -> None:
        self.heard = 0
        self._hall = hall
        self._number = number
        self._hello: Hello | None = hello
        self._rest = b""
        self._stage = _Stage.CONNECTING
        self._socket = socket.create_connection(("127.0.0.1", hall.port), _PATIENCE_SECONDS)
        self._socket.settimeout(0)
        self._receive = self._socket.recv
        self._socket.sendall(frames.upgrade(hall.port, PATH))
        hall.signing_in += 1
        hall.watch(self._socket, self._readable)

    def close(self) -> None:
        """Hang up."""
        self._hall.forget(self._socket)
        self._socket.close()

    def _readable(self) -> None:
        data = self._receive(_READ_BYTES)
        hall = self._hall
        if data == hall.frame and not self._rest:
            hall.heard += 1
            self.heard += 1
            return
        self._read(data)

    def _read(self, data: bytes) -> None:
        if not data:
            raise ConfigurationError(f"The server hung up on subscriber {self._number}.")
        rest = self._rest + data
        if self._stage is _Stage.CONNECTING:
            remains = self._upgraded(rest)
            if remains is None:
                self._rest = rest
                return
            rest = remains
        found, self._rest = frames.split(rest)
        for kind, payload in found:
            self._take(kind, payload)
        if len(found) == 1 and not self._rest and self.heard:
            self._remember(data)

    def _upgraded(self, data: bytes) -> bytes | None:
        try:
            rest = frames.after_upgrade(data)
        except frames.NotUpgraded as error:
            raise ConfigurationError(f"The server does not open a socket: {error}.") from None
        if rest is not None and self._hello is not None:
            self._stage = _Stage.SIGNING_IN
            self._socket.sendall(frames.frame(self._hello.init))
        return rest

    def _remember(self, data: bytes) -> None:
        """Keep a frame that others will hear as well; those that nobody only counts are looked at one by one."""
        hall = self._hall
        if hall.on_result is None and _NEXT in data[: _KIND_WITHIN + 4]:
            hall.frame = data

    def _take(self, kind: int, payload: bytes) -> None:
        if kind == frames.PING:
            self._socket.sendall(frames.frame(payload, frames.PONG))
        elif kind == frames.TEXT:
            self._hear(payload)
        elif kind == frames.CLOSE:
            code, reason = int.from_bytes(payload[:2], "big"), payload[2:].decode("utf-8", "replace")
            raise ConfigurationError(f"The server closed the socket of a subscriber: {code} {reason}")

    def _hear(self, message: bytes) -> None:
        hall, start = self._hall, message[:_KIND_WITHIN]
        if _NEXT in start:
            hall.heard += 1
            self.heard += 1
            hall.latest = message
            if hall.on_result is not None:
                hall.on_result(self._number, message, time.perf_counter())
        elif b'"ping"' in start:
            self._socket.sendall(frames.frame(b'{"type":"pong"}'))
        elif _ACK in start and self._hello is not None:
            self._socket.sendall(frames.frame(self._hello.subscribe))
            self._stage, self._hello = _Stage.SUBSCRIBED, None
            hall.signing_in -= 1
        elif b'"pong"' not in start:
            raise ConfigurationError(f"A subscriber was told: {message[:500].decode('utf-8', 'replace')}")
