"""Strawberry's own handler of graphql-transport-ws: each subscriber has a generator, which waits on a queue."""

import asyncio
import collections
import json
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any, NewType

import jwt
import strawberry
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.schema.config import StrawberryConfig

from bench.peers.tokens import claims_of

_KEPT = 1_000

BigInt = NewType("BigInt", str)
DateTime = NewType("DateTime", str)
_SCALARS: Any = {
    BigInt: strawberry.scalar(name="BigInt", serialize=str, parse_value=str),
    DateTime: strawberry.scalar(name="DateTime", serialize=str, parse_value=str),
}


@strawberry.type
class Availability:
    """Whether something can be bought."""

    is_available: bool
    quantity: int | None


@strawberry.type
class Variant:
    """What is bought."""

    id: strawberry.ID
    sku: str
    availability: Availability


@strawberry.type
class StockChanged:
    """The stock of a variant has changed."""

    sequence: BigInt
    is_snapshot: bool
    occurred_at: DateTime
    variant_id: strawberry.ID
    variant: Variant | None


@strawberry.type
class Gap:
    """Events that are no longer kept."""

    sequence: BigInt


StockMessage = Annotated[StockChanged | Gap, strawberry.union("StockMessage")]

_Queue = asyncio.Queue[StockChanged]

_kept: collections.deque[StockChanged] = collections.deque(maxlen=_KEPT)
_queues: dict[str, set[_Queue]] = collections.defaultdict(set)
"""Of all subscribers, by the variants that they want to hear of."""


@strawberry.type
class Query:
    """What can be read."""

    @strawberry.field
    def version(self) -> str:
        return "1"


@strawberry.type
class Subscription:
    """What can be heard of."""

    @strawberry.subscription
    async def stock_changed(
        self, variant_ids: list[strawberry.ID], after: BigInt | None = None
    ) -> AsyncIterator[StockMessage]:
        queue: _Queue = asyncio.Queue()
        if after is not None:
            for event in _kept:
                if event.variant_id in variant_ids and int(event.sequence) > int(after):
                    queue.put_nowait(event)
        for each in variant_ids:
            _queues[each].add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            for each in variant_ids:
                _queues[each].discard(queue)


class _Application(GraphQL[Any, None]):
    async def on_ws_connect(self, context: Any) -> Any:
        try:
            claims_of(context["connection_params"]["authorization"])
        except (jwt.PyJWTError, KeyError):
            raise ConnectionRejectionError from None
        return await super().on_ws_connect(context)


_schema = strawberry.Schema(Query, subscription=Subscription, config=StrawberryConfig(scalar_map=_SCALARS))
_graphql = _Application(_schema)


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve sockets, and take events by `POST /publish`."""
    if scope["type"] == "http" and scope["path"] == "/publish":
        await _take(scope, receive, send)
        return
    await _graphql(scope, receive, send)


async def _take(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer first: the event happens when its publisher is told so, and spreading it is what is measured."""
    request = Request(scope, receive)
    try:
        claims_of(request.headers["authorization"])
    except (jwt.PyJWTError, KeyError):
        await Response(status_code=401)(scope, receive, send)
        return
    event = _event(json.loads(await request.body()))
    await JSONResponse({})(scope, receive, send)
    _kept.append(event)
    for queue in _queues[event.variant_id]:
        queue.put_nowait(event)


def _event(told: Mapping[str, Any]) -> StockChanged:
    variant, availability = told["variant"], told["variant"]["availability"]
    return StockChanged(
        sequence=told["sequence"],
        is_snapshot=told["isSnapshot"],
        occurred_at=told["occurredAt"],
        variant_id=told["variantId"],
        variant=Variant(
            id=variant["id"],
            sku=variant["sku"],
            availability=Availability(is_available=availability["isAvailable"], quantity=availability["quantity"]),
        ),
    )
