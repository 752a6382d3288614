"""Past events of a shop, for those who catch up: many are cut off at the same time, and ask for the same ones."""

import asyncio
import dataclasses
import uuid
from collections.abc import AsyncIterator, Sequence

from core.errors import GalleriaError
from resolvers.outbox_reading import Event, OutboxReader

BLOCK_EVENTS = 100
"""Past events that are read at once, for all who catch up with them at the same time."""

BLOCKS = 4
"""Blocks that are kept for a moment: many who were cut off at the same time ask for the same ones."""


class EventsExpired(GalleriaError):
    """Events that were asked for are no longer kept; `Feed.oldest` says which are."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Block:
    """Past events of a shop that were read, or are being read.

    Attributes:
        events: Those that there were.
        through: The sequence up to which none is missing.
    """

    events: "asyncio.Task[list[Event]]"
    through: int


class PastEvents:
    """Reads past events of a shop once for all who ask within a few seconds.

    Args:
        shop_id: The shop.
        reader: Reads.
    """

    def __init__(self, shop_id: uuid.UUID, reader: OutboxReader) -> None:
        self._shop_id = shop_id
        self._reader = reader
        self._blocks: dict[int, _Block] = {}
        self._tasks: set[asyncio.Task[list[Event]]] = set()

    async def between(self, after: int, until: int) -> AsyncIterator[Sequence[Event]]:
        """Return events in pages: those with a sequence above `after`, up to `until`, which there is; see `Feed`."""
        after = max(after, 0)
        while after < until:
            events = await asyncio.shield(self._block(after // BLOCK_EVENTS, until).events)
            page = [event for event in events if after < event.sequence <= until]
            if not page or page[0].sequence != after + 1:
                raise EventsExpired(f"Events after {after} are no longer kept; read the present state instead.")
            after = page[-1].sequence
            yield page

    def forget(self) -> None:
        """Keep nothing of what was read."""
        self._blocks.clear()

    def close(self) -> None:
        """End what is being read."""
        self.forget()
        for task in self._tasks:
            task.cancel()

    def _block(self, number: int, until: int) -> _Block:
        """Return the block with this number, as it is or as it was when it held all up to `until`."""
        through = min(until, (number + 1) * BLOCK_EVENTS)
        block = self._blocks.pop(number, None)
        if block is None or block.through < through:
            task = asyncio.get_running_loop().create_task(self._read(number))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            block = _Block(task, through)
        self._blocks[number] = block
        if len(self._blocks) > BLOCKS:
            del self._blocks[next(iter(self._blocks))]
        return block

    async def _read(self, number: int) -> list[Event]:
        after = number * BLOCK_EVENTS
        return await self._reader.persist(lambda: self._reader.page(self._shop_id, after, at_most=BLOCK_EVENTS))
