"""WebSocket frames as a client writes and reads them (RFC 6455), with as little work as can be."""

TEXT, CLOSE, PING, PONG = 0x81, 0x88, 0x89, 0x8A
"""First bytes of whole frames."""

_SHORT, _MEDIUM, _LONG = 126, 1 << 16, 127
_SWITCHED = b"HTTP/1.1 101"
_END_OF_HEAD = b"\r\n\r\n"


class NotUpgraded(Exception):
    """The server answered otherwise than by switching protocols."""


def upgrade(port: int, path: str) -> bytes:
    """Return the request that opens a socket for graphql-transport-ws, without compression."""
    lines = (
        f"GET {path} HTTP/1.1",
        f"Host: 127.0.0.1:{port}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Protocol: graphql-transport-ws",
    )
    return "\r\n".join(lines).encode() + _END_OF_HEAD


def after_upgrade(data: bytes) -> bytes | None:
    """Return what follows the answer to an upgrade; None while it has not come whole.

    Raises:
        NotUpgraded: It is a refusal.
    """
    head, end, rest = data.partition(_END_OF_HEAD)
    if not end:
        return None
    if not head.startswith(_SWITCHED):
        raise NotUpgraded(head.decode("latin-1").splitlines()[0])
    return rest


def frame(payload: bytes, kind: int = TEXT) -> bytes:
    """Frame a message; its mask is zero, which leaves the bytes as they are."""
    size = len(payload)
    if size < _SHORT:
        head = bytes((kind, 0x80 | size))
    elif size < _MEDIUM:
        head = bytes((kind, 0x80 | _SHORT)) + size.to_bytes(2, "big")
    else:
        head = bytes((kind, 0x80 | _LONG)) + size.to_bytes(8, "big")
    return head + b"\0\0\0\0" + payload


def split(data: bytes) -> tuple[list[tuple[int, bytes]], bytes]:
    """Return the whole frames that a server has sent, as first byte and payload, and what is left over."""
    found: list[tuple[int, bytes]] = []
    place = 0
    while len(data) - place >= 2:  # noqa: PLR2004  (the shortest head)
        size, begin = data[place + 1], place + 2
        if size >= _SHORT:
            width = 2 if size == _SHORT else 8
            if len(data) - begin < width:
                break
            size = int.from_bytes(data[begin : begin + width], "big")
            begin += width
        if len(data) - begin < size:
            break
        found.append((data[place], data[begin : begin + size]))
        place = begin + size
    return found, data[place:]
