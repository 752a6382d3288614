"""Clients that follow a shop's events whatever happens to their connections, and remember each event they heard of."""

import asyncio
import dataclasses
import enum
import random
import socket
import struct
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

from tests.api.live.streams import Reader

PROTOCOL = Subprotocol("graphql-transport-ws")
EVENTS = """subscription($after: BigInt) { events(after: $after) {
  ... on ShopEvent { sequence type } ... on Gap { sequence from to } } }"""
STOCK = "subscription($after: BigInt) { stockChanged(after: $after) { ... on StockChanged { sequence variantId } } }"
COMES_AGAIN = frozenset({"OVERLOADED"})
"""Codes of failures after which a client resumes: a machine may be too busy to let everybody in at once."""

COMES_AGAIN_CLOSED = frozenset({1012})
"""Codes of closing frames after which it does: a server is told to stop. Everything else fails the proof."""

CROWDED = "have not introduced themselves"
"""Why some of hundreds who come from one address at the same moment are asked to come again by 1013."""

COMES_AGAIN_STATUS = frozenset({httpx.codes.SERVICE_UNAVAILABLE})
"""As `COMES_AGAIN`, where no stream begins."""

BROKEN_FRAME = b"\x81\xfe\x01\x00" + b"mask" + b"the rest of 256 bytes never comes"
"""The beginning of a text."""

Pick = Callable[[], Awaitable[str]]
"""Finds a server, and waits while there is none."""


class Way(enum.Enum):
    """How a connection ends."""

    RESET = "reset"
    CLOSED = "closed"
    MID_FRAME = "mid-frame"


class Moment(enum.IntEnum):
    """When a connection ends, where it is not after so many messages."""

    CONNECTED = -3
    INTRODUCED = -2
    SUBSCRIBED = -1


@dataclasses.dataclass(frozen=True, slots=True)
class Fate:
    """What will become of a connection.

    Attributes:
        way: How it ends.
        after: A `Moment`, or the number of messages that come before.
    """

    way: Way
    after: int


def any_fate(chance: random.Random, *, most: int = 30) -> Fate:
    """Return how and when a connection ends: at any moment."""
    return Fate(chance.choice(list(Way)), chance.randint(min(Moment), most))


@dataclasses.dataclass(frozen=True, slots=True)
class Identity:
    """What a client asks for, and as whom.

    Attributes:
        query: The subscription.
        headers: By which it says who it is, of requests or in `connection_init`.
    """

    query: str
    headers: dict[str, str]


class Ended(Exception):
    """A connection came to its end; another one will do."""


@dataclasses.dataclass(slots=True)
class Memory:
    """What a client has heard of.

    Attributes:
        cursor: What it resumes after.
        sequences: Of all messages, in the order in which they came.
        gaps: How often it was told that events are no longer kept.
        spans: First and last of what each message tells of, gaps among them.
        ends: How its connections ended, and how often.
        ended_at: When they ended by themselves, of `time.monotonic`.
        reasons: What closing frames said.
    """

    cursor: int
    sequences: list[int] = dataclasses.field(default_factory=list)
    gaps: int = 0
    spans: list[tuple[int, int]] = dataclasses.field(default_factory=list)
    ends: Counter[str] = dataclasses.field(default_factory=Counter)
    ended_at: list[float] = dataclasses.field(default_factory=list)
    reasons: list[str] = dataclasses.field(default_factory=list)
    _news: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)

    def hear(self, result: dict[str, Any]) -> None:
        """Take note of what a message brings: an event, or a gap."""
        assert "errors" not in result, result
        [told] = result["data"].values()
        sequence = int(told["sequence"])
        if "to" in told:
            self.gaps += 1
            self.spans.append((int(told["from"]), int(told["to"])))
        else:
            self.sequences.append(sequence)
            self.spans.append((sequence, sequence))
        self.cursor = sequence
        self._news.set()

    def end(self, how: str, reason: str = "") -> None:
        """Take note of the end of a connection."""
        self.ends[how] += 1
        self.reasons.append(reason)
        self.ended_at.append(time.monotonic())
        self._news.set()

    async def until(self, condition: Callable[["Memory"], bool]) -> None:
        """Wait until what was heard is enough."""
        while not condition(self):
            self._news.clear()
            await self._news.wait()

    async def has_heard(self, sequence: int) -> None:
        """Wait until an event was heard of."""
        await self.until(lambda memory: memory.cursor >= sequence and bool(memory.spans))


