"""What a client says of itself over a socket: by the headers of its handshake, by `connection_init`, by a ping."""

import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from starlette.types import Scope

from core.clock import Clock
from core.errors import Forbidden, TokenExpired, Unauthenticated
from server.addresses import group_of
from server.entrance import Caller
from server.graphql.contexts import headers_of
from server.graphql.costs import DEBUG_HEADER, DRY_RUN_HEADER
from server.graphql.exchanges import Exchange, new_request_id
from server.graphql.negotiation import GRAPHQL_RESPONSE
from server.graphql.operating import EXECUTOR_HEADER, Operations
from server.observability import Observation
from server.tenancy import SHOP_HEADER

_WHO = frozenset({"authorization", SHOP_HEADER.lower()})
"""The headers that a client may send in a payload, as browsers can send none with a handshake."""

_HOW = frozenset({DEBUG_HEADER, DRY_RUN_HEADER, EXECUTOR_HEADER})
"""The headers that an operation may bring in its `extensions.headers`."""

_HANDSHAKE = _WHO | _HOW | {"host"}
"""The headers of a handshake that mean something to an operation."""


class Guest:
    """Whoever is at the other end of a socket: all that is kept of the handshake, and what was said since.

    Args:
        operations: Knows who is who.
        scope: Of the handshake.
        clock: What the ends of tokens are compared with.

    Attributes:
        caller: Who asks; None before the introduction.
        address: What shares its bounds with the client's address.
    """

    __slots__ = ("_clock", "_headers", "_operations", "_scope", "address", "caller")

    def __init__(self, operations: Operations, scope: Scope, clock: Clock) -> None:
        headers, client = headers_of(scope), scope.get("client")
        address = operations.proxies.client_address(client[0] if client else None, headers)
        self.address = group_of(address)
        self.caller: Caller | None = None
        self._operations = operations
        self._clock = clock
        # What comes over a socket comes by no method of HTTP, and the proxies have been asked.
        self._scope: Scope = {"method": "SOCKET", "client": (address, 0)}
        self._headers = {name: value for name, value in headers.items() if name in _HANDSHAKE}

    @property
    def account(self) -> tuple[uuid.UUID, str]:
        """Whose operations are counted together: the shop, and who asks it or where from."""
        caller = self.caller
        if caller is None:
            raise RuntimeError("Nobody asks anything before introducing himself.")
        return caller.shop.id, f"{caller.actor.kind}:{caller.actor.subject or self.address}"

    async def introduce(self, payload: Mapping[str, Any]) -> Caller:
        """Find out who asks from what a payload says.

        Raises:
            RequestError: Nobody whom we serve, or somebody else than before.
        """
        headers = said_later(self._headers, payload)
        caller: Any = await self._operations.identify(self._exchange(headers))
        if caller.expires_at is not None and self.seconds_left(caller.expires_at) <= 0:
            raise TokenExpired("The access token has expired; refresh it, or sign in again.")
        if self.caller is not None and _identity(self.caller) != _identity(caller):
            raise Forbidden("The new access token is for somebody else; open another socket.")
        self._headers, self.caller = headers, caller
        return self.caller

    def seconds_left(self, expires_at: datetime) -> float:
        """Return how long a token holds."""
        return (expires_at - self._clock()).total_seconds()

    def exchange(self, extensions: object) -> Exchange:
        """Begin an operation.

        Args:
            extensions: What the message says of it.
        """
        return self._exchange(said_of_operation(self._headers, extensions))

    def _exchange(self, headers: dict[str, str]) -> Exchange:
        request_id = new_request_id()
        observation = Observation(request_id=request_id)
        return Exchange(self._scope, headers, request_id, observation, media_type=GRAPHQL_RESPONSE)


def _identity(caller: Caller) -> tuple[object, ...]:
    return caller.shop.id, caller.actor.kind, caller.actor.subject


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
