"""Texts that several processes share, in Redis: so many of each tenant, for so long after they were last wanted."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.redis_buckets import TIMEOUT_SECONDS

LIFETIME_SECONDS = 7 * 86_400
"""How long a text outlives the last time that a process asked for it or brought it."""

TEXTS_OF_TENANT = 500
"""Beyond them the one that was wanted least lately is dropped: a tenant's clients must not fill what all share."""

SILENCE_SECONDS = 1.0
"""How long a Redis that failed is left alone, so that it costs one call's patience a second and not each."""

# The index tells when each text was wanted last. All keys of a tenant have the tenant as their hash tag, so that the
# ones which the script drops are on the node that it runs on.
_PUT = """
local now = redis.call('TIME')
redis.call('SET', KEYS[1], ARGV[2], 'EX', ARGV[3])
redis.call('ZADD', KEYS[2], now[1] + now[2] / 1000000, ARGV[1])
redis.call('EXPIRE', KEYS[2], ARGV[3])
local surplus = redis.call('ZCARD', KEYS[2]) - ARGV[4]
if surplus > 0 then
  local dropped = redis.call('ZPOPMIN', KEYS[2], surplus)
  for index = 1, #dropped, 2 do
    redis.call('DEL', ARGV[5] .. dropped[index])
  end
end
return 1
"""
_GET = """
local text = redis.call('GET', KEYS[1])
if text then
  local now = redis.call('TIME')
  redis.call('EXPIRE', KEYS[1], ARGV[2])
  redis.call('ZADD', KEYS[2], now[1] + now[2] / 1000000, ARGV[1])
  redis.call('EXPIRE', KEYS[2], ARGV[2])
end
return text
"""


class SharedTexts:
    """Keeps texts in Redis; while that does not answer there are none.

    Args:
        client: Fails fast; it is not closed here.
        purpose: What the texts are, as a part of their keys.
        at_most: Texts of one tenant.
        timer: Tells seconds.
    """

    def __init__(
        self,
        client: Redis,
        purpose: str,
        *,
        at_most: int = TEXTS_OF_TENANT,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._purpose = purpose
        self._at_most = at_most
        self._timer = timer
        self._silent_until = float("-inf")
        self._put = client.register_script(_PUT)
        self._get = client.register_script(_GET)

    async def get(self, tenant: uuid.UUID, name: str) -> str | None:
        """Return a text of a tenant's; None where there is none, or nobody to ask."""
        prefix, index = self._keys(tenant)
        found = await self._tried(lambda: self._get(keys=[prefix + name, index], args=[name, LIFETIME_SECONDS]))
        return found.decode(errors="replace") if isinstance(found, bytes) else None

    async def put(self, tenant: uuid.UUID, name: str, text: str) -> bool:
        """Keep a text of a tenant's, and tell whether it is kept."""
        prefix, index = self._keys(tenant)
        arguments: list[str | int] = [name, text, LIFETIME_SECONDS, self._at_most, prefix]
        return bool(await self._tried(lambda: self._put(keys=[prefix + name, index], args=arguments)))

    def _keys(self, tenant: uuid.UUID) -> tuple[str, str]:
        index = f"galleria:{{{tenant}}}:{self._purpose}"
        return f"{index}:", index

    async def _tried(self, call: Callable[[], Awaitable[Any]]) -> Any:
        if self._timer() < self._silent_until:
            return None
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                return await call()
        except (RedisError, OSError):
            self._silent_until = self._timer() + SILENCE_SECONDS
            return None
