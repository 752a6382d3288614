"""One operation of a socket: run, answered, and noted as one over HTTP is."""

import asyncio
import time
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Protocol

import orjson
from graphql import OperationType

from core.errors import Forbidden, RequestError, ShopNotFound, ShopSuspended, Unauthenticated
from engine.errors import Failure
from server.entrance import Caller
from server.graphql.answers import Answer
from server.graphql.costs import DRY_RUN_HEADER, ON
from server.graphql.exchanges import Exchange
from server.graphql.operating import Chosen, Operations
from server.graphql.requests import GraphQLRequest, read_payload
from server.limits import Payer
from server.live import messages
from server.live.messages import Subscribe
from server.observability import CLIENT_GONE

_ERRORS = b'{"errors":'
"""How the body begins of an answer to what was not executed; its list of errors follows, and a brace."""

EXPELLING = (Unauthenticated, Forbidden, ShopNotFound, ShopSuspended)
"""Refusals of whoever asks, whatever is asked."""


class Following(Protocol):
    """A subscription that is open."""

    @property
    def sequence(self) -> int | None:
        """The last event that was delivered."""

    def close(self) -> None:
        """Deliver no more."""


class Follows(Protocol):
    """Opens subscriptions, as `server.live.hub.Hub` does."""

    async def subscribe(
        self, chosen: Chosen, request: GraphQLRequest, caller: Caller, subscriber: Any, *, payer: Payer | None
    ) -> Following:
        """Open a subscription for whoever takes its events."""


class Host(Protocol):
    """The socket that an operation runs on, as far as the operation cares."""

    @property
    def caller(self) -> Caller:
        """Who asks, as of now."""

    @property
    def operations(self) -> Operations:
        """Serves what is asked."""

    @property
    def hub(self) -> Follows | None:
        """Opens subscriptions; None where there are none."""

    @property
    def operation_seconds(self) -> float:
        """How long an operation may take, and a subscription to begin."""

    def push(self, frame: str, line: str = "") -> None:
        """Write a frame, of a subscription where its line is named."""

    async def drained(self) -> None:
        """Wait until the client has read what was written."""

    async def admit(self, operation: "SocketOperation") -> None:
        """Let an operation run; raises a `RequestError` where there are too many."""

    def expel(self, refusal: RequestError) -> None:
        """Close the socket of somebody whom we serve no longer."""

    def forget(self, operation: "SocketOperation", *, status: int) -> None:
        """Take note that an operation has come to its end."""


class SocketOperation:
    """An operation, from the message that asks for it to its end; of a subscription, it takes the events.

    Attributes:
        id: What the client calls it.
        exchange: What is known of it so far.
        started: When it began, of `time.perf_counter`.
        task: Runs it; of a subscription, until it is open.
        subscription: None until it is open, and of queries and mutations.
        has_slot: Whether it counts among the operations of its client.
        is_over: Whether it has come to its end.
    """

    __slots__ = (
        "_host",
        "_prefix",
        "exchange",
        "has_slot",
        "id",
        "is_over",
        "started",
        "subscription",
        "task",
    )

    def __init__(self, name: str, exchange: Exchange, host: Host) -> None:
        self.id = name
        self.exchange = exchange
        self.started = time.perf_counter()
        self.task: asyncio.Task[None] | None = None
        self.subscription: Following | None = None
        self.has_slot = self.is_over = False
        self._host = host
        self._prefix = messages.next_prefix(name)

    @property
    def caller(self) -> Caller:
        """Who gets the events, as of now."""
        return self._host.caller

    @property
    def sequence(self) -> int | None:
        """The last event of a subscription that was delivered; None for anything else."""
        return None if self.subscription is None else self.subscription.sequence

    def deliver(self, _sequence: int | None, payload: bytes) -> None:
        """Send a result to the client; it never waits, and never raises."""
        if not self.is_over:
            self._host.push(f"{self._prefix}{payload.decode()}}}", self.id)

    async def drained(self) -> None:
        """Wait until the client has read what was sent."""
        await self._host.drained()

    def finish(self, failures: Sequence[Failure]) -> None:
        """Let a subscription end that has come to its end by itself.

        Args:
            failures: Why; none where there are no more events.
        """
        if self.is_over:
            return
        code = failures[0].code if failures else None
        self.exchange.observation.code = code
        self._end(HTTPStatus.OK)
        if failures:
            errors = [failure.formatted(self.exchange.request_id) for failure in failures]
            self._host.push(messages.error(self.id, orjson.dumps(errors).decode()))
        else:
            self._host.push(messages.complete(self.id))

    def cancel(self) -> None:
        """End the operation, since nobody wants its results any more; the client hears nothing."""
        if self.is_over:
            return
        status = CLIENT_GONE if self.subscription is None else HTTPStatus.OK
        if self.task is not None:
            self.task.cancel()
        self._end(status)

    async def run(self, message: Subscribe) -> None:
        """Run the operation, and answer; a subscription is open after that."""
        exchange, limit = self.exchange, asyncio.timeout(self._host.operation_seconds)
        answer: Answer | None
        try:
            async with limit:
                answer = await self._answer(message)
        except RequestError as refusal:
            answer = exchange.refused(refusal)
        except Exception as error:  # noqa: BLE001 - the last line of defence: masked, and reported once.
            answer = exchange.late() if limit.expired() else self._broken(error)
        if answer is not None and not self.is_over:
            self._conclude(answer)

    async def _answer(self, message: Subscribe) -> Answer | None:
        host, exchange = self._host, self.exchange
        request = read_payload(message.payload, message.text)
        exchange.is_read = True
        try:
            caller: Any = await host.operations.identify(exchange)
        except EXPELLING as refusal:
            host.expel(refusal)
            raise
        exchange.observation.shop, exchange.observation.actor = caller.shop.slug, caller.actor.kind
        await host.admit(self)
        hub = host.hub
        chosen = await host.operations.choose(exchange, request, caller, subscribes=hub is not None)
        if not isinstance(chosen, Chosen):
            return exchange.failed(*chosen)
        if chosen.operation.type is not OperationType.SUBSCRIPTION or hub is None:
            return await host.operations.perform(exchange, request, caller, chosen=chosen)
        if exchange.headers.get(DRY_RUN_HEADER) == ON:
            await exchange.charge_least()
            return exchange.priced(chosen.costs)
        subscription = await hub.subscribe(chosen, request, caller, self, payer=exchange.payer)
        if self.is_over:
            subscription.close()
        self.subscription = subscription
        return None

    def refuse(self, refusal: RequestError) -> None:
        """Answer that the operation does not run."""
        self._conclude(self.exchange.refused(refusal))

    def _conclude(self, answer: Answer) -> None:
        self.exchange.note(answer)
        self._end(answer.status)
        host = self._host
        if answer.status == HTTPStatus.OK:
            host.push(f"{self._prefix}{answer.body.decode()}}}")
            host.push(messages.complete(self.id))
        else:
            host.push(messages.error(self.id, answer.body[len(_ERRORS) : -1].decode()))

    def _broken(self, error: BaseException) -> Answer:
        self._host.operations.report(error, self.exchange.request_id)
        return self.exchange.broken()

    def _end(self, status: int) -> None:
        self.is_over = True
        if self.subscription is not None:
            self.subscription.close()
        self._host.forget(self, status=status)
