"""One stream of events: takes what a subscription brings, and writes it to its client."""

import asyncio
import enum
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from http import HTTPStatus

import orjson
from starlette.types import Receive, Send

from core.errors import DeadlineExceeded, Overloaded, Throttled, TokenExpired
from engine.errors import Failure
from server.entrance import Caller
from server.graphql.exchanges import Exchange
from server.live import framing
from server.live.bounds import Bounds
from server.live.operation import Following

GRACE_SECONDS = 5.0
"""How long a client may take to read what was written before the end; then the connection is cut."""

RETRY_MS = 1_000
"""After how long clients come again where nothing else is said; browsers would take some three seconds."""

RUN_AHEAD = 20
"""Events that one who catches up is given before they are written; more would wait, and take memory."""

_RETRYABLE = frozenset({kind.code for kind in (TokenExpired, Throttled, Overloaded, DeadlineExceeded)})
"""Codes of failures after which the same may be asked again: with a new token, or later."""

_EXPIRED = Failure("The access token has expired; send a new one, and go on after the last event.", TokenExpired.code)


class End(enum.Enum):
    """Why a stream ends; clients come again after those that are no ends of the operation."""

    COMPLETED = "completed"
    FAILED = "failed"
    REFUSED = "refused"
    LEFT = "left"
    SLOW = "slow"
    AGED = "aged"
    DRAINED = "drained"


_COMING_AGAIN = frozenset({End.AGED, End.DRAINED})


