"""The messages of graphql-transport-ws: what clients send, checked, and what they are sent.

Source: https://github.com/graphql/graphql-over-http/blob/main/rfcs/GraphQLOverWebSocket.md
"""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from core.errors import RequestError
from server.graphql.requests import read_message
from server.live.bounds import ID_LENGTH

SUBPROTOCOL = "graphql-transport-ws"

ACK = '{"type":"connection_ack"}'

_PAYLOAD_MEMBERS: Mapping[str, type] = {
    "query": str,
    "documentId": str,
    "operationName": str,
    "variables": dict,
    "extensions": dict,
}
"""The members of a request, and how JSON spells each; null is as good as absent."""


class Invalid(Exception):
    """A message that the protocol does not have; what it says is the reason for closing the socket."""


@dataclasses.dataclass(frozen=True, slots=True)
class ConnectionInit:
    """A client introduces itself."""

    payload: Mapping[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Ping:
    """A client wants to know whether we are there; by the payload it may bring a new token."""

    payload: Mapping[str, Any] | None


@dataclasses.dataclass(frozen=True, slots=True)
class Pong:
    """A client is there."""


@dataclasses.dataclass(frozen=True, slots=True)
class Subscribe:
    """A client asks for an operation of any kind.

    Attributes:
        id: What it calls the operation.
        payload: The request.
        text: The whole message.
    """

    id: str
    payload: dict[str, Any]
    text: str


@dataclasses.dataclass(frozen=True, slots=True)
class Complete:
    """A client wants no more of an operation."""

    id: str


Message = ConnectionInit | Ping | Pong | Subscribe | Complete


def read(text: str | None) -> Message:
    """Read a message.

    Args:
        text: Of its frame; None where the frame held none.

    Raises:
        Invalid: It is none.
    """
    if text is None:
        raise Invalid("Messages are text frames.")
    try:
        members = read_message(text)
    except RequestError as error:
        raise Invalid(error.message) from None
    if not isinstance(members, dict):
        raise Invalid("A message is a JSON object with the member type.")
    kind = members.get("type")
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        raise Invalid(f"The type of a message is one of {', '.join(_READERS)}.")
    return reader(members, text)


def _connection_init(members: dict[str, Any], _: str) -> ConnectionInit:
    return ConnectionInit(_payload(members) or {})


def _ping(members: dict[str, Any], _: str) -> Ping:
    return Ping(_payload(members))


def _pong(members: dict[str, Any], _: str) -> Pong:
    _payload(members)
    return Pong()


def _subscribe(members: dict[str, Any], text: str) -> Subscribe:
    payload = members.get("payload")
    if not isinstance(payload, dict):
        raise Invalid("The payload of subscribe is an object with the member query.")
    for name, kind in _PAYLOAD_MEMBERS.items():
        if payload.get(name) is not None and not isinstance(payload[name], kind):
            raise Invalid(f"The member {name} of a payload is {'a string' if kind is str else 'an object'}.")
    if payload.get("query") is None and payload.get("documentId") is None and not payload.get("extensions"):
        raise Invalid("The payload of subscribe has the member query or documentId.")
    return Subscribe(_id(members), payload, text)


def _complete(members: dict[str, Any], _: str) -> Complete:
    return Complete(_id(members))


def _id(members: dict[str, Any]) -> str:
    name = members.get("id")
    if not isinstance(name, str) or not 0 < len(name) <= ID_LENGTH:
        raise Invalid(f"The id of an operation is a string of 1 to {ID_LENGTH} characters.")
    return name


def _payload(members: dict[str, Any]) -> dict[str, Any] | None:
    payload = members.get("payload")
    if payload is None or isinstance(payload, dict):
        return payload
    raise Invalid("A payload is an object, or left out.")


_READERS: Mapping[str, Callable[[dict[str, Any], str], Message]] = {
    "connection_init": _connection_init,
    "ping": _ping,
    "pong": _pong,
    "subscribe": _subscribe,
    "complete": _complete,
}


def next_prefix(name: str) -> str:
    """Return what stands in front of each result of an operation; behind it stands a closing brace."""
    return f'{{"id":{_json(name)},"type":"next","payload":'


def error(name: str, errors: str) -> str:
    """Return the message by which an operation ends that was not executed.

    Args:
        name: The id of the operation.
        errors: The list of its errors, as JSON.
    """
    return f'{{"id":{_json(name)},"type":"error","payload":{errors}}}'


def complete(name: str) -> str:
    """Return the message that an operation has come to its end."""
    return f'{{"id":{_json(name)},"type":"complete"}}'


def pong(payload: Mapping[str, Any] | None = None) -> str:
    """Return the answer to a ping."""
    return '{"type":"pong"}' if payload is None else f'{{"type":"pong","payload":{_json(payload)}}}'


def resume(cursors: Mapping[str, int]) -> str:
    """Return a ping that tells, before a socket closes, after which event each subscription goes on.

    Args:
        cursors: The sequence of the last event that was sent, by the id of the subscription.
    """
    return f'{{"type":"ping","payload":{{"resume":{_json(cursors)}}}}}'


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
