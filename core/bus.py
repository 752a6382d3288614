"""Tells whoever listens that a shop has new events, and nothing about them: these are read from the database."""

import asyncio
import dataclasses
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

BEGUN = 0
"""Heard in place of a sequence: listening begins, now or again, and what was published before may have been missed."""

Hear = Callable[[int], None]
"""Called with the sequence of a nudge, or with `BEGUN`; it returns at once."""


@dataclasses.dataclass(frozen=True, slots=True)
class Nudge:
    """That a shop has events up to a sequence.

    Attributes:
        shop_id: The shop.
        sequence: Of its last event that was relayed, from 1.
    """

    shop_id: uuid.UUID
    sequence: int


@dataclasses.dataclass(slots=True)
class BusStatistics:
    """What a bus has done since it was made.

    Attributes:
        published: Nudges handed over to others.
        heard: Nudges that came from others, one's own among them.
        reconnections: How often listening began again after it had ended by itself.
    """

    published: int = 0
    heard: int = 0
    reconnections: int = 0


class Bus(Protocol):
    """Carries nudges between those who relay events and those who wait for them.

    Some nudges are lost, some are heard twice, and of several for one shop the last may stand for all. Whoever listens
    looks at the database now and then whatever it hears, and more often while the bus is not healthy.
    """

    statistics: BusStatistics

    @property
    def is_healthy(self) -> bool:
        """Tell whether nudges of other processes arrive."""

    async def open(self) -> None:
        """Begin; what the bus depends on may be away."""

    async def close(self) -> None:
        """End what is under way."""

    async def publish(self, nudges: Sequence[Nudge]) -> None:
        """Let all listeners hear nudges, those of this process before it returns; never raises."""

    def listen(self, shop_id: uuid.UUID, hear: Hear) -> Callable[[], None]:
        """Listen to the nudges of a shop.

        Args:
            shop_id: The shop.
            hear: Hears `BEGUN` first, and each nudge that is published after that.

        Returns:
            What ends it; further calls have no effect.
        """


class Listeners:
    """Who listens to which shop in this process."""

    def __init__(self) -> None:
        self._hears: dict[uuid.UUID, dict[object, Hear]] = {}

    def __iter__(self) -> Iterator[uuid.UUID]:
        return iter(self._hears)

    def __len__(self) -> int:
        return len(self._hears)

    def add(self, shop_id: uuid.UUID, hear: Hear) -> Callable[[], bool]:
        """Add a listener; what is returned takes it away, and tells whether it was the last one of its shop."""
        token = object()
        self._hears.setdefault(shop_id, {})[token] = hear

        def leave() -> bool:
            others = self._hears.get(shop_id)
            if others is None or others.pop(token, None) is None or others:
                return False
            del self._hears[shop_id]
            return True

        return leave

    def tell(self, shop_id: uuid.UUID, sequence: int) -> None:
        """Let the listeners of a shop hear a sequence; one that fails is nobody else's trouble."""
        for hear in tuple(self._hears.get(shop_id, {}).values()):
            try:
                hear(sequence)
            except Exception as error:  # noqa: BLE001 - the others want to hear too.
                trouble = {"message": "a listener of the bus failed", "exception": error}
                asyncio.get_running_loop().call_exception_handler(trouble)


class BusInProcess:
    """Carries nudges within one process, where nothing can get lost.

    Args:
        is_alone: No other process relays events: where one does, what it tells never arrives here.
    """

    def __init__(self, *, is_alone: bool = True) -> None:
        self.statistics = BusStatistics()
        self.is_healthy = is_alone
        self._listeners = Listeners()

    async def open(self) -> None:
        """Do nothing; see `Bus.open`."""

    async def close(self) -> None:
        """Do nothing; see `Bus.close`."""

    async def publish(self, nudges: Sequence[Nudge]) -> None:
        """Let all listeners hear nudges; see `Bus.publish`."""
        for nudge in nudges:
            self._listeners.tell(nudge.shop_id, nudge.sequence)
        self.statistics.published += len(nudges)
        self.statistics.heard += len(nudges)

    def listen(self, shop_id: uuid.UUID, hear: Hear) -> Callable[[], None]:
        """Listen to the nudges of a shop; see `Bus.listen`."""
        leave = self._listeners.add(shop_id, hear)
        asyncio.get_running_loop().call_soon(self._listeners.tell, shop_id, BEGUN)

        def end() -> None:
            leave()

        return end
