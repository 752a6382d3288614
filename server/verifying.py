"""Asks a server that runs what its clients ask: is it up, does it read, write once and tell of it."""

import contextlib
import dataclasses
import http.client
import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

import orjson
from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from core.errors import ConfigurationError
from server.health import PROBE_PATHS

_PROTOCOL = Subprotocol("graphql-transport-ws")
_BEYOND_ANY_EVENT = 9_007_199_254_740_991
"""No cursor of a shop, so that it is refused with the one to begin from; the greatest number that is exact in JSON."""

_READ = "query Verify { shop { slug } products(first: 1) { nodes { id } } }"
_FOLLOW = """
subscription Verify($after: BigInt) {
  events(types: [COLLECTION_UPDATED], after: $after) { ... on ShopEvent { sequence objectId } ... on Gap { sequence } }
}
"""
_CREATE = """
mutation Verify($name: String!) {
  payload: collectionCreate(input: { name: $name, slug: $name, isPublished: false }) {
    collection { id }
    userErrors { message }
  }
}
"""
_CHANGE = """
mutation Verify($id: ID!) {
  payload: collectionUpdate(id: $id, input: { description: "Made by a check, and deleted by it." }) {
    collection { id slug description version }
    userErrors { message }
  }
}
"""
_DELETE = "mutation Verify($id: ID!) { payload: collectionDelete(id: $id) { userErrors { message } } }"


class VerificationFailed(Exception):
    """The server does not do what it should; the message says what and where to look."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is verified, and as whom.

    Attributes:
        url: Of the server, without a path.
        shop: Slug of the shop that is asked about; None asks about none.
        token: Of staff of the shop that may write its catalogue; None only reads.
        seconds: For everything together.
    """

    url: str
    shop: str | None
    token: str | None = dataclasses.field(repr=False)
    seconds: float


def verify(target: Target) -> Iterator[str]:
    """Yield a sentence for each thing that was found to work, and for each that was left out.

    What is written is a collection that nobody sees, and it is deleted again.

    Raises:
        ConfigurationError: The address is none.
        VerificationFailed: Something does not work.
    """
    client = _Client(target)
    for path in PROBE_PATHS:
        client.probe(path)
    yield "It is alive, started and ready."
    if target.shop is None:
        client.refused_without_shop()
        yield "It answers GraphQL. Name a shop to have it read and followed."
        return
    client.ask(_READ, {})
    with client.socket() as socket:
        yield "It answers a query."
        if target.token is None:
            socket.answer(_READ)
            yield "It answers a query over a WebSocket. Give a token to have it write, and tell of that."
            return
        yield from _write(client, socket)


def _write(client: "_Client", socket: "_Socket") -> Iterator[str]:
    created = client.payload(_CREATE, {"name": f"verify-{secrets.token_hex(8)}"})
    variables = {"id": created["collection"]["id"]}
    try:
        socket.follow()
        first, second = client.payload(_CHANGE, variables), client.payload(_CHANGE, variables)
        if first != second:
            raise VerificationFailed(f"The same change twice was answered by {first} and then by {second}.")
        yield "It makes a change once, though it is asked for twice."
        socket.hear_of(variables["id"])
        yield "It tells a subscriber of that change."
    finally:
        client.payload(_DELETE, variables)


