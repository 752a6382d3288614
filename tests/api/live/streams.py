"""Reads streams of events as a browser does, byte by byte."""

import asyncio
import contextlib
import dataclasses
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.routing import Route

from core.settings import Settings
from server.graphql.http import GraphQLEndpoint
from server.live.bounds import Bounds
from server.live.crowds import Crowd
from server.live.slots import Alone, Slots
from server.live.sse import Streams
from server.metrics import Metrics, create_metrics
from server.observability import Observed
from server.parts import parts_of
from tests.servers import served

EVENTS = "text/event-stream"
STOCK = """
subscription Stock($ids: [ID!], $after: BigInt) {
  news: stockChanged(variantIds: $ids, after: $after) {
    ... on StockChanged { sequence variantId variant { availability { quantity } } }
    ... on Gap { from to sequence }
  }
}
"""
PATIENCE_SECONDS = 15


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Attributes:
        name: Its type.
        data: What it brings, decoded; None where it brings nothing.
        id: The last id that the stream has given so far.
    """

    name: str
    data: Any
    id: str | None = None


@dataclasses.dataclass(slots=True)
class Reader:
    """Interprets a stream (HTML, 9.2.6), and keeps what an `EventSource` keeps.

    Attributes:
        last_id: What a browser would send as `Last-Event-ID`.
        retry_ms: After how long it would come again, as far as the stream has said so.
        comments: The comments, which a browser drops.
        marked: Set at the first id, and at each one after it.
    """

    response: httpx.Response
    last_id: str | None = None
    retry_ms: int | None = None
    comments: int = 0
    marked: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)

    async def events(self) -> AsyncIterator[Event]:
        """Give each event as it comes, until the stream ends."""
        fields: dict[str, list[str]] = {}
        async for line in self.response.aiter_lines():
            name, colon, value = line.partition(":")
            if line:
                self._keep(name, value.removeprefix(" "), is_comment=bool(colon) and not name)
                fields.setdefault(name, []).append(value.removeprefix(" "))
            elif data := fields.pop("data", None):
                text = "\n".join(data)
                yield Event(fields["event"][-1], json.loads(text) if text else None, self.last_id)
                fields = {}

    def _keep(self, name: str, value: str, *, is_comment: bool) -> None:
        self.comments += is_comment
        if name == "id":
            self.last_id = value
            self.marked.set()
        elif name == "retry":
            self.retry_ms = int(value)


async def all_events(response: httpx.Response) -> list[Event]:
    """Read a stream to its end."""
    return [event async for event in Reader(response).events()]


@dataclasses.dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint of its own, with bounds of its own.

    Attributes:
        url: Where it is.
        streams: All its streams.
        metrics: Where they are counted.
    """

    url: str
    streams: Streams
    metrics: Metrics

    def sample(self, name: str, **labels: str) -> float:
        """Return what a metric stands at; 0 where it has not begun."""
        return self.metrics.registry.get_sample_value(name, labels) or 0.0


@contextlib.asynccontextmanager
async def endpoint(settings: Settings, bounds: Bounds | None = None) -> AsyncIterator[Endpoint]:
    """Serve GraphQL over HTTP, and by streams."""
    parts, metrics, bounds = parts_of(settings), create_metrics(), bounds or Bounds()
    slots = Slots(Alone(), limit=bounds.operations_per_client)
    crowd = Crowd(bounds)
    streams = Streams(parts.operations, parts.hub, slots=slots, crowd=crowd, metrics=metrics, bounds=bounds)

    @contextlib.asynccontextmanager
    async def running(_: Starlette) -> AsyncIterator[None]:
        async with parts.running(), streams.running():
            yield

    route = Route("/graphql", GraphQLEndpoint(operations=parts.operations, streams=streams))
    application = Observed(Starlette(routes=[route], lifespan=running), metrics)
    async with served(application) as url:
        yield Endpoint(url, streams, metrics)


class Following:
    """A stream that is being read."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.reader = Reader(response)
        self._events = self.reader.events()

    async def event(self) -> Event:
        """Read the next event."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await anext(self._events)

    async def quantity(self) -> int:
        """Read one event of stock."""
        event = await self.event()
        assert event.name == "next"
        news = event.data["data"]["news"]
        assert news["sequence"] == event.id
        return news["variant"]["availability"]["quantity"]

    async def rest(self) -> list[Event]:
        """Read all events up to the end of the stream."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return [event async for event in self._events]

    async def opened(self) -> None:
        """Wait until the stream has said where it begins; no event is read after that."""
        reading = asyncio.ensure_future(anext(self._events))
        async with asyncio.timeout(PATIENCE_SECONDS):
            await self.reader.marked.wait()
        reading.cancel()
        await asyncio.wait([reading])
