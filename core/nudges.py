"""Nudges between processes: that something of a tenant has changed, and nothing about what. Some may be lost."""

import asyncio
import contextlib
import uuid
from collections.abc import Callable

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

CHANNEL = "galleria:changed"
PATIENCE_SECONDS = 1.0
_PAUSE_SECONDS = 1.0
"""Before the next attempt to listen, after one has failed."""


class Nudges:
    """Sends nudges to all processes that listen to the same Redis, and receives theirs.

    Args:
        client: Whose calls may block for ever; closed with the nudges.
        on_nudge: Called with the tenant of each nudge, one's own among them.
    """

    def __init__(self, client: Redis, on_nudge: Callable[[uuid.UUID], None]) -> None:
        self._client = client
        self._on_nudge = on_nudge
        self._sending: set[asyncio.Task[None]] = set()
        self._listening: asyncio.Task[None] | None = None
        self.is_listening = asyncio.Event()

    def open(self) -> None:
        """Begin to listen."""
        self._listening = asyncio.get_running_loop().create_task(self._listen())

    def send(self, tenant: uuid.UUID) -> None:
        """Nudge the others, beside what is going on; where that fails they notice a little later by themselves."""
        task = asyncio.get_running_loop().create_task(self._publish(tenant))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def close(self) -> None:
        """Send what is being sent, listen no more, and hang up."""
        if self._sending:
            await asyncio.wait(self._sending)
        if self._listening is not None:
            self._listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listening
        await self._client.aclose()

    async def _publish(self, tenant: uuid.UUID) -> None:
        with contextlib.suppress(RedisError, OSError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._client.publish(CHANNEL, tenant.hex)

    async def _listen(self) -> None:
        while True:
            with contextlib.suppress(RedisError, OSError):
                async with self._client.pubsub(ignore_subscribe_messages=True) as subscription:
                    await self._receive(subscription)
            self.is_listening.clear()
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _receive(self, subscription: PubSub) -> None:
        await subscription.subscribe(CHANNEL)
        self.is_listening.set()
        async for message in subscription.listen():
            with contextlib.suppress(ValueError):
                self._on_nudge(uuid.UUID(message["data"].decode()))
