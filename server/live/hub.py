"""The subscriptions of a process: opened, led to those that get the same messages, and closed."""

import asyncio
import uuid
from collections.abc import Coroutine
from typing import Any, Protocol

from graphql import ExecutionResult

from core.errors import BadUserInput, Forbidden, RequestError
from engine.documents import DocumentStore
from engine.errors import INTERNAL_MESSAGE, cause_of, result_failures
from resolvers.context import Context
from resolvers.feeds import Feed, Feeds
from resolvers.live import Source, Stream, begin
from schema.cost import OPENING
from server.entrance import Caller
from server.graphql.exchanges import new_request_id, verdict_of
from server.graphql.operating import Chosen, Report
from server.graphql.requests import GraphQLRequest
from server.limits import Payer
from server.live.execution import Execution
from server.live.hub_metrics import HubStatistics, watch_hub
from server.live.listening import Listening, Turns
from server.live.openings import Asked, Openings, asked_of, digest_of
from server.live.payloads import Payloads
from server.live.shared import Shared
from server.live.subscription import Callers, Subscriber, Subscription
from server.live.traits import KnownTraits
from server.metrics import Metrics

__all__ = ["Hub", "Subscriber", "Subscription"]


class HubEntrance(Callers, Protocol):
    """Knows callers, and opens what messages are read with."""

    def open(self, caller: Caller) -> Context:
        """Open a context; whoever opens it closes it."""


class _Refused(RequestError):
    """The subscription was refused at its opening, for more than a client could be told by another class."""


