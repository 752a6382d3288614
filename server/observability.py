"""What each request leaves behind: one log line, and its metrics."""

import dataclasses
import time
from collections.abc import Awaitable, Callable

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.health import PROBE_PATHS
from server.logs import log_request, safe_name
from server.metrics import CODES, METRICS_PATH, NONE, OPERATION_TYPES, Metrics, one_of

REQUEST_ID_HEADER = b"x-request-id"

HEADERS_LIMIT_BYTES = 16_384
"""Of all values together, as most servers have it; the longest token takes half of it."""

_TOO_LONG = b'{"errors":[{"message":"The headers are too long; send less.","extensions":{"code":"BAD_REQUEST"}}]}'
CLIENT_GONE = 499
"""Status of a request whose client left before the answer began; nginx uses the same figure."""

_QUIET_PATHS = frozenset({*PROBE_PATHS, METRICS_PATH})
_SCOPE_KEY = "galleria.observation"

_log = structlog.get_logger(area="requests")


@dataclasses.dataclass(slots=True)
class Observation:
    """What is known of a request so far; the endpoint fills it in as it learns more.

    Attributes:
        request_id: As answered; taken from the answer's `X-Request-Id` where nothing else set it.
        shop: Slug of the shop.
        actor: Kind of the actor.
        operation_type: query, mutation or subscription.
        operation: Its name, as the client wrote it.
        code: Code of the first error in the answer.
        statements: SQL statements it took; None where no operation ran.
    """

    request_id: str | None = None
    shop: str | None = None
    actor: str | None = None
    operation_type: str | None = None
    operation: str | None = None
    code: str | None = None
    statements: int | None = None


class Observed:
    """Wraps an application: counts, times and logs each HTTP request.

    It belongs outside of the routing, so that what the router refuses is seen as well.

    Attributes:
        metrics: Where the requests are counted.
        doorkeeper: What the door of the process asks before requests come here; None where all of them do.
    """

    def __init__(
        self,
        app: ASGIApp,
        metrics: Metrics,
        *,
        drain: Callable[[], Awaitable[None]] | None = None,
        doorkeeper: object | None = None,
    ) -> None:
        self._app = app
        self._drain = drain
        self.metrics = metrics
        self.doorkeeper = doorkeeper

    async def drain(self) -> None:
        """Close what is live, in order, before the application ends."""
        if self._drain is not None:
            await self._drain()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and note what became of it."""
        if scope["type"] != "http" or scope["path"] in _QUIET_PATHS:
            await self._app(scope, receive, send)
            return
        observation = scope[_SCOPE_KEY] = Observation()
        started, status = time.perf_counter(), CLIENT_GONE

        def noting(message: Message) -> Awaitable[None]:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                observation.request_id = observation.request_id or _request_id_of(message)
            return send(message)

        self.metrics.in_flight.value += 1
        try:
            if sum(len(value) for _, value in scope["headers"]) > HEADERS_LIMIT_BYTES:
                await _refuse(noting)
            else:
                await self._app(scope, receive, noting)
        except Exception:
            status = 500 if status == CLIENT_GONE else status
            raise
        finally:
            self.metrics.in_flight.value -= 1
            route = getattr(scope.get("route"), "path", None)
            note(self.metrics, observation, route=route, status=status, seconds=time.perf_counter() - started)


def note(metrics: Metrics, seen: Observation, *, route: str | None, status: int, seconds: float) -> None:
    """Count, time and log a request, or an operation that came over a socket.

    Args:
        metrics: Where it is counted.
        seen: What is known of it.
        route: Where it came in.
        status: Of its answer, as HTTP has it.
        seconds: From its arrival to the end of its answer.
    """
    operation_type, code = one_of(seen.operation_type, OPERATION_TYPES), one_of(seen.code, CODES)
    metrics.requests.add((operation_type, str(status), code))
    metrics.duration.observe(operation_type, seconds)
    if seen.statements is not None:
        metrics.statements.observe(operation_type, seen.statements)
    log_request(
        {
            "request_id": None if seen.request_id is None else safe_name(seen.request_id),
            "shop": seen.shop,
            "actor": seen.actor,
            "route": route,
            "operation_type": None if operation_type == NONE else operation_type,
            "operation": None if seen.operation is None else safe_name(seen.operation),
            "status": status,
            "code": None if code == NONE else code,
            "duration_ms": round(seconds * 1000, 2),
            "statements": seen.statements,
        }
    )


async def _refuse(send: Callable[[Message], Awaitable[None]]) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(_TOO_LONG))]
    await send({"type": "http.response.start", "status": 431, "headers": headers})
    await send({"type": "http.response.body", "body": _TOO_LONG})


def observation_of(scope: Scope) -> Observation:
    """Return what is noted of a request, to be filled in; outside of `Observed` it goes nowhere."""
    observation: Observation = scope.setdefault(_SCOPE_KEY, Observation())
    return observation


def report_masked(metrics: Metrics, error: BaseException, *, request_id: str) -> None:
    """Count an unexpected exception that the client sees as INTERNAL, and log where it came from.

    Its message is only shown on a developer's terminal: drivers and libraries quote values in it.
    """
    metrics.masked_errors.inc()
    _log.error("masked error", request_id=safe_name(request_id), exc_info=error)


def _request_id_of(message: Message) -> str | None:
    for name, value in message.get("headers", ()):
        if name.lower() == REQUEST_ID_HEADER:
            return bytes(value).decode("latin-1")
    return None