class _Client:
    """Asks over HTTP, with a connection for each request: each may reach another process."""

    def __init__(self, target: Target) -> None:
        self._url = _address(target.url)
        self._until = time.monotonic() + target.seconds
        self._headers: dict[str, str] = {}
        if target.shop is not None:
            self._headers["Galleria-Shop"] = target.shop
        if target.token is not None:
            self._headers["Authorization"] = f"Bearer {target.token}"

    @property
    def seconds(self) -> float:
        """What is left of the time; never nothing, which would mean no limit."""
        return max(0.01, self._until - time.monotonic())

    def probe(self, path: str) -> None:
        """Ask a probe."""
        status, content = self._request("GET", path)
        if status != http.client.OK:
            raise VerificationFailed(f"{path} says {status}: {content.decode(errors='replace')[:500]}")

    def refused_without_shop(self) -> None:
        """Ask about no shop; a server that serves one by its host name, or by default, answers."""
        answer = self._answer("{ __typename }", {})
        codes = {error.get("extensions", {}).get("code") for error in answer.get("errors", [])}
        if codes - {"SHOP_NOT_FOUND"}:
            raise VerificationFailed(f"/graphql answers {answer['errors']}.")

    def ask(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Run an operation; return its data."""
        answer = self._answer(query, variables)
        if answer.get("errors"):
            raise VerificationFailed(f"/graphql answers {_messages(answer['errors'])}")
        data: dict[str, Any] = answer["data"]
        return data

    def payload(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        """Run a mutation; return its payload."""
        payload: dict[str, Any] = self.ask(query, variables)["payload"]
        if payload["userErrors"]:
            raise VerificationFailed(f"A mutation is refused: {_messages(payload['userErrors'])}")
        return payload

    @contextlib.contextmanager
    def socket(self) -> Iterator["_Socket"]:
        """Open a WebSocket for the block."""
        url = self._url._replace(scheme="wss" if self._url.scheme == "https" else "ws", path="/graphql").geturl()
        try:
            with connect(
                url,
                subprotocols=[_PROTOCOL],
                additional_headers=self._headers,
                open_timeout=self.seconds,
                close_timeout=1,
                proxy=None,
            ) as connection:
                socket = _Socket(connection, self)
                socket.introduce()
                yield socket
        except (OSError, WebSocketException) as error:
            raise VerificationFailed(f"The WebSocket {url} broke: {error or type(error).__name__}.") from None

    def _answer(self, query: str, variables: Mapping[str, Any]) -> dict[str, Any]:
        status, content = self._request("POST", "/graphql", orjson.dumps({"query": query, "variables": variables}))
        try:
            answer = orjson.loads(content)
        except orjson.JSONDecodeError:
            answer = None
        if not isinstance(answer, dict) or not answer.keys() & {"data", "errors"}:
            raise VerificationFailed(f"/graphql answers {status}, and no GraphQL: is {self._url.netloc} a Galleria?")
        return answer

    def _request(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._url.hostname or "", self._url.port, timeout=self.seconds)
        try:
            connection.request(method, path, body, self._headers | {"Content-Type": "application/json"})
            response = connection.getresponse()
            return response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            raise VerificationFailed(
                f"{self._url.netloc} does not answer: {error or type(error).__name__}. Is it allowed to be asked?"
            ) from None
        finally:
            connection.close()


class _Socket:
    """Speaks graphql-transport-ws (docs/live.md)."""

    def __init__(self, connection: ClientConnection, client: _Client) -> None:
        self._connection = connection
        self._client = client

    def introduce(self) -> None:
        """Say who asks, which the headers have said already."""
        self._send({"type": "connection_init"})
        self._receive("connection_ack")

    def answer(self, query: str) -> None:
        """Run a query."""
        self._send({"id": "answer", "type": "subscribe", "payload": {"query": query}})
        payload = self._receive("next")["payload"]
        if payload.get("errors"):
            raise VerificationFailed(f"A query over the WebSocket is answered {_messages(payload['errors'])}")
        self._receive("complete")

    def follow(self) -> None:
        """Subscribe from now on; what happens after this is told, however long subscribing takes."""
        self._subscribe("begin", _BEYOND_ANY_EVENT)
        [error] = self._receive("error")["payload"]
        if "latestSequence" not in error.get("extensions", {}):
            raise VerificationFailed(f"A subscription is refused: {_messages([error])}")
        self._subscribe("follow", error["extensions"]["latestSequence"])

    def hear_of(self, object_id: str) -> None:
        """Wait for the message that something has happened to an object."""
        while True:
            payload = self._receive("next")["payload"]
            if payload.get("errors"):
                raise VerificationFailed(f"A message has errors: {_messages(payload['errors'])}")
            if payload["data"]["events"].get("objectId") == object_id:
                return

    def _subscribe(self, name: str, after: object) -> None:
        payload = {"query": _FOLLOW, "variables": {"after": after}}
        self._send({"id": name, "type": "subscribe", "payload": payload})

    def _send(self, message: Mapping[str, Any]) -> None:
        self._connection.send(orjson.dumps(message).decode())

    def _receive(self, kind: str) -> dict[str, Any]:
        """Return the next message, which must be of a kind; pings are passed over."""
        while True:
            try:
                message: dict[str, Any] = orjson.loads(self._connection.recv(timeout=self._client.seconds))
            except TimeoutError:
                raise VerificationFailed(f"No {kind} came over the WebSocket in time. Does a relay run?") from None
            if message["type"] == kind:
                return message
            if message["type"] not in {"ping", "pong"}:
                raise VerificationFailed(f"The WebSocket says {message} where {kind} was due.")


def _address(text: str) -> SplitResult:
    url = urlsplit(text.rstrip("/"))
    if url.scheme not in {"http", "https"} or url.hostname is None or url.path:
        raise ConfigurationError(f"{text!r} is no address of a server: give one such as http://localhost:8000.")
    return url


def _messages(errors: list[dict[str, Any]]) -> str:
    return " ".join(str(error.get("message")) for error in errors)
