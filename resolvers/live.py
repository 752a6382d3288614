"""What subscriptions hear: which events, who may hear of each, and what is shown of it.

A `Source` says that of one subscription; who runs it reads the events (`resolvers.feeds`) and asks the source about
each. Nothing here depends on who exactly asks, only on what he may see, so that equals can share what is made of it.
"""

import asyncio
import dataclasses
import enum
import itertools
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Mapping, Sequence
from datetime import datetime
from typing import Any

from core.errors import BadUserInput
from loaders.batching import Relation
from models import outbox
from models.scopes import Scope
from resolvers.context import Context
from resolvers.feeds import Event, EventsExpired, Feeds

Payload = Mapping[str, Any]

Look = Callable[[Context, Sequence[Event]], Awaitable[Sequence[bool]]]
"""Finds out of each event whether it may be heard of."""


class Topic(enum.Enum):
    """What a subscription is about; an event may concern several."""

    STOCK = "stock"
    PRICE = "price"
    PRODUCT = "product"
    EVENTS = "events"


@dataclasses.dataclass(frozen=True, slots=True)
class Message:
    """What a client is told of an event, or of the present state of something.

    Attributes:
        shows: Name of the type that shows it.
        sequence: What to resume after, once this has arrived.
        scope: What the subtree is seen through.
        subject_id: What has changed.
        occurred_at: When.
        type: Of the event; None for a present state.
        event_id: Of the event; None for a present state.
        payload: As far as the client may see it.
    """

    shows: str
    sequence: int
    scope: Scope
    subject_id: uuid.UUID
    occurred_at: datetime
    type: str | None = None
    event_id: uuid.UUID | None = None
    payload: Payload = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class Gap:
    """Events that are no longer kept.

    Attributes:
        first: The first sequence that is missing.
        last: The last one.
        sequence: What to resume after, once this has arrived.
        scope: As of other messages.
    """

    first: int
    last: int
    sequence: int
    scope: Scope
    shows: str = "Gap"


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where the messages of one subscription come from.

    Attributes:
        topic: What it is about.
        subjects: What has to have changed (see `subject_of`); None for anything.
        scope: What the subtree of a message is seen through.
        shows: Name of the type that shows an event.
        after: Where the client resumes; None where it begins.
        kinds: What of the actor decides beside the scope.
        wants: Whether an event of the topic is one for the client, as far as the event tells.
        look: Finds out of which events the client may hear; None where he may hear of all that he wants.
        seen: The part of an event's payload that the client may see.
        relation: How the present state is read; None where there is none to show.
    """

    topic: Topic
    subjects: frozenset[Hashable] | None
    scope: Scope
    shows: str
    after: int | None
    kinds: frozenset[Hashable] = frozenset()
    wants: Callable[[Event], bool] = lambda _: True
    look: Look | None = None
    seen: Callable[[Event], Payload] = lambda event: event.payload
    relation: Relation | None = None

    def hears(self, event: Event) -> bool:
        """Tell whether an event is one for the client, as far as the event tells."""
        subject = subject_of(self.topic, event)
        if subject is None or (self.subjects is not None and subject not in self.subjects):
            return False
        return self.wants(event)

    @property
    def sight(self) -> Hashable:
        """What it depends on whether a client may hear of an event."""
        return self.topic, self.scope, self.kinds

    def message(self, event: Event) -> Message:
        """Return what is told of an event."""
        subject_id = event.aggregate_id
        if self.topic is Topic.PRODUCT:
            subject_id = product_of(event) or subject_id
        return Message(
            self.shows,
            event.sequence,
            self.scope,
            subject_id,
            event.created_at,
            event.type,
            event.id,
            self.seen(event),
        )

    async def snapshot(self, context: Context, after: int, last: int) -> Sequence[Message]:
        """Return the present state of all subjects that can be seen; the last message ends the gap.

        Args:
            context: Of a reading that begins now.
            after: Where the client comes from; it resumes there as long as not all has arrived.
            last: Up to where the present state holds everything.
        """
        if self.relation is None or self.subjects is None:
            return ()
        rows = await context.loaders.load_list(self.relation, sorted(self.subjects), self.scope, {}, alone=True)
        found = [row.id for row in rows if row is not None]
        now = context.clock()
        return [
            Message(self.shows, last if place == len(found) else after, self.scope, subject_id, now)
            for place, subject_id in enumerate(found, 1)
        ]

    async def gap(self, context: Context, after: int, last: int) -> Sequence[Message | Gap]:
        """Return what is told in place of events that are no longer kept: the gap, then a snapshot."""
        present = await self.snapshot(context, after, last)
        return [Gap(after + 1, last, after if present else last, self.scope), *present]


def subject_of(topic: Topic, event: Event) -> Hashable | None:
    """Return what an event is about, as subscriptions of a topic name it; None where it is of another topic."""
    match topic:
        case Topic.EVENTS:
            return event.type
        case Topic.STOCK:
            return event.aggregate_id if event.type == outbox.STOCK_CHANGED else None
        case Topic.PRICE:
            return event.aggregate_id if event.type == outbox.PRICE_CHANGED else None
        case Topic.PRODUCT:
            return product_of(event)


def product_of(event: Event) -> uuid.UUID | None:
    """Return the product that an event changes by itself or by a part of it; prices and stock are told elsewhere."""
    if event.aggregate == "product":
        return event.aggregate_id
    if event.aggregate in _PARTS_OF_PRODUCTS and event.type not in _FIGURES:
        return uuid.UUID(event.payload["productId"]) if event.payload.get("productId") else None
    return None


_PARTS_OF_PRODUCTS = frozenset({"variant", "media"})
_FIGURES = frozenset({outbox.STOCK_CHANGED, outbox.PRICE_CHANGED})


async def begin(context: Context, source: Source, position: int) -> int:
    """Return the sequence after which a subscription begins.

    Args:
        context: Of the opening.
        source: What is subscribed to.
        position: Up to where this process has heard; others may be a moment ahead, and clients come from them too.

    Raises:
        BadUserInput: The client says to have heard what has not happened.
    """
    after = source.after
    if after is None or 0 <= after <= position:
        return position if after is None else after
    rows = await context.database.fetch(outbox.position, alone=True)
    latest = max(position, rows[0].sequence if rows else 0)
    if not 0 <= after <= latest:
        raise BadUserInput(
            f"`after` is the sequence of a message of this shop: 0 to {latest}.",
            argument="after",
            latestSequence=str(latest),
        )
    return after


class Stream:
    """The messages of a source, for whoever runs a subscription alone; `source` is for those who share the work.

    Each message is read with loaders of its own, since what they keep is older than the event.
    """

    def __init__(self, source: Source, context: Context) -> None:
        self.source = source
        self._context = context

    def __aiter__(self) -> AsyncIterator[Message | Gap]:
        """Return the messages: those that the client has missed, then those that come, without end.

        Raises:
            LookupError: The context has no feeds.
        """
        feeds = self._context.feeds
        if feeds is None:
            raise LookupError("Set `feeds` of the context to hear of events.")
        return self._messages(feeds)

    async def _messages(self, feeds: Feeds) -> AsyncIterator[Message | Gap]:
        context, source = self._context, self.source
        feed = await feeds.follow(context.shop.id)
        arrived = asyncio.Event()
        end = feed.subscribe(lambda _: arrived.set())
        try:
            cursor = await begin(context, source, feed.position)
            while True:
                arrived.clear()
                try:
                    async for page in feed.between(cursor, feed.position):
                        for event in await self._heard(page):
                            yield source.message(event)
                        cursor = page[-1].sequence
                except EventsExpired:
                    last = feed.position
                    await context.renew()
                    for told in await source.gap(context, cursor, last):
                        yield told
                    cursor = last
                if cursor >= feed.position:
                    await arrived.wait()
        finally:
            end()
            feeds.leave(feed)

    async def _heard(self, page: Sequence[Event]) -> Sequence[Event]:
        """Return the events of a page that the client may hear of."""
        source = self.source
        events = [event for event in page if source.hears(event)]
        if not events:
            return events
        await self._context.renew()
        if source.look is None:
            return events
        return list(itertools.compress(events, await source.look(self._context, events)))
