"""Load that does not wait: requests set out at their own times, whatever became of those before them.

A client that waits for an answer before it asks again slows down with the server, and never asks for more than that can
do. Shoppers do not know of each other: they come when they come, and what they wait is counted from that moment on.
"""

import asyncio
import dataclasses
import random
from collections import Counter, deque
from collections.abc import Sequence
from typing import cast
from urllib.parse import urlsplit

CONNECTIONS = 4_000
"""Open at the same time, at most; a request that finds none is given up, as by a browser that cannot connect."""

GIVEN_UP_SECONDS = 5.0
"""After this long nobody waits any more."""

_TICK_SECONDS = 0.002
_LOOK_SECONDS = 0.25
_REST_SECONDS = 0.5
_RESTED_RPS = 20
"""What a sole client is answered in half a second after a load: 50 ms are some ten times what an answer takes."""

_OK, _UNAVAILABLE = b"200", b"503"
_GOOD = b'{"data":'


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """A request as it is sent.

    Attributes:
        kind: What is asked, for the figures.
        head_and_body: All of its bytes.
    """

    kind: str
    head_and_body: bytes


@dataclasses.dataclass(slots=True)
class Outcome:
    """What became of the requests of a level.

    Attributes:
        offered: Requests, by kind.
        refused: Those that were answered with 503, by kind.
        seconds: How long each of the others took that was answered well, from when it was to be sent.
        failed: Those that were answered in another way, or not at all.
    """

    offered: Counter[str] = dataclasses.field(default_factory=Counter)
    refused: Counter[str] = dataclasses.field(default_factory=Counter)
    seconds: list[float] = dataclasses.field(default_factory=list)
    failed: int = 0


class _Connection(asyncio.Protocol):
    """Sends one request after the other, and reads no more of an answer than the figures need."""

    def __init__(self, crowd: "Crowd") -> None:
        self._crowd = crowd
        self._transport: asyncio.WriteTransport | None = None
        self._asked: Asked | None = None
        self._due = 0.0
        self._answer = bytearray()
        self._ends = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # That of uvloop is none by its class.
        self._transport = cast("asyncio.WriteTransport", transport)

    def send(self, asked: Asked, due: float) -> None:
        self._asked, self._due = asked, due
        if self._transport is not None:
            self._transport.write(asked.head_and_body)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if not self._ends:
            place = self._answer.find(b"\r\n\r\n")
            if place < 0:
                return
            head = bytes(self._answer[:place]).lower()
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            self._ends = place + 4 + length
        if len(self._answer) >= self._ends:
            self._conclude()

    def connection_lost(self, _: Exception | None) -> None:
        self._crowd.lost(self, self._asked, self._due)
        self._asked = None

    def give_up(self, before: float) -> None:
        """Hang up where somebody has been waiting since before a moment."""
        if self._asked is not None and self._due < before:
            self.close()

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _conclude(self) -> None:
        asked, status = self._asked, bytes(self._answer[9:12])
        is_good = status == _OK and _GOOD in self._answer[: self._ends]
        self._answer.clear()
        self._ends = 0
        self._asked = None
        if asked is not None:
            self._crowd.answered(self, asked, self._due, status=status if is_good or status != _OK else b"")