class SocketFollower:
    """Follows over WebSockets, one after the other.

    Args:
        identity: What it asks for, and as whom.
        pick: Finds it a server.
        after: The last event that it has heard of.
        fates: Gives each connection its fate; None leaves it alone.
    """

    def __init__(
        self, identity: Identity, pick: Pick, *, after: int, fates: Callable[[], Fate | None] = lambda: None
    ) -> None:
        self.memory = Memory(after)
        self._identity = identity
        self._pick = pick
        self._fates = fates

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            await self.live()

    async def live(self) -> None:
        """Follow by one connection, to its end."""
        fate, url = self._fates(), await self._pick()
        address = url.replace("http://", "ws://") + "/graphql"
        try:
            # Without a bound to its queue: with a full one the library would read no closing frame for some seconds.
            async with connect(
                address, subprotocols=[PROTOCOL], compression=None, ping_interval=None, max_queue=None
            ) as connection:
                await self._follow(connection, fate)
        except ConnectionClosed as closed:
            received = closed.rcvd
            is_expected = received is None or received.code in COMES_AGAIN_CLOSED or CROWDED in received.reason
            assert is_expected, received
            self.memory.end("lost" if received is None else str(received.code), received.reason if received else "")
        except (Ended, OSError, InvalidHandshake, EOFError) as ended:
            self.memory.end(str(ended) if isinstance(ended, Ended) else "refused")

    async def _follow(self, connection: ClientConnection, fate: Fate | None) -> None:
        await self._meet(connection, fate, Moment.CONNECTED)
        await _send(connection, type="connection_init", payload=self._identity.headers)
        await self._meet(connection, fate, Moment.INTRODUCED)
        acknowledged = await _receive(connection)
        assert acknowledged["type"] == "connection_ack", acknowledged
        payload = {"query": self._identity.query, "variables": {"after": str(self.memory.cursor)}}
        await _send(connection, type="subscribe", id="live", payload=payload)
        await self._meet(connection, fate, Moment.SUBSCRIBED)
        heard = 0
        while True:
            await self._meet(connection, fate, heard)
            heard += await self._take(connection, await _receive(connection))

    async def _take(self, connection: ClientConnection, message: dict[str, Any]) -> bool:
        """Take a message, and tell whether it brought an event."""
        match message["type"]:
            case "next":
                self.memory.hear(message["payload"])
                return True
            case "ping":
                cursors = (message.get("payload") or {}).get("resume", {})
                assert cursors.get("live", self.memory.cursor) >= self.memory.cursor, message
                self.memory.cursor = cursors.get("live", self.memory.cursor)
                await _send(connection, type="pong")
                return False
            case "error":
                codes = {each["extensions"]["code"] for each in message["payload"]}
                assert codes <= COMES_AGAIN, message
                raise Ended(*codes)
            case _:
                raise AssertionError(message)

    async def _meet(self, connection: ClientConnection, fate: Fate | None, moment: int) -> None:
        if fate is None or fate.after != moment:
            return
        if fate.way is Way.CLOSED:
            await connection.close()
        elif fate.way is Way.RESET:
            reset(connection.transport)
        else:
            connection.transport.write(BROKEN_FRAME)
            connection.transport.close()
        raise Ended(fate.way.value)


class StreamFollower:
    """Follows by streams of server-sent events, one after the other, as an `EventSource` would.

    Args:
        identity: What it asks for, and as whom.
        pick: Finds it a server.
        after: The last event that it has heard of.
        at_most: After how many events it hangs up; None stays.
    """

    def __init__(self, identity: Identity, pick: Pick, *, after: int, at_most: int | None = None) -> None:
        self.memory = Memory(after)
        self._identity = identity
        self._pick = pick
        self._at_most = at_most

    async def run(self) -> None:
        """Follow until cancelled."""
        while True:
            await self.live()

    async def live(self) -> None:
        """Follow by one stream, to its end."""
        url = await self._pick()
        try:
            async with httpx.AsyncClient(base_url=url, timeout=None) as client:  # noqa: S113  (streams may be quiet)
                await self._follow(client)
        except (httpx.TransportError, Ended) as ended:
            self.memory.end(str(ended) if isinstance(ended, Ended) else "lost")

    async def _follow(self, client: httpx.AsyncClient) -> None:
        headers = {
            **self._identity.headers,
            "Accept": "text/event-stream",
            "Last-Event-ID": str(self.memory.cursor),
        }
        heard = 0
        async with client.stream("POST", "/graphql", json={"query": self._identity.query}, headers=headers) as response:
            if response.status_code != httpx.codes.OK:
                assert response.status_code in COMES_AGAIN_STATUS, await response.aread()
                raise Ended(str(response.status_code))
            reader = Reader(response)
            try:
                async for event in reader.events():
                    assert event.name == "next", event
                    self.memory.hear(event.data)
                    heard += 1
                    if heard == self._at_most:
                        raise Ended("enough")
            finally:
                # Of what is not for it a client hears only how far it has come.
                self.memory.cursor = max(self.memory.cursor, int(reader.last_id or 0))
            raise Ended("ended")


def reset(transport: asyncio.WriteTransport) -> None:
    """End a connection at once, by a reset, with whatever is under way."""
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


async def _send(connection: ClientConnection, **message: Any) -> None:
    await connection.send(orjson.dumps(message).decode())


async def _receive(connection: ClientConnection) -> dict[str, Any]:
    message: dict[str, Any] = orjson.loads(await connection.recv())
    return message
