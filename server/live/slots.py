"""How many operations of one client run at the same time, over all sockets and all processes."""

import asyncio
import contextlib
import dataclasses
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.redis_buckets import TIMEOUT_SECONDS

BLOCK = 8
"""Slots that a process takes at a time, so that most operations need not ask Redis."""

BEAT_SECONDS = 10.0
"""How often a process says which slots it still needs."""

LIFETIME_SECONDS = 30
"""How long the slots of a process outlive its last word: one that was killed gives them back by silence."""

BATCH = 200
"""Clients of whom Redis hears in one message of a beat; a message takes it about a millisecond."""

PAUSE_SECONDS = 1.0
"""How long a Redis that does not answer is left alone; meanwhile each process counts for itself."""

SCRIPT = """
local needed, wanted, limit = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local now = tonumber(redis.call('TIME')[1])
local others = 0
local fields = redis.call('HGETALL', KEYS[1])
for index = 1, #fields, 2 do
  local count, ends = string.match(fields[index + 1], '^(%d+) (%d+)$')
  if tonumber(ends) <= now then
    redis.call('HDEL', KEYS[1], fields[index])
  elseif fields[index] ~= ARGV[1] then
    others = others + count
  end
end
local granted = math.max(needed, math.min(wanted, limit - others))
if granted == 0 then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], string.format('%d %d', granted, now + ARGV[5]))
  redis.call('EXPIRE', KEYS[1], ARGV[5])
end
return granted
"""

Client = tuple[uuid.UUID, str]
"""A shop, and who asks it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Wish:
    """What this process holds of a client's slots and cannot do without, and how many it would like to hold."""

    client: Client
    needed: int
    wanted: int

    def granted(self, limit: int) -> int:
        """Return what it gets where nobody else holds any."""
        return max(self.needed, min(self.wanted, limit))


class Store(Protocol):
    """Where all processes see what each of them holds."""

    async def hold(self, wishes: Sequence[Wish], *, limit: int) -> list[int]:
        """Tell what this process would like to hold, and return how many slots it holds from now on, for each wish.

        It is what is needed at least, and beyond that no more than the limit leaves. None is kept where none is needed
        or wanted.
        """

    async def close(self) -> None:
        """Hang up."""


class Alone:
    """There is no other process."""

    async def hold(self, wishes: Sequence[Wish], *, limit: int) -> list[int]:
        """Return how many slots this process holds; see `Store.hold`."""
        return [wish.granted(limit) for wish in wishes]

    async def close(self) -> None:
        """Do nothing: there is nobody to hang up on."""


class InRedis:
    """Keeps what each process holds in Redis, one hash a client; while that does not answer, nobody else counts.

    Args:
        client: Fails fast.
        timer: Tells seconds.
    """

    def __init__(self, client: Redis, *, timer: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._script = client.register_script(SCRIPT)
        self._process = uuid.uuid4().hex
        self._timer = timer
        self._retry_at = 0.0

    async def hold(self, wishes: Sequence[Wish], *, limit: int) -> list[int]:
        """Return how many slots this process holds; see `Store.hold`."""
        if self._timer() >= self._retry_at:
            try:
                async with asyncio.timeout(TIMEOUT_SECONDS):
                    return await self._ask(wishes, limit)
            except (RedisError, OSError, TimeoutError):
                self._retry_at = self._timer() + PAUSE_SECONDS
        return [wish.granted(limit) for wish in wishes]

    async def _ask(self, wishes: Sequence[Wish], limit: int) -> list[int]:
        pipeline = self._client.pipeline(transaction=False)
        for wish in wishes:
            key = f"{{{wish.client[0]}}}:operations:{wish.client[1]}"
            arguments: list[str | int] = [self._process, wish.needed, wish.wanted, limit, LIFETIME_SECONDS]
            await self._script(keys=[key], args=arguments, client=pipeline)
        return [int(granted) for granted in await pipeline.execute()]

    async def close(self) -> None:
        """Hang up."""
        await self._client.aclose()


@dataclasses.dataclass(slots=True)
class _Held:
    used: int = 0
    held: int = 0
    lock: asyncio.Lock = dataclasses.field(default_factory=asyncio.Lock)


class Slots:
    """Hands out slots for operations, so many to each client.

    Args:
        store: What other processes see.
        limit: Slots of one client.
    """

    def __init__(self, store: Store, *, limit: int) -> None:
        self._store = store
        self._limit = limit
        self._clients: dict[Client, _Held] = {}

    @property
    def clients(self) -> int:
        """How many clients hold slots."""
        return len(self._clients)

    async def take(self, client: Client) -> bool:
        """Take a slot for an operation, and tell whether there was one."""
        held = self._clients.get(client)
        if held is None:
            held = self._clients[client] = _Held()
        held.used += 1
        if held.used <= held.held:
            return True
        try:
            # One after the other: answers that overtake each other would tell of what is no more.
            async with held.lock:
                wanted = 0
                # More may have come while the answer was on its way; only one that is short of its wish is the last.
                while held.used > held.held >= wanted:
                    wanted = held.used + BLOCK - 1
                    await self._hold([(client, held)], spare=BLOCK - 1)
        except BaseException:
            held.used -= 1
            raise
        has_slot = held.used <= held.held
        held.used -= not has_slot
        return has_slot

    def give_back(self, client: Client) -> None:
        """Give back a slot; other processes hear of it at the next beat."""
        self._clients[client].used -= 1

    async def run(self) -> None:
        """Say again and again what is still needed, until cancelled."""
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            await self.beat()

    async def beat(self) -> None:
        """Say once which slots are still needed, and give back the others."""
        for batch in _batches(list(self._clients.items())):
            async with contextlib.AsyncExitStack() as locks:
                for _, held in batch:
                    await locks.enter_async_context(held.lock)
                await self._hold(batch)
            for client, held in batch:
                if not held.used and not held.held:
                    del self._clients[client]

    async def close(self) -> None:
        """Give back what is not used any more, and hang up."""
        await self.beat()
        await self._store.close()

    async def _hold(self, holders: Sequence[tuple[Client, _Held]], *, spare: int = 0) -> None:
        # What is not granted yet is only wanted: another process may hold the rest.
        wishes = [Wish(client, min(held.used, held.held), held.used + spare) for client, held in holders]
        granted = await self._store.hold(wishes, limit=self._limit)
        for (_, held), count in zip(holders, granted, strict=True):
            held.held = count


def _batches(clients: Sequence[tuple[Client, _Held]]) -> Iterator[Sequence[tuple[Client, _Held]]]:
    for start in range(0, len(clients), BATCH):
        yield clients[start : start + BATCH]
