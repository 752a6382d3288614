"""WebSocket frames on a connection: uvicorn's protocol, and what it leaves open about clients that mean no good.

Checked by tests that talk to it over real connections, since it builds on parts of uvicorn that are not documented.
"""

import logging
from typing import Any, cast

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState
from websockets.frames import Frame

CLOSE_SECONDS = 5.0
"""How long a client may take to answer a closing frame; then the connection is cut."""

FRAGMENTS = 1_000
"""Parts of one message; empty ones would count nothing towards its length, and could go on for ever."""

_TRY_AGAIN = 1013
_POLICY_VIOLATION = 1008

# The protocol logs each connection with its query string, and each text that is not UTF-8 with a stack trace.
_silent = logging.getLogger("galleria.silent")
_silent.setLevel(logging.CRITICAL + 1)


class Wire(WebSocketsSansIOProtocol):
    """Speaks WebSocket on one connection."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.logger = _silent
        self.close_timeout = CLOSE_SECONDS

    async def send(self, message: ASGISendEvent) -> None:
        """Send a message of the application; closing waits for nobody, least of all for a client that does not read."""
        if message["type"] == "websocket.close" and self.handshake_complete:
            closing = cast("dict[str, Any]", message)
            self._close(closing.get("code", 1000), closing.get("reason") or "")
        else:
            await super().send(message)

    def data_received(self, data: bytes) -> None:
        """Take what has arrived; what comes after an error is dropped unread, so that the closing frame gets through.

        A connection that is closed with data unread is reset, and its client never sees why.
        """
        if self.conn.parser_exc is None:
            super().data_received(data)

    def handle_parser_exception(self) -> None:
        """Close after a frame that is too long, or none at all; the library has written the closing frame."""
        if self.close_sent:
            return
        sent = self.conn.close_sent
        if sent is not None:
            self.queue.put_nowait({"type": "websocket.disconnect", "code": sent.code, "reason": sent.reason})
        self._write()
        if self.transport.can_write_eof():
            # The client's own closing frame is dropped with the rest: it is to hang up by this.
            self.transport.write_eof()
        self._await_close()

    def handle_cont(self, event: Frame) -> None:
        """Take a part of a message."""
        if len(self.frames) < FRAGMENTS:
            super().handle_cont(event)
        elif not self.close_sent:
            self.conn.fail(_POLICY_VIOLATION, f"Send a message in at most {FRAGMENTS:,} parts.")
            self.handle_parser_exception()

    def handle_ping(self) -> None:
        """Answer a ping, but not that of a client who sends them and reads nothing."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.transport.abort()

    def keepalive_timeout(self) -> None:
        """Close when a client has not answered our ping: it may have slept, and is to come again."""
        self.pong_timer = None
        self.pending_ping_payload = None
        self._close(_TRY_AGAIN, "No pong arrived; connect again.")

    def shutdown(self) -> None:
        """Close because the server ends."""
        super().shutdown()
        self.loop.call_later(self.close_timeout, self.transport.abort)

    def _close(self, code: int, reason: str) -> None:
        if self.close_sent or self.disconnected or self.transport.is_closing():
            return
        try:
            self.conn.send_close(code, reason)
        except InvalidState:
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self._write()
        self._await_close()

    def _write(self) -> None:
        self.transport.write(b"".join(self.conn.data_to_send()))

    def _await_close(self) -> None:
        self.close_sent = True
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(self.close_timeout, self.transport.abort)
