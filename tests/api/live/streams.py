"""Reads streams of events as a browser does, byte by byte."""

import dataclasses
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx

EVENTS = "text/event-stream"


@dataclasses.dataclass(frozen=True, slots=True)
class Event:
    """One event.

    Attributes:
        name: Its type.
        data: What it brings, decoded; None where it brings nothing.
        id: The last id that the stream has given so far.
    """

    name: str
    data: Any
    id: str | None = None


@dataclasses.dataclass(slots=True)
class Reader:
    """Interprets a stream (HTML, 9.2.6), and keeps what an `EventSource` keeps.

    Attributes:
        last_id: What a browser would send as `Last-Event-ID`.
        retry_ms: After how long it would come again, as far as the stream has said so.
        comments: The comments, which a browser drops.
    """

    response: httpx.Response
    last_id: str | None = None
    retry_ms: int | None = None
    comments: int = 0

    async def events(self) -> AsyncIterator[Event]:
        """Give each event as it comes, until the stream ends."""
        fields: dict[str, list[str]] = {}
        async for line in self.response.aiter_lines():
            name, colon, value = line.partition(":")
            if line:
                self._keep(name, value.removeprefix(" "), is_comment=bool(colon) and not name)
                fields.setdefault(name, []).append(value.removeprefix(" "))
            elif data := fields.pop("data", None):
                text = "\n".join(data)
                yield Event(fields["event"][-1], json.loads(text) if text else None, self.last_id)
                fields = {}

    def _keep(self, name: str, value: str, *, is_comment: bool) -> None:
        self.comments += is_comment
        if name == "id":
            self.last_id = value
        elif name == "retry":
            self.retry_ms = int(value)


async def all_events(response: httpx.Response) -> list[Event]:
    """Read a stream to its end."""
    return [event async for event in Reader(response).events()]
