"""A cache of finished answers: in this process, and behind it in a store that several processes share."""

import asyncio
import dataclasses
import hashlib
import random
import time
import uuid
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, Protocol

ENTRY_BYTES = 500
"""What an entry takes beside its texts: objects, their places in dictionaries."""

MOST_USES = 32
"""Uses of an entry that are counted. Each time that the hottest are told they count for half, so whatever nobody asks
for any longer is told six times at most."""

LARGEST_SHARE = 8
"""An entry may take this part of the memory at most, so that none sweeps the others out."""

JITTER = 0.1
"""Lifetimes are shorter by up to this share, so that what was made together does not end together."""

Count = Callable[[str, str], None]
"""Takes note of a layer (`process` or `shared`) and what came of asking it (`hit`, `miss`, `refused` or `error`)."""

Make = Callable[[], Awaitable[bytes | None]]
"""Makes a body; None where it must not be kept."""


@dataclasses.dataclass(frozen=True, slots=True)
class Key:
    """What a body answers.

    Attributes:
        tenant: Whose it is.
        name: Everything else that it depends on but the state of the data, in some canonical form.
    """

    tenant: uuid.UUID
    name: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """A body that is kept.

    Attributes:
        body: The bytes.
        tag: Their SHA-256, in hexadecimal digits.
        stamp: State of the tenant's data that they were made in, or before a later one.
        made_at: When, by the clock of the cache.
        lifetime_seconds: How long from then on they are good, though the state lasts longer.
    """

    body: bytes
    tag: str
    stamp: str
    made_at: float
    lifetime_seconds: float


class SharedStore(Protocol):
    """What several processes share; none of its methods raises, since a request must not fail by it."""

    async def get(self, key: Key, stamp: str) -> Entry | None:
        """Return what is kept for a key in a state; None where there is nothing, or nothing that can be trusted."""

    async def put(self, key: Key, entry: Entry) -> None:
        """Keep an entry as long as it is good, and end the claim on its key."""

    async def claim(self, key: Key, stamp: str) -> bool:
        """Tell others for a moment that this process makes the entry; False where another does."""

    async def wait(self, key: Key, stamp: str) -> Entry | None:
        """Wait a moment for the process that has the claim; None where it does not get done in time."""

    async def release(self, key: Key, stamp: str) -> None:
        """End a claim without an entry."""


class Memory:
    """Entries in this process; those that were not used for longest leave first.

    Args:
        bytes_at_most: What all entries may take together.
        timer: A clock that never goes back.
    """

    def __init__(self, bytes_at_most: int, *, timer: Callable[[], float] = time.monotonic) -> None:
        self.bytes = 0
        self._bytes_at_most = bytes_at_most
        self._timer = timer
        self._places: OrderedDict[Key, _Place] = OrderedDict()

    def __len__(self) -> int:
        return len(self._places)

    def get(self, key: Key, stamp: str) -> Entry | None:
        """Return the entry of a key where it is of this state, and still good."""
        place = self._places.get(key)
        if place is None:
            return None
        entry = place.entry
        if entry.stamp != stamp or self._timer() - entry.made_at >= entry.lifetime_seconds:
            return None
        place.uses += 1
        self._places.move_to_end(key)
        return entry

    def put(self, key: Key, entry: Entry) -> None:
        """Keep an entry in place of the one that its key has; one that is too large is not kept."""
        old = self._places.pop(key, None)
        if old is not None:
            self.bytes -= _size(key, old.entry)
        size = _size(key, entry)
        if size * LARGEST_SHARE > self._bytes_at_most:
            return
        self._places[key] = _Place(entry, 0 if old is None else old.uses)
        self.bytes += size
        while self.bytes > self._bytes_at_most:
            dropped_key, dropped = self._places.popitem(last=False)
            self.bytes -= _size(dropped_key, dropped.entry)

    def hottest(self, keys: Iterable[Key], stamp: str, *, at_most: int, uses: int) -> Sequence[Key]:
        """Return those of some keys that were used most and whose entry is of another state, the hottest first.

        What is returned counts for half from now on.

        Args:
            keys: Those that come into question.
            stamp: State whose entries are good, and left out.
            at_most: Keys that are wanted.
            uses: How often a key was used at least.
        """
        hot = []
        for key in keys:
            place = self._places.get(key)
            if place is not None and place.entry.stamp != stamp and place.uses >= uses:
                place.uses = min(place.uses, MOST_USES)
                hot.append((place, key))
        hot.sort(key=lambda each: each[0].uses, reverse=True)
        for place, _ in hot[:at_most]:
            place.uses //= 2
        return [key for _, key in hot[:at_most]]


