"""HTTP requests sent from the loop that hears the subscribers, so that one clock times both."""

import re
import socket
import time
from collections.abc import Callable, Mapping

from bench.live.hall import Hall
from core.errors import ConfigurationError

_READ_BYTES = 65_536
_TIMEOUT_SECONDS = 30.0
_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


def request(path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """Return the bytes of a POST request with a JSON body."""
    given = {"Host": "127.0.0.1", "Content-Type": "application/json", "Content-Length": str(len(body)), **headers}
    lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in given.items())]
    return "\r\n".join(lines).encode("ascii") + b"\r\n\r\n" + body


class Poster:
    """A connection that is kept, and carries one request at a time.

    Args:
        hall: Whose server is asked, in whose loop.
        accepted: What is in the body of each answer that is no refusal.
    """

    def __init__(self, hall: Hall, accepted: bytes) -> None:
        self._hall = hall
        self._accepted = accepted
        self._got = b""
        self._on_answer: Callable[[float], None] | None = None
        self._socket = socket.create_connection(("127.0.0.1", hall.port), _TIMEOUT_SECONDS)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        hall.watch(self._socket, self._readable)

    def post(self, data: bytes, on_answer: Callable[[float], None]) -> float:
        """Send a request; return when that was, by `time.perf_counter`.

        Args:
            data: The request.
            on_answer: Called with the time of the answer, once it is whole.
        """
        self._got, self._on_answer = b"", on_answer
        sent_at = time.perf_counter()
        self._socket.sendall(data)
        return sent_at

    def close(self) -> None:
        """Hang up."""
        self._hall.forget(self._socket)
        self._socket.close()

    def _readable(self) -> None:
        data = self._socket.recv(_READ_BYTES)
        now = time.perf_counter()
        if not data:
            raise ConfigurationError("The server hung up on a request that was to publish an event.")
        self._got += data
        head, end, body = self._got.partition(b"\r\n\r\n")
        if not end:
            return
        length = _LENGTH.search(head)
        if length is None:
            raise ConfigurationError("The server answers without Content-Length.")
        if len(body) < int(length[1]) or self._on_answer is None:
            return
        if b" 200 " not in head[:16] or self._accepted not in body:
            raise ConfigurationError(f"The server refuses to publish an event: {self._got[-500:].decode()}")
        answered, self._on_answer = self._on_answer, None
        answered(now)