class Stream:
    """A subscription on its way to a client; see `server.live.hub.Subscriber`.

    Events that cannot be written yet wait in a line that has an end. Whoever reads too slowly for it is cut off: it
    comes again, and goes on after the last event that it has read.

    Args:
        caller: Who asks.
        exchange: What is known of the request.
        bounds: What may wait, and how old a stream becomes.
        headers: Of the answer, beside those of each stream.

    Attributes:
        caller: Who asks.
        ended_by: Why it ends; `LEFT` until it is known.
        on_leave: Called once, when all is over.
        closed: Set when all is over.
    """

    __slots__ = (
        "__weakref__",
        "_bounds",
        "_bytes",
        "_cut",
        "_emptied",
        "_exchange",
        "_following",
        "_has_left",
        "_headers",
        "_is_over",
        "_is_writing",
        "_marked",
        "_timers",
        "_waiting",
        "_wake",
        "_written",
        "caller",
        "closed",
        "ended_by",
        "on_leave",
    )

    def __init__(self, caller: Caller, exchange: Exchange, bounds: Bounds, *, headers: Mapping[str, str]) -> None:
        self.caller = caller
        self.ended_by = End.LEFT
        self.on_leave: Callable[[], None] = _nothing
        self.closed = asyncio.Event()
        self._exchange = exchange
        self._bounds = bounds
        self._headers = headers
        self._waiting = deque([framing.PING])
        self._bytes = len(framing.PING)
        self._wake, self._emptied = asyncio.Event(), asyncio.Event()
        self._written = 0
        self._is_over = self._has_left = self._is_writing = False
        self._following: Following | None = None
        self._marked: int | None = None
        self._cut: Callable[[], None] = _nothing
        self._timers: list[asyncio.TimerHandle] = []

    def deliver(self, sequence: int | None, payload: bytes) -> None:
        """Take a result; it never waits, and never raises."""
        if self._is_over:
            return
        # What waits for our own turn to write says nothing about the client.
        is_full = self._is_writing and len(self._waiting) >= self._bounds.waiting_frames
        if is_full or self._bytes > self._bounds.waiting_bytes:
            self.end(End.SLOW)
        else:
            self._put(framing.next_event(payload, sequence))

    async def drained(self) -> None:
        """Wait until what was brought is written; a client that reads nothing for too long is cut off."""
        while self._is_behind and not self._is_over:
            written = self._written
            self._emptied.clear()
            try:
                async with asyncio.timeout(self._bounds.stall_seconds):
                    await self._emptied.wait()
            except TimeoutError:
                if written == self._written:
                    self.end(End.SLOW)

    def finish(self, failures: Sequence[Failure]) -> None:
        """Take note that the subscription has come to its end; where there are failures, by them."""
        if self._is_over:
            return
        if failures:
            self._exchange.observation.code = failures[0].code
            errors = [failure.formatted(self._exchange.request_id) for failure in failures]
            self._put(framing.next_event(orjson.dumps({"errors": errors})))
        self._mark()
        if failures and failures[0].code in _RETRYABLE:
            retry_after = failures[0].extensions.get("retryAfterMs")
            self._put(framing.retry(retry_after if isinstance(retry_after, int) else RETRY_MS))
        else:
            self._put(framing.COMPLETE)
        self.end(End.FAILED if failures else End.COMPLETED)

    def end(self, reason: End) -> None:
        """Bring no more; without the event `complete` before it, clients come again."""
        if self._is_over:
            return
        self._is_over = True
        self._emptied.set()
        self.ended_by = reason
        if self._following is not None:
            self._following.close()
        if reason is End.SLOW:
            self._waiting.clear()
            self._cut()
        elif reason in _COMING_AGAIN:
            self._mark()
            self._put(framing.retry(RETRY_MS))
        self._timers.append(asyncio.get_running_loop().call_later(GRACE_SECONDS, self._give_up))
        self._wake.set()

    def ping(self) -> None:
        """Let the connection be seen to live, unless something is under way anyhow."""
        if not self._waiting and not self._is_over:
            self._put(framing.PING)
            self._mark()

    def follow(self, following: Following) -> None:
        """Take note of the subscription that events come from."""
        self._following = following
        if self._is_over:
            following.close()
            return
        # Whoever is cut off before the first event comes again with this.
        self._mark()
        loop, caller = asyncio.get_running_loop(), self.caller
        self._timers.append(loop.call_later(self._bounds.age_seconds, self.end, End.AGED))
        if caller.expires_at is not None:
            seconds = (caller.expires_at - datetime.now(UTC)).total_seconds()
            self._timers.append(loop.call_later(seconds, self.finish, [_EXPIRED]))

    async def run(self, receive: Receive, send: Send) -> None:
        """Write the stream until it ends, or its client leaves."""
        self._cut = _cut_of(receive)
        leaving = asyncio.create_task(self._watch(receive))
        try:
            await self._write(send)
        finally:
            leaving.cancel()
            self.leave()

    def leave(self) -> None:
        """Give back all that the stream holds."""
        self.end(self.ended_by)
        for timer in self._timers:
            timer.cancel()
        self._waiting.clear()
        self.closed.set()
        self.on_leave()
        self.on_leave = _nothing

    async def _write(self, send: Send) -> None:
        headers = {**framing.HEADERS, **self._headers, "x-request-id": self._exchange.request_id}
        encoded = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": int(HTTPStatus.OK), "headers": encoded})
        while not self._has_left:
            while self._waiting and not self._has_left:
                frame = self._waiting.popleft()
                self._bytes -= len(frame)
                self._is_writing = True
                await send({"type": "http.response.body", "body": frame, "more_body": True})
                self._is_writing = False
                self._written += 1
            self._emptied.set()
            if self._is_over:
                break
            self._wake.clear()
            await self._wake.wait()
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _watch(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            continue
        self._has_left = True
        self._wake.set()

    @property
    def _is_behind(self) -> bool:
        """Whether the client, or our own turn to write, is waited for."""
        return self._is_writing or len(self._waiting) >= RUN_AHEAD or 2 * self._bytes > self._bounds.waiting_bytes

    def _mark(self) -> None:
        """Tell the client how far it has heard; most events of a shop are not for each of its clients."""
        sequence = None if self._following is None else self._following.sequence
        if sequence is not None and sequence != self._marked:
            self._marked = sequence
            self._put(framing.cursor(sequence))

    def _put(self, frame: bytes) -> None:
        self._waiting.append(frame)
        self._bytes += len(frame)
        self._wake.set()

    def _give_up(self) -> None:
        self._waiting.clear()
        self._cut()


def _cut_of(receive: Receive) -> Callable[[], None]:
    """Return what cuts the connection of a request.

    ASGI has no word for that: an end that is written waits for the client to read what comes before it, which one that
    does not read never will. uvicorn's cycle of a request, whose method `receive` is, knows the transport.
    """
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    cut: Callable[[], None] = getattr(transport, "abort", _nothing)
    return cut


def _nothing() -> None:
    """Do nothing."""
