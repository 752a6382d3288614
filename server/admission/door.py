"""The door of a process: requests that cannot be served are answered before anything is done for them.

A refusal has to be cheap, or a flood is served by refusing and by nothing else: where no task is made, no answer is put
together and no line is logged, it takes a twentieth of what a usual query does. So it happens where uvicorn has read a
request and not begun with it. Checked by tests over real connections, since it builds on parts of uvicorn that are not
documented.
"""

import dataclasses
import functools
from http import HTTPStatus
from typing import Any

from starlette.types import Scope
from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle

from core.errors import Overloaded, RequestError
from server.admission.gate import ADMITTED, Gate, refusal
from server.admission.kinds import Kind, Kinds
from server.admission.line import Lane, LaneOf, Reason, Waiting
from server.graphql.answers import refused_answer
from server.graphql.exchanges import new_request_id
from server.graphql.negotiation import EVENT_STREAM, JSON, Streaming, negotiate, streaming_of
from server.graphql.requests import read_json, read_query_string
from server.metrics import NONE, Metrics

_LANED = {b"authorization": 0, b"galleria-shop": 1, b"host": 2}
_LONGEST_BODY = 65_536
"""Bytes of a body that the door looks at; longer ones are read where they are served, and wait there."""

_REQUEST_ID = "REQUEST-ID----------------------"
"""Stands in a kept answer for the id of the request, which is as long."""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Doorkeeper:
    """Knows whom to ask, and what those hear who are not let in.

    Attributes:
        path: Of the endpoint whose requests have to be let in; all others, as probes, are at once.
        gate: Lets them in.
        kinds: How important they are.
        lane_of: Returns the shop of a caller.
        metrics: Where refused requests are counted.
    """

    path: str
    gate: Gate
    kinds: Kinds
    lane_of: LaneOf
    metrics: Metrics

    def concerns(self, scope: Scope) -> bool:
        """Tell whether a request is to be let in; streams are, where they are opened."""
        return scope["path"] == self.path and scope["method"] in {"POST", "GET"}

    def place(self, scope: Scope, body: bytes) -> tuple[Kind | None, Lane]:
        """Return how important a request is, and the shop that it is for, if it is known.

        One that cannot be read is not important; one that may be a subscription has no kind until it runs.
        """
        said: list[str | None] = [None, None, None]
        for name, value in scope["headers"]:
            place = _LANED.get(name)
            if place is not None:
                said[place] = value.decode("latin-1")
        lane = self.lane_of(*said)
        otherwise = None if EVENT_STREAM in _accept(scope) else Kind.QUERY
        try:
            request = read_query_string(scope["query_string"]) if scope["method"] == "GET" else read_json(body)
        except RequestError:
            return Kind.INTROSPECTION, lane
        is_signed_in = said[0] is not None and lane is not None
        return self.kinds.of(request, is_signed_in=is_signed_in, otherwise=otherwise), lane

    def refused(self, scope: Scope) -> bytes:
        """Return the headers and the body of a refusal, and count it."""
        self.metrics.requests.add((NONE, "503", Overloaded.code))
        kept = _refused(_accept(scope))
        return kept.replace(_REQUEST_ID.encode(), new_request_id().encode())


class Door(HttpToolsProtocol):
    """Speaks HTTP on one connection, and lets its requests in when their turn has come."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._keeper: Doorkeeper | None = getattr(self.app, "doorkeeper", None)
        self._held: tuple[RequestResponseCycle, ASGI3Application] | None = None
        self._waiting: Waiting | None = None

    def data_received(self, data: bytes) -> None:
        """Take what has arrived; a body that has not all arrived is waited for where it is served."""
        super().data_received(data)
        if self._held is not None:
            held, self._held = self._held, None
            super()._start_asgi_task(*held)

    def connection_lost(self, exc: Exception | None) -> None:
        """Free the place of a client who leaves while he waits."""
        super().connection_lost(exc)
        if self._waiting is not None and self._keeper is not None:
            self._keeper.gate.withdraw(self._waiting)
            self._waiting = None

    def on_message_complete(self) -> None:
        """Decide about a request, now that all of it is here."""
        super().on_message_complete()
        if self._held is not None:
            self._decide()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        keeper = self._keeper
        if keeper is None or not keeper.concerns(cycle.scope):  # type: ignore[arg-type]
            super()._start_asgi_task(cycle, app)
            return
        self._held = cycle, app
        if not cycle.more_body:
            self._decide()

    def _decide(self) -> None:
        keeper, held = self._keeper, self._held
        if keeper is None or held is None:
            return
        self._held = None
        cycle, app = held
        scope: Any = cycle.scope
        gate = keeper.gate
        if gate.take():
            scope[ADMITTED] = gate
            super()._start_asgi_task(cycle, app)
            return
        body = bytes(cycle.body)
        kind, lane = (None, None) if len(body) > _LONGEST_BODY else keeper.place(scope, body)
        if kind is None:
            super()._start_asgi_task(cycle, app)
            return
        enter = functools.partial(self._enter, cycle, app)
        turn_away = functools.partial(self._turn_away, cycle)
        self._waiting = Waiting(kind, lane, self.loop.time(), enter, turn_away)
        gate.ask(self._waiting)

    def _enter(self, cycle: RequestResponseCycle, app: ASGI3Application) -> bool:
        self._waiting = None
        if cycle.disconnected or self._keeper is None:
            return False
        scope: Any = cycle.scope
        scope[ADMITTED] = self._keeper.gate
        super()._start_asgi_task(cycle, app)
        return True

    def _turn_away(self, cycle: RequestResponseCycle, _: Reason) -> None:
        self._waiting = None
        if cycle.disconnected or self._keeper is None or self.transport.is_closing():
            return
        content = [STATUS_LINE[HTTPStatus.SERVICE_UNAVAILABLE]]
        for name, value in self.server_state.default_headers:
            content += (name, b": ", value, b"\r\n")
        if not cycle.keep_alive:
            content.append(b"connection: close\r\n")
        content.append(self._keeper.refused(cycle.scope))  # type: ignore[arg-type]
        self.transport.write(b"".join(content))
        cycle.response_started = cycle.response_complete = True
        cycle.on_response = lambda: None
        if cycle.keep_alive:
            self.on_response_complete()
        else:
            self.server_state.total_requests += 1
            self.transport.close()


def _accept(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"accept":
            text: str = value.decode("latin-1").lower()
            return text
    return ""


@functools.lru_cache(maxsize=100)
def _refused(accept: str) -> bytes:
    """Return what is sent to those who accept these media types, all but the status line."""
    media_type = JSON
    try:
        if streaming_of(accept) is not Streaming.ALWAYS:
            media_type = negotiate(accept)
    except RequestError:
        pass
    answer = refused_answer(refusal(), media_type=media_type, accept=accept, request_id=_REQUEST_ID)
    headers = {**answer.headers, "content-length": str(len(answer.body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{lines}\r\n".encode("latin-1") + answer.body
