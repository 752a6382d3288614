"""Subscriptions that get the same messages: each is made once, and brought to all of them."""

import asyncio
import contextlib
import itertools
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Final, cast

from core.errors import GalleriaError, Overloaded, RequestError
from engine.errors import Failure
from resolvers.feeds import Event, EventsExpired, Feed
from server.entrance import Caller
from server.live.execution import Execution
from server.live.payloads import Made, Payload
from server.live.subscription import BROKEN, Callers, Parcel, Subscription, is_cancelled, report_trouble

SENT_AT_ONCE: Final = 200
"""Messages that are brought before the event loop gets a turn: some milliseconds."""

SENT_IN_TURN: Final = 2_000
"""Messages, each counted once for each subscriber, after which other subscriptions have their turn."""

REPLAYED_AT_ONCE: Final = 20
"""Events whose messages are made together for one who resumes: he may not be able to pay for all of them."""

PENDING_AT_MOST: Final = 1_000
"""Events that wait to be made messages of; those beyond are read from the database again when their time has come."""

COST_OF_HIT: Final = 1
"""Points for a message that was made for somebody else, as for any answer that is kept."""

COST_OF_PAGE: Final = 1
"""Points for a page of past events that is looked through."""

Move = Callable[[Subscription, Caller], None]
"""Lets a subscription join others, since its caller sees other things by now."""

_RESET = Failure(
    "Events were lost, or undone; subscribe again after the last sequence to hear what is so.",
    Overloaded.code,
    extensions={"retryAfterMs": 1_000},
)

_AWAY = Failure(
    "The database does not answer; subscribe again after the last sequence.",
    Overloaded.code,
    extensions={"retryAfterMs": 1_000},
)


