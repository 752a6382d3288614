"""GraphQL over WebSocket: graphql-transport-ws, operations of all kinds over one socket."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection

from starlette.types import Receive, Scope, Send

from core.clock import Clock, system_clock
from core.redis_buckets import connect
from core.settings import Settings
from server.graphql.contexts import headers_of
from server.graphql.operating import Operations
from server.live.bounds import Bounds, may_connect
from server.live.connection import Connection
from server.live.crowds import Crowd
from server.live.messages import SUBPROTOCOL
from server.live.operation import Follows
from server.live.slots import Alone, InRedis, Slots, Store
from server.live.socket_metrics import SocketMetrics
from server.live.surroundings import Surroundings
from server.metrics import Metrics


class Sockets:
    """The ASGI application behind the endpoint, and all sockets of a process.

    Args:
        operations: Serves what is asked.
        hub: Opens subscriptions; None where there are none.
        metrics: Where operations and sockets are counted.
        bounds: What there may be of everything.
        origins: Origins whose pages may connect, beside our own.
        store: Where processes see how many operations each client has.
        clock: What the ends of tokens are compared with.
    """

    def __init__(  # noqa: PLR0913  (all that it needs)
        self,
        operations: Operations,
        hub: Follows | None,
        *,
        metrics: Metrics,
        bounds: Bounds | None = None,
        origins: frozenset[str] = frozenset(),
        store: Store | None = None,
        clock: Clock = system_clock,
    ) -> None:
        bounds = bounds or Bounds()
        crowd = Crowd(bounds)
        metrics.registry.register(crowd.refused)
        self._origins = origins
        self._open: set[Connection] = set()
        self._is_draining = False
        self._around = Surroundings(
            operations=operations,
            hub=hub,
            bounds=bounds,
            slots=Slots(store or Alone(), limit=bounds.operations_per_client),
            crowd=crowd,
            metrics=metrics,
            socket_metrics=SocketMetrics.of(metrics),
            clock=clock,
        )

    @property
    def count(self) -> int:
        """How many sockets are open."""
        return len(self._open)

    @property
    def slots(self) -> Slots:
        """How many operations each client runs at the same time."""
        return self._around.slots

    @property
    def crowd(self) -> Crowd:
        """How many sockets and streams there are."""
        return self._around.crowd

    @property
    def bounds(self) -> Bounds:
        """What there may be of everything."""
        return self._around.bounds

    @property
    def connections(self) -> Collection[Connection]:
        """The open ones."""
        return self._open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one socket.

        Each is accepted: only by a closing frame a browser learns why it may not stay.
        """
        await receive()
        offered = scope.get("subprotocols", [])
        chosen = SUBPROTOCOL if SUBPROTOCOL in offered else next(iter(offered), None)
        await send({"type": "websocket.accept", "subprotocol": chosen})
        connection = Connection(self._around, scope, receive, send)
        self._open.add(connection)
        try:
            if self._is_draining:
                connection.close(1012, "This server is about to stop; connect again.")
            headers = headers_of(scope)
            if not may_connect(headers.get("origin"), headers.get("host"), allowed=self._origins):
                connection.close(4403, "Forbidden: pages of this origin may not connect; see GALLERIA_SOCKET_ORIGINS.")
            if chosen != SUBPROTOCOL:
                connection.close(4406, f"Subprotocol not acceptable; ask for {SUBPROTOCOL}.")
            await connection.run()
        finally:
            self._open.discard(connection)

    @contextlib.asynccontextmanager
    async def counted(self) -> AsyncIterator[None]:
        """Tell other processes how many operations run here, again and again, until the end."""
        slots = self._around.slots
        beating = asyncio.create_task(slots.run())
        try:
            yield
        finally:
            beating.cancel()
            await slots.close()

    async def drain(self, seconds: float) -> None:
        """Close all sockets so that their clients come again, elsewhere, and go on where they were.

        They are closed one after the other, spread over the time, so that their clients do not come all at once. New
        ones are turned away.

        Args:
            seconds: How long it may take.
        """
        self._is_draining = True
        connections = list(self._open)
        pause = seconds / max(1, len(connections))
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        async with asyncio.TaskGroup() as tasks:
            for number, connection in enumerate(connections, start=1):
                tasks.create_task(connection.leave(max(0.0, until - loop.time())))
                wait = until - (len(connections) - number) * pause - loop.time()
                await asyncio.sleep(max(0.0, wait) if number < len(connections) else 0)


def configured_sockets(settings: Settings, operations: Operations, hub: Follows | None, metrics: Metrics) -> Sockets:
    """Return the sockets of a process as its settings say."""
    bounds = Bounds(
        operation_seconds=settings.deadline_seconds,
        operations_per_client=settings.operations_per_client,
        sockets=settings.sockets,
        sockets_per_client=settings.sockets_per_client,
        anonymous_sockets=settings.sockets_per_address,
    )
    store = None if settings.redis_url is None else InRedis(connect(settings.redis_url.value))
    return Sockets(
        operations,
        hub,
        metrics=metrics,
        bounds=bounds,
        origins=frozenset({*settings.cors_origins, *settings.socket_origins}),
        store=store,
    )
