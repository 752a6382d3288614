"""Talks to the endpoint over real WebSockets."""

import asyncio
import contextlib
import dataclasses
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from core.settings import Settings
from resolvers.context import Shop
from server.live.bounds import Bounds
from server.live.hub import Hub
from server.live.sockets import Sockets
from server.metrics import Metrics, create_metrics
from server.parts import parts_of
from tests.servers import served

PROTOCOL = "graphql-transport-ws"
ACK = {"type": "connection_ack"}
PATIENCE_SECONDS = 10
SHOP_NAME = "{ shop { name } }"


@dataclasses.dataclass(slots=True)
class Client:
    """One socket, as whoever is told it."""

    connection: ClientConnection

    async def send(self, message: Any) -> None:
        """Send a message: a text or bytes as they are, anything else as JSON."""
        await self.connection.send(message if isinstance(message, str | bytes) else json.dumps(message))

    async def receive(self) -> Any:
        """Receive a message."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return json.loads(await self.connection.recv(decode=True))

    async def introduce(self, **payload: Any) -> None:
        """Say who asks, and be let in."""
        await self.send({"type": "connection_init", "payload": payload})
        assert await self.receive() == ACK

    async def subscribe(self, name: str, query: str, **members: Any) -> None:
        """Ask for an operation."""
        await self.send({"type": "subscribe", "id": name, "payload": {"query": query, **members}})

    async def ask(self, name: str, query: str, **members: Any) -> Any:
        """Ask for a query or a mutation, and return its result."""
        await self.subscribe(name, query, **members)
        result = await self.receive()
        assert (result["type"], result["id"]) == ("next", name), result
        assert await self.receive() == {"type": "complete", "id": name}
        return result["payload"]

    async def closed(self) -> tuple[int, str]:
        """Wait until the server closes, and return its code and its reason; what comes before is dropped."""
        with contextlib.suppress(ConnectionClosed):
            async with asyncio.timeout(PATIENCE_SECONDS):
                while True:
                    await self.connection.recv()
        received = self.connection.protocol.close_rcvd
        return (1006, "") if received is None else (received.code, received.reason)


@contextlib.asynccontextmanager
async def socket(url: str, *, introduce: Shop | None = None, **options: Any) -> AsyncIterator[Client]:
    """Open a socket; as an anonymous shopper of a shop, where it is named."""
    options = {"subprotocols": [PROTOCOL], "compression": None, "ping_interval": None} | options
    address = url.replace("http://", "ws://")
    async with connect(address if address.endswith("/graphql") else f"{address}/graphql", **options) as connection:
        client = Client(connection)
        if introduce is not None:
            await client.introduce(**{"galleria-shop": introduce.slug})
        yield client


@dataclasses.dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint of its own, with bounds of its own.

    Attributes:
        url: Where it is.
        sockets: All its sockets.
        metrics: Where they are counted.
        hub: Where their subscriptions are.
    """

    url: str
    sockets: Sockets
    metrics: Metrics
    hub: Hub

    @property
    def open_subscriptions(self) -> int:
        """How many subscriptions are open."""
        return len(self.hub)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something is so that the server tells nobody of."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not condition():  # noqa: ASYNC110  (there is no event)
                await asyncio.sleep(0.005)

    def sample(self, name: str, **labels: str) -> float:
        """Return what a metric stands at; 0 where it has not begun."""
        return self.metrics.registry.get_sample_value(name, labels) or 0.0


@contextlib.asynccontextmanager
async def endpoint(settings: Settings, bounds: Bounds | None = None, **options: Any) -> AsyncIterator[Endpoint]:
    """Serve sockets alone."""
    parts, metrics = parts_of(settings), create_metrics()
    sockets = Sockets(parts.operations, parts.hub, metrics=metrics, bounds=bounds, **options)

    @contextlib.asynccontextmanager
    async def running(_: Starlette) -> AsyncIterator[None]:
        async with parts.running(), sockets.counted():
            yield

    starlette = Starlette(lifespan=running)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        await (sockets if scope["type"] == "websocket" else starlette)(scope, receive, send)

    async with served(application) as url:
        yield Endpoint(url, sockets, metrics, parts.hub)


def refused(result: Any, code: str) -> bool:
    """Tell whether a message ends an operation by an error of a code."""
    return result["type"] == "error" and [error["extensions"]["code"] for error in result["payload"]] == [code]