class Shared:
    """Equal subscriptions of a shop.

    Args:
        execution: How messages are made.
        feed: The events of the shop.
        heard: Returns the sequence up to which events were handed over to all subscriptions of the shop.
        move: See `Move`.
        callers: Knows whether callers are still good.

    Attributes:
        members: Those that hear live; they have got all messages up to `done`.
        joining: Those that still hear what was before.
        is_queued: Whether it waits for its turn, or has it.
    """

    def __init__(
        self, execution: Execution, feed: Feed, *, heard: Callable[[], int], move: Move, callers: Callers
    ) -> None:
        self.execution = execution
        self.members: dict[Subscription, None] = {}
        self.joining: set[Subscription] = set()
        self.is_queued = False
        self._feed = feed
        self._heard = heard
        self._move = move
        self._callers = callers
        self._pending: deque[Event] = deque()
        self._read_up_to: int | None = None
        self._is_stopped = False

    @property
    def is_empty(self) -> bool:
        """Whether nobody subscribes any more."""
        return not self.members and not self.joining

    @property
    def has_work(self) -> bool:
        """Whether messages have to be made."""
        return bool(self._pending) or self._read_up_to is not None

    @property
    def done(self) -> int:
        """The sequence up to which all messages were brought to all members."""
        if self._pending:
            return self._pending[0].sequence - 1
        return self._heard() if self._read_up_to is None else self._read_up_to

    def push(self, event: Event) -> None:
        """Take an event that subscriptions may want to hear of."""
        if self._read_up_to is not None:
            return
        if len(self._pending) >= PENDING_AT_MOST:
            self._read_up_to = self._pending[-1].sequence
            return
        self._pending.append(event)

    def leave(self, subscription: Subscription) -> None:
        """Let a subscription go."""
        self.members.pop(subscription, None)
        self.joining.discard(subscription)

    def stop(self) -> None:
        """Make no more messages."""
        self._is_stopped = True
        self._pending.clear()
        self._read_up_to = None

    def fail(self, failure: Failure) -> None:
        """End all subscriptions: a message cannot be brought, and none may be left out."""
        for subscription in [*self.members, *self.joining]:
            # Each is to resume before what is pending, so that has to be known as yet.
            subscription.end(failure)
        self.stop()

    def break_off(self, error: BaseException) -> None:
        """End all subscriptions for an error that nobody thought of, and report it."""
        report_trouble(error)
        self.fail(BROKEN)

    def reset(self, position: int) -> None:
        """End all subscriptions: what they will be told after a sequence may not follow what they were told."""
        self.execution.payloads.forget()
        self._pending.clear()
        self._read_up_to = None
        for subscription in [*self.members, *self.joining]:
            subscription.cursor = min(subscription.cursor, position)
        self.fail(_RESET)

    async def turn(self) -> None:
        """Bring the next messages, or read which events come next."""
        try:
            if self._pending:
                events = list(itertools.islice(self._pending, self._at_once))
                made, _ = await self.execution.of_events(events)
                await self._bring([payload for each in made for payload in each])
                self._observe(events, made)
                # Only now are they done; what was ended meanwhile has nothing left to do.
                if self._pending and self._pending[0] is events[0]:
                    for _ in events:
                        self._pending.popleft()
            elif self._read_up_to is not None:
                await self._read_on(self._read_up_to)
        except GalleriaError:
            self.fail(_AWAY)

    async def join(self, subscription: Subscription) -> None:
        """Bring a subscription what was before, and let it hear live from there on."""
        try:
            while not subscription.is_closed and subscription.cursor < self.done:
                try:
                    await self._replay_all(subscription)
                except EventsExpired:
                    await self._bridge(subscription)
                if subscription not in self.joining:
                    return
        except GalleriaError:
            subscription.end(_AWAY)
        except asyncio.CancelledError as error:
            if is_cancelled():
                raise
            subscription.break_off(error)
        except Exception as error:  # noqa: BLE001 - nobody may be left who hears nothing and does not know.
            subscription.break_off(error)
        # Nothing was awaited since it was seen that nothing is missing.
        self.admit(subscription)

    def admit(self, subscription: Subscription) -> None:
        """Let a subscription that has missed nothing hear live."""
        if not subscription.is_closed and subscription in self.joining:
            self.joining.discard(subscription)
            self.members[subscription] = None

    async def _read_on(self, after: int) -> None:
        wanted: list[Event] = []
        async with self._past(after, self._feed.position) as pages:
            async for page in pages:
                wanted = [event for event in page if self.execution.source.hears(event)]
                after = page[-1].sequence
                break
        if self._is_stopped:
            return
        self._pending.extend(wanted)
        # What is handed over from now on comes right behind, or is read as well.
        self._read_up_to = None if after >= self._heard() else after

    @property
    def _at_once(self) -> int:
        """How many events are told of in one turn: all that have gathered, unless that keeps others waiting."""
        return max(1, min(self.execution.at_once, SENT_IN_TURN // max(1, len(self.members))))

    async def _bring(self, payloads: Sequence[Payload]) -> None:
        if not payloads:
            return
        await self._look_again()
        sharers = max(1, len(self.members))
        parcel = [(payload, -(-payload.points // sharers)) for payload in payloads]
        last, members_at_once = payloads[-1].sequence, max(1, SENT_AT_ONCE // len(parcel))
        # Those who join meanwhile have heard what was before these messages, and some of these perhaps.
        while lagging := [each for each in self.members if each.cursor < last]:
            for begin in range(0, len(lagging), members_at_once):
                await self._bring_to(lagging[begin : begin + members_at_once], parcel)

    def _observe(self, events: Sequence[Event], made: Sequence[Made]) -> None:
        """Take note of how late everybody has heard."""
        now, topic = datetime.now(UTC), self.execution.source.topic.value
        for event in itertools.compress(events, made):
            self.execution.statistics.lag.observe(topic, max(0.0, (now - event.created_at).total_seconds()))

    async def _look_again(self) -> None:
        """Look one of the callers up, where none is known for sure; that is why the shop's other ones are known."""
        caller = next((each.subscriber.caller for each in self.members), None)
        if caller is not None and self._callers.known(caller) is None:
            # Who may not go on hears of it when his message is brought.
            with contextlib.suppress(RequestError):
                await self._callers.again(caller)

    async def _bring_to(self, members: Sequence[Subscription], parcel: Parcel) -> None:
        slow = [(each, rest) for each in members if (rest := each.offer_all(parcel))]
        if slow:
            await asyncio.gather(*(self._bring_slowly(each, rest) for each, rest in slow))
        else:
            await asyncio.sleep(0)

    async def _bring_slowly(self, subscription: Subscription, parcel: Parcel) -> None:
        while parcel and not subscription.is_closed:
            moved = await subscription.offer_slowly(*parcel[0])
            if moved is not None:
                subscription.cursor = max(subscription.sequence, subscription.cursor)
                self._move(subscription, moved)
                return
            parcel = subscription.offer_all(parcel[1:])

    def _past(self, after: int, until: int) -> AbstractAsyncContextManager[AsyncIterator[Sequence[Event]]]:
        """Return the pages of past events, which may be left before the last."""
        return contextlib.aclosing(cast("AsyncGenerator[Sequence[Event]]", self._feed.between(after, until)))

    async def _replay_all(self, subscription: Subscription) -> None:
        async with self._past(subscription.cursor, self.done) as pages:
            async for page in pages:
                await self._replay(subscription, page)
                if subscription not in self.joining:
                    return

    async def _replay(self, subscription: Subscription, page: Sequence[Event]) -> None:
        """Bring the messages of a page of past events to one subscription."""
        await subscription.pay(COST_OF_PAGE)
        events = [event for event in page if self.execution.source.hears(event)]
        at_once = min(REPLAYED_AT_ONCE, self.execution.at_once)
        for begin in range(0, len(events), at_once):
            for made, is_hit in zip(*await self.execution.of_events(events[begin : begin + at_once]), strict=True):
                await self._bring_past(subscription, made, is_hit=is_hit)
                if subscription not in self.joining:
                    return
        subscription.cursor = page[-1].sequence
        await asyncio.sleep(0)

    async def _bridge(self, subscription: Subscription) -> None:
        """Tell a subscription which events are no longer kept, and how things are now."""
        last = self.done
        made, is_hit = await self.execution.of_gap(subscription.cursor, last)
        await self._bring_past(subscription, made, is_hit=is_hit)
        # Who sees other things by now has moved on to others without it, and is told of the gap there.
        if subscription in self.joining:
            subscription.cursor = max(subscription.cursor, last)

    async def _bring_past(self, subscription: Subscription, made: Made, *, is_hit: bool) -> None:
        for payload in made:
            points = COST_OF_HIT if is_hit else payload.points
            # Nobody else waits for what is past: its client may read, and pay, at its own pace.
            await subscription.subscriber.drained()
            await subscription.afford(points)
            if subscription not in self.joining:
                return
            if not subscription.offer(payload, points):
                await self._bring_slowly(subscription, [(payload, points)])
