"""How much a socket may ask for; all that is bounded, in one place."""

import dataclasses
from urllib.parse import urlsplit

MESSAGE_BYTES = 128 * 1024
"""Of one message from a client; the longest document has 20,000 characters."""

PING_SECONDS = 20
"""Between the pings of the server, and how long a client may take to answer one; proxies hang up after 60."""

ID_LENGTH = 128
"""Characters of the id of an operation; clients use 36."""

REASON_BYTES = 123
"""Of the reason in a closing frame (RFC 6455, 5.5)."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What there may be of everything.

    Attributes:
        init_seconds: From the connection to `connection_init`.
        age_seconds: Of a socket; then the client is told to come again.
        operation_seconds: A query or mutation, or the beginning of a subscription.
        operations: Running at the same time on one socket.
        operations_per_client: Running at the same time for one client, over all sockets and processes.
        sockets: In one process, streams among them as for the next two.
        sockets_per_client: Of one client that is signed in.
        anonymous_sockets: From one address, of clients that are not signed in.
        pending_sockets: From one address, of which it is not known yet whether they will sign in.
        messages_per_second: From a client, for long; what comes faster waits.
        message_burst: From a client, at once.
        patience_seconds: For how long messages may come too fast until the socket is closed.
        waiting_frames: Of one subscription, and of all else together, to a client that does not read them.
        waiting_bytes: Of all that waits for a client together, beside the one frame that is being written.
        stall_seconds: For how long a client that catches up may read nothing; who reads, however slowly, is waited for.
    """

    init_seconds: float = 5.0
    age_seconds: float = 12 * 3_600.0
    operation_seconds: float = 10.0
    operations: int = 50
    operations_per_client: int = 200
    sockets: int = 20_000
    sockets_per_client: int = 50
    anonymous_sockets: int = 10
    pending_sockets: int = 200
    messages_per_second: float = 20.0
    message_burst: int = 50
    patience_seconds: float = 10.0
    waiting_frames: int = 128
    waiting_bytes: int = 4 * 1024 * 1024
    stall_seconds: float = 20.0


def may_connect(origin: str | None, host: str | None, *, allowed: frozenset[str]) -> bool:
    """Tell whether a page may open a socket: its own server's pages may, and those that the settings name.

    The scheme is not compared: behind a proxy that ends TLS, only the page knows it.

    Args:
        origin: The header `Origin`; None of clients that are no pages, which could write anything there.
        host: The header `Host`.
        allowed: Origins that may; `*` allows all.
    """
    if origin is None or origin in allowed or "*" in allowed:
        return True
    try:
        place = urlsplit(origin).netloc.lower()
    except ValueError:
        return False
    return bool(place) and host is not None and place == host.lower()


class Pace:
    """How fast the messages of one client come: a bucket of tokens, and since when it has been empty.

    Args:
        bounds: What there may be.
        now: The time, in seconds.
    """

    __slots__ = ("_at", "_bounds", "_left", "_slow_since")

    def __init__(self, bounds: Bounds, now: float) -> None:
        self._bounds = bounds
        self._left = float(bounds.message_burst)
        self._at = now
        self._slow_since: float | None = None

    def pause(self, now: float) -> float | None:
        """Take a message, and return for how many seconds to leave it; None where the client is to go.

        Args:
            now: The time, in seconds.
        """
        bounds = self._bounds
        left = min(bounds.message_burst, self._left + (now - self._at) * bounds.messages_per_second) - 1
        self._left, self._at = left, now
        if left >= 0:
            self._slow_since = None
            return 0.0
        if self._slow_since is None:
            self._slow_since = now
        elif now - self._slow_since > bounds.patience_seconds:
            return None
        return -left / bounds.messages_per_second
