"""The events of a shop as they are relayed: read once for a shop and a process, however many follow them there."""

import asyncio
import dataclasses
import random
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence

from core.bus import BEGUN, Bus
from core.database import Database
from resolvers.outbox_reading import Event, FeedStatistics, OutboxReader, Report
from resolvers.past_events import EventsExpired, PastEvents

__all__ = ["Event", "EventsExpired", "Feed", "Feeds"]

PAGE_EVENTS = 500
"""Events that are read, and handed out, at once; whoever waits for the event loop waits for as many."""

POLL_SECONDS = 0.25
"""Between two looks at the database while the bus is not healthy."""

LOOK_SECONDS = 5.0
"""Between two looks at the database whatever the bus says, since nudges get lost."""

_ANYTHING = 2**63
"""Stands for a sequence where none was named; above all that the database can hold."""

Hear = Callable[[Sequence[Event]], None]
"""Called with events in order; it returns at once."""

Reset = Callable[[int], None]
"""Called with the last sequence that what was heard can be relied on up to; it returns at once."""


class Feed:
    """The events of one shop; made by `Feeds`.

    Attributes:
        shop_id: The shop.
        position: Everything up to this sequence was handed out.
        oldest: The first sequence that is still kept, as it was some seconds ago at most.
    """

    def __init__(self, shop_id: uuid.UUID, reader: OutboxReader) -> None:
        self.shop_id = shop_id
        self.position = 0
        self.oldest = 1
        self._reader = reader
        self._hears: dict[object, tuple[Hear, Reset]] = {}
        self._wanted = 0
        self._past = PastEvents(shop_id, reader)
        self._reading: asyncio.Task[None] | None = asyncio.get_running_loop().create_task(self._find())
        self._opening = self._reading

    @property
    def subscribers(self) -> int:
        """How many hear the events."""
        return len(self._hears)

    def subscribe(self, hear: Hear, *, on_reset: Reset = lambda _: None) -> Callable[[], None]:
        """Hear every event after `position`, as it is now, once and in order.

        Args:
            hear: See `Hear`.
            on_reset: Told when what comes next does not follow what was heard: the database was set back, as by a
                fail-over to a replica that was behind, or events expired before they were read.

        Returns:
            What ends it; further calls have no effect.
        """
        token = object()
        self._hears[token] = hear, on_reset

        def end() -> None:
            self._hears.pop(token, None)

        return end

    def between(self, after: int, until: int) -> AsyncIterator[Sequence[Event]]:
        """Return past events in pages: those with a sequence above `after`, up to `until` or `position`.

        A database that is away is waited for.

        Raises:
            EventsExpired: The next event is no longer kept.
        """
        return self._past.between(after, min(until, self.position))

    async def opened(self) -> None:
        """Wait until the position is known.

        Raises:
            GalleriaError: The database does not say it now.
        """
        await asyncio.shield(self._opening)

    def hear(self, sequence: int) -> None:
        """Read up to a sequence, or whatever there is; beside what is being read, once more after it."""
        self._wanted = max(self._wanted, _ANYTHING if sequence == BEGUN else sequence)
        self._proceed()

    def look(self) -> None:
        """Read whatever there is, unless something is being read."""
        self._past.forget()
        if self._reading is None:
            self.hear(BEGUN)

    def close(self) -> None:
        """End what is under way; nobody hears anything more."""
        self._hears.clear()
        self._past.close()
        if self._reading is not None:
            self._reading.cancel()

    def _proceed(self) -> None:
        if self._reading is None and self._wanted > self.position:
            self._reading = asyncio.get_running_loop().create_task(self._read())

    async def _find(self) -> None:
        self.position, self.oldest = await self._reader.position(self.shop_id)
        self._reading = None
        # What was heard meanwhile may have come too late for this reading.
        self._proceed()

    async def _read(self) -> None:
        while self._wanted > self.position:
            wanted, self._wanted = self._wanted, 0
            if wanted == _ANYTHING and not await self._is_behind():
                continue
            events = await self._reader.persist(self._next_page)
            self._hand_out(events)
            if len(events) == PAGE_EVENTS:
                self._wanted = max(self._wanted, self.position + 1)
        self._reading = None

    async def _is_behind(self) -> bool:
        sequence, self.oldest = await self._reader.persist(lambda: self._reader.position(self.shop_id))
        if sequence < self.position:
            # The database was restored, and what it gives from there on is new.
            self._reset(sequence)
        return sequence > self.position

    def _reset(self, position: int) -> None:
        """Let nobody hear what comes after a position as if it came right behind what he has heard."""
        self.position = position
        self._past.forget()
        for token, (_, on_reset) in tuple(self._hears.items()):
            if token in self._hears:
                on_reset(position)

    async def _next_page(self) -> list[Event]:
        return await self._reader.page(self.shop_id, self.position, at_most=PAGE_EVENTS)

    def _hand_out(self, events: Sequence[Event]) -> None:
        if not events:
            return
        if events[0].sequence != self.position + 1:
            # What is missing expired before it was read here; who resumes is told so.
            self._reset(self.position)
        # First, so that who subscribes while others hear is not behind.
        self.position = events[-1].sequence
        self._reader.statistics.handed_out += len(events)
        for token, (hear, _) in tuple(self._hears.items()):
            if token not in self._hears:
                continue
            try:
                hear(events)
            except Exception as error:  # noqa: BLE001 - the others want to hear too.
                trouble = {"message": "a subscriber of a feed failed", "exception": error}
                asyncio.get_running_loop().call_exception_handler(trouble)