class Hub:
    """Brings events to subscribers.

    Args:
        feeds: The events of shops.
        entrance: See `HubEntrance`.
        store: Whose documents are subscribed to.
        report: Told of unexpected exceptions.

    Attributes:
        statistics: What was done so far.
        payloads: Messages that are kept for a moment.
    """

    def __init__(self, feeds: Feeds, entrance: HubEntrance, store: DocumentStore, *, report: Report) -> None:
        self.statistics = HubStatistics()
        self.payloads = Payloads()
        self._feeds = feeds
        self._entrance = entrance
        self._report = report
        self._traits = KnownTraits(store.schema)
        self._turns = Turns()
        self._shops: dict[uuid.UUID, Listening] = {}
        self._openings = Openings()
        self._asked: dict[Subscription, Asked] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._asked)

    def watch(self, metrics: Metrics) -> None:
        """Show at each scrape what is done."""
        watch_hub(metrics, self.statistics, subscriptions=lambda: len(self._asked), executions=lambda: self.executions)

    @property
    def executions(self) -> int:
        """How many different messages an event may become."""
        return sum(map(len, self._shops.values()))

    async def subscribe(
        self,
        chosen: Chosen,
        request: GraphQLRequest,
        caller: Caller,
        subscriber: Subscriber,
        *,
        payer: Payer | None,
    ) -> Subscription:
        """Open a subscription.

        Messages may be delivered before this returns to whoever waits for it.

        Args:
            chosen: A subscription.
            request: What was asked.
            caller: Who asks.
            subscriber: Takes the messages.
            payer: Pays for the opening and for each message; None where nobody has to.

        Raises:
            RequestError: It is refused, by its arguments, for lack of a permission, or for a budget that is spent.
        """
        try:
            if payer is not None:
                await payer.charge(OPENING)
                payer.settle(OPENING)
            feed = await self._feeds.follow(caller.shop.id)
        except RequestError:
            self.statistics.refused += 1
            raise
        asked = asked_of(chosen, request.variables or {}, caller, self._traits.of(chosen.document))
        try:
            source, cursor = await self._open(asked, caller, feed)
        except BaseException:
            self.statistics.refused += 1
            self._feeds.leave(feed)
            raise
        subscription = Subscription(
            subscriber,
            caller,
            cursor=cursor,
            feed=feed,
            payer=payer,
            callers=self._entrance,
            on_close=self._forget,
            statistics=self.statistics,
        )
        self._asked[subscription] = asked
        self.statistics.opened += 1
        try:
            self._enter(subscription, source)
        except BaseException:
            subscription.close()
            raise
        return subscription

    async def close(self) -> None:
        """End all subscriptions, without a word to clients."""
        for subscription in tuple(self._asked):
            subscription.close()
        await self._turns.close()
        await self.payloads.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _open(self, asked: Asked, caller: Caller, feed: Feed) -> tuple[Source, int]:
        context = self._entrance.open(caller)
        try:
            source = self._openings.find(asked)
            if source is None:
                source = await self._subscribed(asked, context)
                self._openings.keep(asked, source)
            return source, await begin(context, source, feed.position)
        finally:
            await context.close()

    async def _subscribed(self, asked: Asked, context: Context) -> Source:
        events = await asked.chosen.operation.executable.events(asked.variables, context=context)
        if isinstance(events, ExecutionResult):
            raise self._refusal(events)
        assert isinstance(events, Stream)  # noqa: S101  (narrows the type: all our subscription fields return one)
        return events.source

    def _refusal(self, result: ExecutionResult) -> RequestError:
        """Return why there are no events."""
        for error in result.errors or ():
            cause = cause_of(error)
            if isinstance(cause, RequestError):
                return cause
        request_id = new_request_id()
        failures = result_failures(
            result.errors or (), classify=verdict_of, report=lambda error: self._report(error, request_id)
        )
        code = failures[0].code if failures else ""
        if code == BadUserInput.code:
            return BadUserInput(failures[0].message)
        return _Refused(INTERNAL_MESSAGE)

    def _enter(self, subscription: Subscription, source: Source) -> None:
        """Lead a subscription to those who get the same messages."""
        feed = subscription.feed
        listening = self._shops.get(feed.shop_id)
        if listening is None:
            listening = self._shops[feed.shop_id] = Listening(feed, self._turns)
        execution = self._execution(self._asked[subscription], source)
        shared = listening.find(execution.identity)
        if shared is None:
            shared = Shared(execution, feed, heard=lambda: listening.heard, move=self._move, callers=self._entrance)
            listening.add(shared)
        subscription.shared = shared
        shared.joining.add(subscription)
        if subscription.cursor < shared.done:
            subscription.joining = self._start(shared.join(subscription))
        else:
            shared.admit(subscription)

    def _execution(self, asked: Asked, source: Source) -> Execution:
        shown = repr((source.topic, source.scope, sorted(map(repr, source.kinds)), asked.chosen.costs.requested))
        form = digest_of(asked.told, shown.encode(), asked.variables_without(asked.traits.choices))
        return Execution(
            identity=digest_of(form, asked.variables_without(asked.traits.cursors)),
            form=form,
            chosen=asked.chosen,
            variables=asked.variables,
            source=source,
            caller=asked.caller,
            open_context=self._entrance.open,
            payloads=self.payloads,
            report=self._report,
            statistics=self.statistics,
        )

    def _move(self, subscription: Subscription, caller: Caller) -> None:
        """Let a subscription go on with what its caller sees by now, right behind the last message."""
        self._leave(subscription)
        if caller.shop.id != subscription.caller.shop.id:
            subscription.refuse(Forbidden("A subscription stays with its shop; subscribe again."))
            return
        self.statistics.moved += 1
        subscription.caller = caller
        subscription.joining = self._start(self._enter_again(subscription))

    async def _enter_again(self, subscription: Subscription) -> None:
        before, caller = self._asked[subscription], subscription.caller
        try:
            asked = asked_of(before.chosen, before.variables, caller, before.traits)
            source, _ = await self._open(asked, caller, subscription.feed)
            if not subscription.is_closed:
                subscription.joining = None
                self._asked[subscription] = asked
                self._enter(subscription, source)
        except RequestError as refusal:
            subscription.refuse(refusal)
        except Exception as error:  # noqa: BLE001 - nobody may be left who hears nothing and does not know.
            subscription.break_off(error)

    def _leave(self, subscription: Subscription) -> None:
        shared, listening = subscription.shared, self._shops.get(subscription.feed.shop_id)
        subscription.shared = None
        if shared is None or listening is None:
            return
        shared.leave(subscription)
        if not shared.is_empty:
            return
        shared.stop()
        listening.remove(shared)
        if not len(listening):
            listening.close()
            del self._shops[subscription.feed.shop_id]

    def _forget(self, subscription: Subscription) -> None:
        """Take note that a subscription was closed."""
        self._leave(subscription)
        del self._asked[subscription]
        self._feeds.leave(subscription.feed)
        if subscription.owes:
            self._start(subscription.pay_debt())

    def _start(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