class Crowd:
    """Clients of one server.

    Args:
        url: Of the server.
        requests: What they ask, drawn by chance.
        chance: The same for each server that is compared.
    """

    def __init__(self, url: str, requests: Sequence[Asked], chance: random.Random) -> None:
        parts = urlsplit(url)
        self._address = parts.hostname or "", parts.port or 80
        self._requests = requests
        self._chance = chance
        self._loop = asyncio.get_running_loop()
        self._idle: deque[_Connection] = deque()
        self._open: set[_Connection] = set()
        self._opening: set[asyncio.Task[None]] = set()
        self._waiting = 0
        self._outcome = Outcome()
        self._counted_from = self._looks_at = 0.0

    async def come(self, rate: float, *, seconds: float, warm_up_seconds: float) -> Outcome:
        """Let requests set out by chance, on average so many a second, and return what became of them.

        Args:
            rate: Requests a second.
            seconds: How long those come that count.
            warm_up_seconds: How long others come before them.
        """
        self._outcome = Outcome()
        begin = due = self._loop.time()
        self._counted_from = begin + warm_up_seconds
        ends = self._counted_from + seconds
        while due < ends:
            now = self._loop.time()
            while due <= now and due < ends:
                self._ask(due)
                due += self._chance.expovariate(rate)
            self._give_up(now)
            await asyncio.sleep(_TICK_SECONDS)
        await self._end()
        return self._outcome

    async def press(self, clients: int, *, seconds: float) -> float:
        """Let clients ask again as soon as they are answered, and return how many good answers a second they get."""
        self._outcome = Outcome()
        begin = self._counted_from = self._loop.time()
        while self._loop.time() < begin + seconds:
            while self._waiting < clients:
                self._ask(self._loop.time())
            await asyncio.sleep(0)
        done = len(self._outcome.seconds) / (self._loop.time() - begin)
        await self._end()
        return done

    async def rest(self) -> None:
        """Wait until the server is done with what it was asked before: a sole client is answered soon again."""
        while await self.press(1, seconds=_REST_SECONDS) < _RESTED_RPS:
            pass

    async def leave(self) -> None:
        """Close all connections."""
        for connection in list(self._open):
            connection.close()
        await asyncio.sleep(0)
        if self._opening:
            await asyncio.wait(self._opening)

    def answered(self, connection: _Connection, asked: Asked, due: float, *, status: bytes) -> None:
        """Take note of an answer; its status is empty where it was no good one."""
        self._waiting -= 1
        self._idle.append(connection)
        if due < self._counted_from:
            return
        if status == _OK:
            self._outcome.seconds.append(self._loop.time() - due)
        elif status == _UNAVAILABLE:
            self._outcome.refused[asked.kind] += 1
        else:
            self._outcome.failed += 1

    def lost(self, connection: _Connection, asked: Asked | None, due: float) -> None:
        """Take note of a connection that has ended."""
        self._open.discard(connection)
        if asked is not None:
            self._waiting -= 1
            self._outcome.failed += due >= self._counted_from
        elif connection in self._idle:
            self._idle.remove(connection)

    def _ask(self, due: float) -> None:
        asked = self._chance.choice(self._requests)
        if due >= self._counted_from:
            self._outcome.offered[asked.kind] += 1
        if self._idle:
            self._waiting += 1
            # The one that was used last: what is idle for long may stay so.
            self._idle.pop().send(asked, due)
        elif len(self._open) + len(self._opening) < CONNECTIONS:
            self._waiting += 1
            task = self._loop.create_task(self._connect(asked, due))
            self._opening.add(task)
            task.add_done_callback(self._opening.discard)
        elif due >= self._counted_from:
            self._outcome.failed += 1

    async def _connect(self, asked: Asked, due: float) -> None:
        try:
            async with asyncio.timeout(GIVEN_UP_SECONDS):
                _, connection = await self._loop.create_connection(lambda: _Connection(self), *self._address)
        except OSError:
            self._waiting -= 1
            self._outcome.failed += due >= self._counted_from
            return
        self._open.add(connection)
        connection.send(asked, due)

    async def _end(self) -> None:
        """Wait until nobody waits any more."""
        while self._waiting:
            self._give_up(self._loop.time())
            await asyncio.sleep(_TICK_SECONDS)

    def _give_up(self, now: float) -> None:
        """Hang up where somebody has been waiting for too long; looking at all takes time, so not at each turn."""
        if now < self._looks_at:
            return
        self._looks_at = now + _LOOK_SECONDS
        for connection in list(self._open):
            connection.give_up(now - GIVEN_UP_SECONDS)
