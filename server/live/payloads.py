"""What was made for an event, kept for a moment for whoever comes to hear of it a little later."""

import asyncio
import dataclasses
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Sequence

LIFETIME_SECONDS = 30.0
"""Who was away for longer reads anew; clients of a process that has ended are back within some seconds."""

BYTES_KEPT = 32 * 1024 * 1024
ENTRIES_KEPT = 20_000


@dataclasses.dataclass(frozen=True, slots=True)
class Payload:
    """A message, made for all who share it.

    Attributes:
        sequence: What to resume after, once it has arrived.
        body: The whole result as JSON.
        points: What its selection did cost.
    """

    sequence: int
    body: bytes
    points: int


Made = tuple[Payload, ...]
"""What becomes of an event, or of a gap: nothing where none may hear of it."""


Make = Callable[[Sequence[int]], Awaitable[Sequence[Made]]]
"""Takes the places of keys for which nothing is kept; makes what belongs to them, in their order."""


@dataclasses.dataclass(slots=True, eq=False)
class _Entry:
    """What one task makes together with others: `place` is its own among them."""

    task: "asyncio.Task[Sequence[Made]]"
    place: int
    until: float
    size: int = 0


class Payloads:
    """Messages by what they are made of; each is made once, however many wait for it.

    Args:
        timer: Tells seconds.
    """

    def __init__(self, timer: Callable[[], float] = time.monotonic) -> None:
        self._timer = timer
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._size = 0
        self._sweeping: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._entries)

    async def get(self, keys: Sequence[Hashable], make: Make) -> tuple[list[Made], list[bool]]:
        """Return what is kept, or make it, and tell of each whether it was there or on its way.

        What is missing is made together. What fails is not kept: the next one tries again.

        Args:
            keys: Each once.
            make: See `Make`.
        """
        now = self._timer()
        entries = [self._entries.get(key) for key in keys]
        missing = [
            place for place, entry in enumerate(entries) if entry is None or (entry.task.done() and now >= entry.until)
        ]
        if missing:
            self._begin([keys[place] for place in missing], make(missing), now + LIFETIME_SECONDS)
        made = []
        for entry in [self._entries[key] for key in keys]:
            # Whoever asked first may go; the others still want it.
            results = entry.task.result() if entry.task.done() else await asyncio.shield(entry.task)
            made.append(results[entry.place])
        absent = set(missing)
        return made, [place not in absent for place in range(len(keys))]

    def forget(self) -> None:
        """Keep nothing of what was made; what is being made is for those alone who wait for it."""
        self._entries.clear()
        self._size = 0

    async def close(self) -> None:
        """End what is being made."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        tasks = [entry.task for entry in self._entries.values() if not entry.task.done()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._entries.clear()
        self._size = 0

    def _begin(self, keys: Sequence[Hashable], making: Awaitable[Sequence[Made]], until: float) -> None:
        task = asyncio.ensure_future(making)
        assert isinstance(task, asyncio.Task)  # noqa: S101  (a coroutine becomes one)
        entries = [_Entry(task, place, until) for place in range(len(keys))]
        for key, entry in zip(keys, entries, strict=True):
            if key in self._entries:
                self._drop(key)
            self._entries[key] = entry
        task.add_done_callback(lambda done: self._settle(keys, entries, done))

    def _settle(
        self, keys: Sequence[Hashable], entries: Sequence[_Entry], task: "asyncio.Task[Sequence[Made]]"
    ) -> None:
        has_failed = task.cancelled() or task.exception() is not None
        for key, entry in zip(keys, entries, strict=True):
            if self._entries.get(key) is not entry:
                continue
            if has_failed:
                self._drop(key)
                continue
            entry.size = sum(len(each.body) for each in task.result()[entry.place])
            self._size += entry.size
        self._sweep()
        while len(self._entries) > ENTRIES_KEPT or (self._size > BYTES_KEPT and len(self._entries) > 1):
            self._drop(next(iter(self._entries)))

    def _sweep(self) -> None:
        """Drop what is too old; what was made first stands first. Where some is left, look again when that is."""
        now = self._timer()
        while self._entries and (first := next(iter(self._entries.items())))[1].until <= now:
            if not first[1].task.done():
                break
            self._drop(first[0])
        if self._entries and self._sweeping is None:
            self._sweeping = asyncio.get_running_loop().call_later(LIFETIME_SECONDS, self._sweep_again)

    def _sweep_again(self) -> None:
        self._sweeping = None
        self._sweep()

    def _drop(self, key: Hashable) -> None:
        self._size -= self._entries.pop(key).size
