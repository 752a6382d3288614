"""What a client says of itself over a socket: by the headers of its handshake, by `connection_init`, by a ping."""

from collections.abc import Iterator, Mapping
from typing import Any

from core.errors import Unauthenticated
from server.graphql.costs import DEBUG_HEADER, DRY_RUN_HEADER
from server.graphql.operating import EXECUTOR_HEADER
from server.tenancy import SHOP_HEADER

_WHO = frozenset({"authorization", SHOP_HEADER.lower()})
"""The headers that a client may send in a payload, as browsers can send none with a handshake."""

_HOW = frozenset({DEBUG_HEADER, DRY_RUN_HEADER, EXECUTOR_HEADER})
"""The headers that an operation may bring in its `extensions.headers`."""

_HANDSHAKE = _WHO | _HOW | {"host"}
"""The headers of a handshake that mean something to an operation."""


def said_at_first(headers: Mapping[str, str]) -> dict[str, str]:
    """Return what the headers of a handshake say."""
    return {name: value for name, value in headers.items() if name in _HANDSHAKE}


def said_later(headers: Mapping[str, str], payload: Mapping[str, Any]) -> dict[str, str]:
    """Return what a client says with a payload on top.

    The headers stand in the payload itself, or in its member `headers`; the case of their names does not matter.

    Args:
        headers: What it has said before.
        payload: Of `connection_init` or of a ping.

    Raises:
        Unauthenticated: A header is no text.
    """
    said = dict(headers)
    for source in (payload.get("headers"), payload):
        for name, value in _headers(source, _WHO):
            if not isinstance(value, str):
                raise Unauthenticated(f"Send {name} as a text.")
            said[name] = value
    return said


def brings_token(payload: Mapping[str, Any] | None) -> bool:
    """Tell whether a payload brings a token."""
    sources = () if payload is None else (payload, payload.get("headers"))
    return any(name == "authorization" for source in sources for name, _ in _headers(source, _WHO))


def said_of_operation(headers: dict[str, str], extensions: object) -> dict[str, str]:
    """Return what is said of one operation: its `extensions.headers` on top of what holds for the socket."""
    own = extensions.get("headers") if isinstance(extensions, dict) else None
    brought = {name: value for name, value in _headers(own, _HOW) if isinstance(value, str)}
    return headers | brought if brought else headers


def _headers(source: object, names: frozenset[str]) -> Iterator[tuple[str, Any]]:
    if not isinstance(source, dict):
        return
    for name, value in source.items():
        if value is not None and name.lower() in names:
            yield name.lower(), value
