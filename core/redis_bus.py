"""The bus between processes, over Redis; one connection of its own listens, publishes and asks for signs of life.

It is not shared with `core.nudges`: those reach every process whatever shop is followed there, only where answers are
kept, and before an event has a sequence; a hub for both would be more than the connection that it saves.
"""

import asyncio
import contextlib
import math
import random
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from redis.asyncio import Connection, ConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from core.bus import BEGUN, BusStatistics, Hear, Listeners, Nudge

PREFIX = b"galleria:events:"
"""Of a shop's channel; the shop's id as 32 hexadecimal digits follows."""

PING_SECONDS = 1.0
"""Between an answer and the next ping: a connection that hangs looks like one on which nothing happens."""

PATIENCE_SECONDS = 1.0
"""How long connecting, sending and an answer may take; Redis answers within a millisecond, or something is wrong."""

SHORTEST_PAUSE_SECONDS = 0.05
LONGEST_PAUSE_SECONDS = 2.0
"""Before the next attempt to connect; longer would be time in which all feeds poll though Redis is back."""

Report = Callable[[BaseException | None], None]
"""Told the first failure of a series, and None once nudges arrive, at first and again."""


class BusInRedis:
    """Carries nudges between all processes that use the same Redis, of version 6 or newer.

    Listeners of the process that publishes hear at once, whatever Redis does.

    Args:
        url: Of the Redis.
        report: Told what happens to the connection.
    """

    def __init__(self, url: str, *, report: Report = lambda _: None) -> None:
        self.statistics = BusStatistics()
        self._report = report
        # Version 3 of the protocol lets one connection listen and publish. Time is kept here: a client with a timeout
        # waits by `asyncio.wait_for`, which in Python 3.11 forgets that it was cancelled when it ends in that moment.
        self._pool = ConnectionPool.from_url(url, protocol=3, socket_timeout=None, retry=Retry(NoBackoff(), 0))
        self._listeners = Listeners()
        # Only the last of each shop: whatever piles up while Redis is away is bounded by the number of shops.
        self._subscribing: dict[uuid.UUID, bool] = {}
        self._publishing: dict[uuid.UUID, int] = {}
        self._is_ping_due = False
        self._work = asyncio.Event()
        self._answered = asyncio.Event()
        self._connection: Connection | None = None
        self._running: asyncio.Task[None] | None = None
        self._failures = 0
        self._is_healthy = False

    @property
    def is_healthy(self) -> bool:
        """Tell whether nudges of other processes arrive; a connection that hangs is noticed within two seconds."""
        return self._is_healthy

    async def open(self) -> None:
        """Begin to connect, beside what is going on."""
        self._running = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Hang up; nudges that have not been sent are lost."""
        if self._running is not None:
            self._running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._running

    async def publish(self, nudges: Sequence[Nudge]) -> None:
        """Let all listeners hear nudges; see `core.bus.Bus`."""
        waiting = self._publishing
        for nudge in nudges:
            waiting[nudge.shop_id] = max(nudge.sequence, waiting.get(nudge.shop_id, 0))
            self._listeners.tell(nudge.shop_id, nudge.sequence)
        self._work.set()

    def listen(self, shop_id: uuid.UUID, hear: Hear) -> Callable[[], None]:
        """Listen to the nudges of a shop; see `core.bus.Bus`."""
        leave = self._listeners.add(shop_id, hear)
        # Also where others listen already: Redis answers each time, and by that listening has begun.
        self._subscribe(shop_id, wanted=True)

        def end() -> None:
            if leave():
                self._subscribe(shop_id, wanted=False)

        return end

    def _subscribe(self, shop_id: uuid.UUID, *, wanted: bool) -> None:
        # Without a connection there is nothing to do: the next one subscribes to all that are listened to then.
        if self._connection is not None:
            self._subscribing[shop_id] = wanted
            self._work.set()

    async def _run(self) -> None:
        while True:
            connection: Connection = self._pool.make_connection()  # type: ignore[no-untyped-call]
            try:
                await self._converse(connection)
            except Exception as error:  # noqa: BLE001 - whatever it was, the next connection may do better.
                self._note_failure(error)
            finally:
                self._is_healthy = False
                self._connection = None
                await connection.disconnect(nowait=True)
            longest = min(LONGEST_PAUSE_SECONDS, SHORTEST_PAUSE_SECONDS * 2 ** min(self._failures, 10))
            await asyncio.sleep(random.uniform(longest / 2, longest))  # noqa: S311  (jitter is no secret)

    async def _converse(self, connection: Connection) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await connection.connect()  # type: ignore[no-untyped-call]
        self._connection = connection
        self._subscribing = dict.fromkeys(self._listeners, True)
        # Not a group of tasks: one that is cancelled while a task fails tells of the failure only.
        tasks = [
            asyncio.ensure_future(each) for each in (self._read(connection), self._write(connection), self._watch())
        ]
        try:
            [first, *_], _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            await first
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, connection: Connection) -> None:
        while True:
            answer = await connection.read_response(timeout=math.inf, push_request=True, disconnect_on_error=False)
            self._take(answer)

    async def _write(self, connection: Connection) -> None:
        while True:
            commands = self._commands()
            if commands:
                await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
            await self._work.wait()
            self._work.clear()

    async def _watch(self) -> None:
        while True:
            self._answered.clear()
            self._is_ping_due = True
            self._work.set()
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._answered.wait()
            self._note_answer()
            await asyncio.sleep(PING_SECONDS)

    def _commands(self) -> list[tuple[str | bytes | int, ...]]:
        """Return what there is to send; the ping behind the subscriptions, so that its answer means that they hold."""
        commands: list[tuple[str | bytes | int, ...]] = []
        for command, wanted in (("SUBSCRIBE", True), ("UNSUBSCRIBE", False)):
            channels = [_channel(shop_id) for shop_id, each in self._subscribing.items() if each is wanted]
            if channels:
                commands.append((command, *channels))
        commands += [("PUBLISH", _channel(shop_id), sequence) for shop_id, sequence in self._publishing.items()]
        if self._is_ping_due:
            commands.append(("PING",))
        self.statistics.published += len(self._publishing)
        self._subscribing, self._publishing, self._is_ping_due = {}, {}, False
        return commands

    def _take(self, answer: Any) -> None:
        match answer:
            case [b"message", bytes() as channel, bytes() as data]:
                self.statistics.heard += 1
                # Others may write to the channel, and know no better.
                with contextlib.suppress(ValueError):
                    self._listeners.tell(_shop_of(channel), int(data))
            case [b"subscribe", bytes() as channel, _]:
                self._listeners.tell(_shop_of(channel), BEGUN)
            case b"PONG":
                self._answered.set()

    def _note_answer(self) -> None:
        if self._is_healthy:
            return
        self._is_healthy = True
        if self._failures:
            self.statistics.reconnections += 1
            self._failures = 0
        self._report(None)

    def _note_failure(self, error: Exception) -> None:
        self._failures += 1
        if self._failures == 1:
            self._report(error)


def _channel(shop_id: uuid.UUID) -> bytes:
    return PREFIX + shop_id.hex.encode()


def _shop_of(channel: bytes) -> uuid.UUID:
    return uuid.UUID(channel.removeprefix(PREFIX).decode())
