"""Subscriptions over HTTP: each is a stream of events (GraphQL over SSE, distinct connections mode)."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import ClassVar

from graphql import OperationType

from core.errors import LimitExceeded, Overloaded
from server.addresses import group_of
from server.entrance import Caller
from server.graphql.answers import VARY, Answer
from server.graphql.costs import DRY_RUN_HEADER, ON
from server.graphql.exchanges import Exchange
from server.graphql.operating import Chosen, Operations
from server.graphql.requests import GraphQLRequest
from server.live.bounds import Bounds
from server.live.crowds import FULL, Crowd, Place, Standing
from server.live.operation import Follows
from server.live.resuming import LAST_EVENT_ID, resumed
from server.live.slots import Client, Slots
from server.live.stream import End, Stream
from server.metrics import Metrics
from server.tallies import Level, Tally

PING_SECONDS = 12.0
"""Between two comments; proxies give up after 30 seconds at the earliest."""

AT_ONCE = 200
"""Streams that are written to before others get their turn."""


class TooManyStreams(LimitExceeded):
    """The client has as many streams as it may have at the same time."""

    status: ClassVar[int] = 429


class Streams:
    """The streams of one process.

    Args:
        operations: Serves what is asked.
        hub: Opens subscriptions.
        slots: How many operations a client runs at the same time, over sockets too.
        crowd: How many streams and sockets there are.
        metrics: Where streams are counted.
        bounds: What there may be of everything.

    Attributes:
        is_draining: Whether the process is about to end.
    """

    def __init__(  # noqa: PLR0913  (all that it needs)
        self,
        operations: Operations,
        hub: Follows,
        *,
        slots: Slots,
        crowd: Crowd,
        metrics: Metrics,
        bounds: Bounds | None = None,
    ) -> None:
        self._operations = operations
        self._hub = hub
        self._slots = slots
        self._bounds = bounds or Bounds()
        self._open: dict[Stream, None] = {}
        self._crowd = crowd
        self._level = Level("galleria_streams", "Streams of events that are open.")
        self._ended = Tally("galleria_streams_ended", "Streams of events that have ended, by why.", ("reason",))
        for collector in (self._level, self._ended):
            metrics.registry.register(collector)
        self.is_draining = False

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep the streams alive for as long as the block runs, and end those that are left."""
        pinging = asyncio.create_task(self._ping())
        try:
            yield
        finally:
            pinging.cancel()
            await self.drain(0.0)

    async def open(self, exchange: Exchange, request: GraphQLRequest, caller: Caller) -> "Stream | Answer | Chosen":
        """Begin a subscription.

        Args:
            exchange: What is known of the request, whose client wants streams.
            request: What is asked.
            caller: Who asks.

        Returns:
            The stream; an answer where there is none to be; what was chosen where it is no subscription.

        Raises:
            RequestError: It is refused as a whole.
        """
        chosen = await self._operations.choose(exchange, request, caller, subscribes=True)
        if not isinstance(chosen, Chosen):
            return exchange.failed(*chosen)
        if chosen.operation.type is not OperationType.SUBSCRIPTION:
            return chosen
        if exchange.headers.get(DRY_RUN_HEADER) == ON:
            await exchange.charge_least()
            return exchange.priced(chosen.costs)
        chosen, request = resumed(self._operations.store, chosen, request, exchange.headers.get(LAST_EVENT_ID))
        exchange.observation.shop, exchange.observation.actor = caller.shop.slug, caller.actor.kind
        return await self._opened(exchange, chosen, request, caller)

    async def drain(self, seconds: float) -> None:
        """End all streams so that their clients come again, here or elsewhere, and go on where they were.

        Args:
            seconds: Over how long the ends are spread, lest all come again at the same moment.
        """
        self.is_draining = True
        streams = list(self._open)
        for stream in streams:
            stream.end(End.DRAINED)
            await asyncio.sleep(seconds / len(streams))
        await asyncio.gather(*(stream.closed.wait() for stream in streams))

    async def _opened(self, exchange: Exchange, chosen: Chosen, request: GraphQLRequest, caller: Caller) -> Stream:
        stream = Stream(caller, exchange, self._bounds, headers={"vary": VARY, **exchange.budget_headers()})
        if self.is_draining:
            stream.end(End.DRAINED)
            return stream
        await self._admit(stream, exchange)
        try:
            following = await self._hub.subscribe(chosen, request, caller, stream, payer=exchange.payer)
        except BaseException:
            stream.end(End.REFUSED)
            stream.leave()
            raise
        stream.follow(following)
        return stream

    async def _admit(self, stream: Stream, exchange: Exchange) -> None:
        caller, place = stream.caller, Place(self._crowd)
        group = group_of(exchange.view(self._operations.proxies).address)
        client = (caller.shop.id, f"{caller.actor.kind}:{caller.actor.subject or group}")
        try:
            if caller.actor.subject is None:
                place.settle(Standing.ANONYMOUS, group)
            else:
                place.settle(Standing.SIGNED_IN, client)
            self._check(place)
            await self._take(client)
        except BaseException:
            place.leave()
            raise
        self._open[stream] = None
        self._level.value += 1

        def forget() -> None:
            del self._open[stream]
            self._slots.give_back(client)
            place.leave()
            self._level.value -= 1
            self._ended.add((stream.ended_by.value,))

        stream.on_leave = forget

    async def _take(self, client: Client) -> None:
        if not await self._slots.take(client):
            raise _too_many(self._bounds.operations_per_client, "operations at the same time")

    def _check(self, place: Place) -> None:
        """Refuse a stream for which there is no room."""
        match place.full:
            case Standing.ANYBODY:
                raise Overloaded(FULL[Standing.ANYBODY])
            case Standing.ANONYMOUS:
                raise _too_many(
                    self._bounds.anonymous_sockets, "streams and sockets from your address without signing in"
                )
            case Standing.SIGNED_IN:
                raise _too_many(self._bounds.sockets_per_client, "streams and sockets")

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(PING_SECONDS)
            for index, stream in enumerate(list(self._open)):
                stream.ping()
                if index % AT_ONCE == AT_ONCE - 1:
                    await asyncio.sleep(0)


def _too_many(limit: int, what: str) -> TooManyStreams:
    message = f"You may have {limit} {what}; close one, or try again after retryAfterMs."
    return TooManyStreams(message, which="streams", retryAfterMs=1_000)
