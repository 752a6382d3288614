"""The layer of a cache that several processes share, in Redis; its trouble is nobody else's."""

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.cache import Count, Entry, Key

PATIENCE_SECONDS = 0.25
"""What one call may take; making an answer anew is seldom slower."""

SILENCE_SECONDS = 1.0
"""How long nothing is asked of a Redis that failed, so that it costs one call's patience a second and not each."""

CLAIM_SECONDS = 2.0
"""After this long a process that claimed a key is taken for dead."""

WAIT_SECONDS = 0.3
"""How long others wait for it before they make the answer themselves."""

_PAUSES_SECONDS = (0.005, 0.01, 0.02, 0.04)
"""Between looks, the last one again and again."""


class RedisStore:
    """Entries in Redis; see `core.cache.SharedStore`.

    A key of Redis names tenant and key but not the state of the data, so that a newer entry takes the place of an older
    one instead of lying beside it; the value says which state it is of, and tenant and key once more.

    Args:
        client: Of the Redis; it is not closed here.
        count: See `core.cache.Count`.
        timer: The clock of the cache.
    """

    def __init__(
        self,
        client: Redis,
        *,
        count: Count = lambda _layer, _result: None,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = client
        self._count = count
        self._timer = timer
        self._silent_until = float("-inf")

    async def get(self, key: Key, stamp: str) -> Entry | None:
        """Return what is kept for a key in a state."""
        entry = await self._look(key, stamp)
        self._count("shared", "miss" if entry is None else "hit")
        return entry

    async def put(self, key: Key, entry: Entry) -> None:
        """Keep an entry, and end the claim on its key."""
        left = entry.lifetime_seconds - (self._timer() - entry.made_at)
        pipeline = self._client.pipeline(transaction=False)
        pipeline.set(_name_of(key), _packed(key, entry), px=max(1, int(left * 1000)))
        pipeline.delete(_claim_of(key, entry.stamp))
        await self._tried(pipeline.execute)

    async def claim(self, key: Key, stamp: str) -> bool:
        """Claim a key; a Redis that does not answer stands in nobody's way."""
        lasts = int(CLAIM_SECONDS * 1000)
        name = _claim_of(key, stamp)
        return bool(await self._tried(lambda: self._client.set(name, b"1", nx=True, px=lasts), otherwise=True))

    async def wait(self, key: Key, stamp: str) -> Entry | None:
        """Look again until there is an entry, no claim, or no time left."""
        ends = self._timer() + WAIT_SECONDS
        number = 0
        while self._timer() < ends:
            await asyncio.sleep(_PAUSES_SECONDS[min(number, len(_PAUSES_SECONDS) - 1)])
            number += 1
            is_claimed = await self._tried(lambda: self._client.exists(_claim_of(key, stamp)), otherwise=0)
            entry = await self._look(key, stamp)
            if entry is not None or not is_claimed:
                return entry
        return None

    async def release(self, key: Key, stamp: str) -> None:
        """End a claim."""
        await self._tried(lambda: self._client.delete(_claim_of(key, stamp)))

    async def _look(self, key: Key, stamp: str) -> Entry | None:
        pipeline = self._client.pipeline(transaction=False)
        pipeline.get(_name_of(key))
        pipeline.pttl(_name_of(key))
        found = await self._tried(pipeline.execute)
        if found is None or not isinstance(found[0], bytes) or found[1] <= 0:
            return None
        try:
            entry = self._unpacked(key, found[0], found[1] / 1000)
        except (ValueError, TypeError, KeyError):
            self._count("shared", "refused")
            return None
        return entry if entry.stamp == stamp else None

    def _unpacked(self, key: Key, value: bytes, left_seconds: float) -> Entry:
        """Read a value, and believe nothing of it that can be checked.

        Raises:
            ValueError: It is not what was written for this key; TypeError and KeyError mean the same.
        """
        line, _, body = value.partition(b"\n")
        head = orjson.loads(line)
        tag = hashlib.sha256(body).hexdigest()
        if (head["tenant"], head["key"], head["tag"]) != (key.tenant.hex, _digest(key), tag):
            raise ValueError("another key's value, or a damaged one")
        stamp, lifetime = str(head["stamp"]), float(head["lifetime"])
        return Entry(body, tag, stamp, self._timer() - max(0.0, lifetime - left_seconds), lifetime)

    async def _tried(self, call: Callable[[], Awaitable[Any]], *, otherwise: Any = None) -> Any:
        """Return what Redis answers, or something else where it does not."""
        if self._timer() < self._silent_until:
            return otherwise
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await call()
        except (RedisError, OSError):
            self._silent_until = self._timer() + SILENCE_SECONDS
            self._count("shared", "error")
            return otherwise


def _packed(key: Key, entry: Entry) -> bytes:
    head = {
        "tenant": key.tenant.hex,
        "key": _digest(key),
        "tag": entry.tag,
        "stamp": entry.stamp,
        "lifetime": entry.lifetime_seconds,
    }
    return orjson.dumps(head) + b"\n" + entry.body


def _digest(key: Key) -> str:
    return hashlib.sha256(key.name).hexdigest()


def _name_of(key: Key) -> str:
    # Braces keep a tenant's keys together on one node of a cluster.
    return f"galleria:{{{key.tenant}}}:answer:{_digest(key)}"


def _claim_of(key: Key, stamp: str) -> str:
    return f"{_name_of(key)}:{stamp}"