class Feeds:
    """The feeds of a process.

    Args:
        database: Where the events are.
        bus: Says when there are new ones.
        report: Told what happens to the reading of them.
    """

    def __init__(self, database: Database, bus: Bus, *, report: Report = lambda _: None) -> None:
        self._bus = bus
        self._reader = OutboxReader(database, report)
        self._followed: dict[uuid.UUID, _Followed] = {}
        self._looking: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._followed)

    @property
    def statistics(self) -> FeedStatistics:
        """What all feeds have done."""
        return self._reader.statistics

    @property
    def subscribers(self) -> int:
        """How many hear events, of all shops."""
        return sum(each.feed.subscribers for each in self._followed.values())

    async def follow(self, shop_id: uuid.UUID) -> Feed:
        """Return the feed of a shop, which there is until everybody who followed it has left it.

        Raises:
            GalleriaError: The database does not say now where the shop's events are; there is nothing to leave.
        """
        followed = self._followed.get(shop_id)
        if followed is None:
            # Listening begins first: what is relayed during the first reading is read after it.
            feed = Feed(shop_id, self._reader)
            followed = self._followed[shop_id] = _Followed(feed, self._bus.listen(shop_id, feed.hear), _soon())
        followed.followers += 1
        if self._looking is None:
            self._looking = asyncio.get_running_loop().create_task(self._look())
        try:
            await followed.feed.opened()
        except BaseException:
            self.leave(followed.feed)
            raise
        return followed.feed

    def leave(self, feed: Feed) -> None:
        """Follow a feed no longer; once for each time that it was followed."""
        followed = self._followed.get(feed.shop_id)
        if followed is None or followed.feed is not feed:
            return
        followed.followers -= 1
        if not followed.followers:
            self._end(followed)

    def close(self) -> None:
        """End all feeds, whoever follows them."""
        for followed in tuple(self._followed.values()):
            self._end(followed)

    def _end(self, followed: "_Followed") -> None:
        del self._followed[followed.feed.shop_id]
        followed.end()
        followed.feed.close()
        if not self._followed and self._looking is not None:
            self._looking.cancel()
            self._looking = None

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(POLL_SECONDS)
            is_healthy, now = self._bus.is_healthy, time.monotonic()
            for followed in tuple(self._followed.values()):
                if is_healthy and now < followed.look_at:
                    continue
                self.statistics.polls += not is_healthy
                followed.look_at = _soon()
                followed.feed.look()


@dataclasses.dataclass(slots=True)
class _Followed:
    feed: Feed
    end: Callable[[], None]
    look_at: float
    followers: int = 0


def _soon() -> float:
    """Return when to look again, for each feed at another moment."""
    return time.monotonic() + LOOK_SECONDS * random.uniform(0.8, 1)  # noqa: S311  (jitter is no secret)