@dataclasses.dataclass(slots=True)
class _Place:
    """An entry with how often its key was asked for, which outlives the entry."""

    entry: Entry
    uses: int


def _size(key: Key, entry: Entry) -> int:
    return ENTRY_BYTES + len(key.name) + len(entry.body)


class _Abandoned:
    """Outcome of a flight whose leader was cancelled: somebody else is to lead."""


_ABANDONED: Final = _Abandoned()


class Cache:
    """Bodies by key, each made once for all who ask for it at the same time.

    Args:
        memory: The layer in this process.
        shared: The layer behind it.
        count: See `Count`.
        timer: The clock of `memory`.
    """

    def __init__(
        self,
        memory: Memory,
        *,
        shared: SharedStore | None = None,
        count: Count = lambda _layer, _result: None,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._memory = memory
        self._shared = shared
        self._count = count
        self._timer = timer
        self._flights: dict[tuple[Key, str], asyncio.Future[Entry | _Abandoned | None]] = {}
        self._releases: set[asyncio.Task[None]] = set()

    def peek(self, key: Key, stamp: str) -> Entry | None:
        """Return what this process keeps for a key in a state of the data."""
        entry = self._memory.get(key, stamp)
        if entry is not None:
            self._count("process", "hit")
        return entry

    def hottest(self, keys: Iterable[Key], stamp: str, *, at_most: int, uses: int) -> Sequence[Key]:
        """Return which keys of this process are worth making again; see `Memory.hottest`."""
        return self._memory.hottest(keys, stamp, at_most=at_most, uses=uses)

    def age_of(self, entry: Entry) -> float:
        """Return for how many seconds an entry has been there."""
        return max(0.0, self._timer() - entry.made_at)

    async def get_or_make(self, key: Key, stamp: str, lifetime_seconds: float, make: Make) -> Entry | None:
        """Return what is kept for a key, or make it.

        Args:
            key: What is asked for.
            stamp: State of the tenant's data, read before anything that `make` reads.
            lifetime_seconds: How long it is good once it is made.
            make: Called where nothing is kept and nobody else makes it. It runs in the caller's own task: when that is
                cancelled, another caller makes it in its place.

        Returns:
            The entry; None where it must not be kept, in which case whoever has not made it itself has to.
        """
        while True:
            flight = self._flights.get((key, stamp))
            if flight is None:
                return await self._lead(key, stamp, lifetime_seconds, make)
            outcome = await asyncio.shield(flight)
            if not isinstance(outcome, _Abandoned):
                return outcome

    async def _lead(self, key: Key, stamp: str, lifetime_seconds: float, make: Make) -> Entry | None:
        flight = self._flights[key, stamp] = asyncio.get_running_loop().create_future()
        outcome: Entry | _Abandoned | None = None
        try:
            outcome = await self._found_or_made(key, stamp, lifetime_seconds, make)
        except asyncio.CancelledError:
            outcome = _ABANDONED
            raise
        finally:
            del self._flights[key, stamp]
            flight.set_result(outcome)
        return outcome

    async def _found_or_made(self, key: Key, stamp: str, lifetime_seconds: float, make: Make) -> Entry | None:
        entry = self.peek(key, stamp)
        if entry is not None:
            return entry
        self._count("process", "miss")
        if self._shared is None:
            return self._kept(key, stamp, lifetime_seconds, await make())
        entry = await self._shared.get(key, stamp)
        if entry is None and not await self._shared.claim(key, stamp):
            entry = await self._shared.wait(key, stamp)
        if entry is None:
            return await self._made_for_all(self._shared, key, stamp, lifetime_seconds, make)
        self._memory.put(key, entry)
        return entry

    async def _made_for_all(
        self, shared: SharedStore, key: Key, stamp: str, lifetime_seconds: float, make: Make
    ) -> Entry | None:
        entry = None
        try:
            entry = self._kept(key, stamp, lifetime_seconds, await make())
        finally:
            if entry is None:
                # Beside, since whoever was to make it may be cancelled, and others wait for the claim to end.
                release = asyncio.ensure_future(shared.release(key, stamp))
                self._releases.add(release)
                release.add_done_callback(self._releases.discard)
        if entry is not None:
            await shared.put(key, entry)
        return entry

    def _kept(self, key: Key, stamp: str, lifetime_seconds: float, body: bytes | None) -> Entry | None:
        if body is None:
            return None
        lifetime = lifetime_seconds * (1 - random.random() * JITTER)  # noqa: S311  (jitter is no secret)
        entry = Entry(body, hashlib.sha256(body).hexdigest(), stamp, self._timer(), lifetime)
        self._memory.put(key, entry)
        return entry
