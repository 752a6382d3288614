"""One socket: what its client says, in order, and what runs on it."""

import asyncio
import contextlib
import random
import time
from collections.abc import Mapping
from typing import Any

from starlette.types import Message as Event
from starlette.types import Receive, Scope, Send

from core.errors import LimitExceeded, RequestError, TokenExpired
from server.entrance import Caller
from server.graphql.exchanges import new_request_id
from server.graphql.operating import Operations
from server.live import messages
from server.live.bounds import Pace
from server.live.crowds import FULL, Place, Standing
from server.live.introductions import Guest, brings_token
from server.live.messages import Complete, ConnectionInit, Invalid, Message, Ping, Subscribe
from server.live.operation import EXPELLING, Follows, SocketOperation
from server.live.outgoing import Outgoing
from server.live.surroundings import Surroundings
from server.observability import note

ROUTE = "/graphql (socket)"
"""What log lines say of where an operation came in."""

NO_CODE = 1005
"""Of a client that closes without one, or just leaves (RFC 6455, 7.1.5)."""


class Connection:
    """Talks to one client, from its handshake to its end."""

    __slots__ = (
        "_around",
        "_code",
        "_guest",
        "_is_introduced",
        "_leaving",
        "_operations",
        "_outgoing",
        "_pace",
        "_place",
        "_receive",
        "_started",
        "_timer",
    )

    def __init__(self, around: Surroundings, scope: Scope, receive: Receive, send: Send) -> None:
        self._around = around
        self._guest = Guest(around.operations, scope, around.clock)
        self._receive = receive
        self._outgoing = Outgoing(send, around.bounds, overrun=self._overrun)
        self._operations: dict[str, SocketOperation] = {}
        self._is_introduced = False
        self._code: int | None = None
        self._leaving: asyncio.Task[None] | None = None
        self._place = Place(around.crowd)
        self._place.settle(Standing.PENDING, self._guest.address)
        loop = asyncio.get_running_loop()
        self._started = loop.time()
        self._pace = Pace(around.bounds, self._started)
        self._timer = loop.call_later(around.bounds.init_seconds, self._not_introduced)

    @property
    def caller(self) -> Caller:
        """Who asks, as of now."""
        caller = self._guest.caller
        if caller is None:
            raise RuntimeError("Nobody asks anything before introducing himself.")
        return caller

    @property
    def operations(self) -> Operations:
        """What serves the operations."""
        return self._around.operations

    @property
    def hub(self) -> Follows | None:
        """What opens subscriptions."""
        return self._around.hub

    @property
    def operation_seconds(self) -> float:
        """How long an operation may take."""
        return self._around.bounds.operation_seconds

    @property
    def push(self) -> Any:
        """Write a frame: what `Outgoing.push` does, without a further call."""
        return self._outgoing.push

    async def drained(self) -> None:
        """Wait until the client has read what was written."""
        await self._outgoing.drained()

    @property
    def waiting(self) -> int:
        """How many frames wait for the client to read."""
        return self._outgoing.waiting

    async def run(self) -> None:
        """Talk until one of both closes."""
        metrics = self._around.socket_metrics
        metrics.sockets.value += 1
        try:
            self._stay_or_go()
            event = await self._receive()
            while event["type"] != "websocket.disconnect":
                if self._code is None:
                    await self._hear(event)
                event = await self._receive()
            self._code = self._code or event.get("code") or NO_CODE
        except Exception as error:  # noqa: BLE001 - the last line of defence: masked, and reported once.
            self.operations.report(error, new_request_id())
            self.close(1013, "Something went wrong on our side; connect again.")
        finally:
            metrics.sockets.value -= 1
            metrics.closed(self._code or NO_CODE)
            await self._clear()

    def close(self, code: int, reason: str) -> None:
        """Close the socket, unless it is closed."""
        if self._code is None:
            self._code = code
            self._outgoing.close(code, reason)

    async def leave(self, seconds: float) -> None:
        """Close the socket so that its client comes again and goes on where it was.

        What is about to be answered is answered first; then a ping brings the cursor of each subscription.

        Args:
            seconds: How long answers, and the client that is to read them, may take.
        """
        running = self._tasks()
        if running:
            await asyncio.wait(running, timeout=seconds)
        sequences = ((operation.id, operation.sequence) for operation in self._operations.values())
        cursors = {name: sequence for name, sequence in sequences if sequence is not None}
        if cursors:
            self.push(messages.resume(cursors))
        is_read = await self._outgoing.flush(seconds)
        self.close(1012, f"resume={min(cursors.values())}" if cursors and is_read else "Connect again.")

    def expel(self, refusal: RequestError) -> None:
        """Close the socket of somebody whom we do not serve, or no longer."""
        self.close(4403, f"Forbidden: {refusal.message}")

    async def admit(self, operation: SocketOperation) -> None:
        """Let an operation run, unless its client has too many."""
        client = self._guest.account
        if not await self._around.slots.take(client):
            at_most = self._around.bounds.operations_per_client
            raise LimitExceeded(
                f"At most {at_most} operations of one client run at the same time; complete some.",
                which="client_operations",
            )
        if operation.is_over:
            self._around.slots.give_back(client)
        else:
            operation.has_slot = True

    def forget(self, operation: SocketOperation, *, status: int) -> None:
        """Take note that an operation has come to its end."""
        if self._operations.get(operation.id) is operation:
            del self._operations[operation.id]
        around = self._around
        around.socket_metrics.operations.value -= 1
        if operation.has_slot:
            around.slots.give_back(self._guest.account)
        seconds = time.perf_counter() - operation.started
        note(around.metrics, operation.exchange.observation, route=ROUTE, status=int(status), seconds=seconds)

    async def _hear(self, event: Event) -> None:
        if event["type"] != "websocket.receive":
            return
        loop = asyncio.get_running_loop()
        pause = self._pace.pause(loop.time())
        if pause is None:
            self.close(4429, "Too many messages; send them more slowly.")
            return
        if pause:
            # Nothing is read meanwhile, so that the client's own connection holds it back.
            await asyncio.sleep(pause)
        try:
            await self._obey(messages.read(event.get("text")))
        except Invalid as reason:
            self.close(4400, f"Invalid message: {reason}")

    async def _obey(self, message: Message) -> None:
        match message:
            case ConnectionInit():
                await self._introduce(message.payload)
            case Ping():
                await self._answer_ping(message)
            case Subscribe():
                self._begin(message)
            case Complete():
                operation = self._operations.get(message.id)
                if operation is not None:
                    operation.cancel()

    async def _introduce(self, payload: Mapping[str, Any]) -> None:
        if self._is_introduced:
            self.close(4429, "Too many initialisation requests")
            return
        self._is_introduced = True
        self._timer.cancel()
        if not await self._identify(payload):
            return
        if self.caller.actor.subject is None:
            self._place.settle(Standing.ANONYMOUS, self._guest.address)
        else:
            self._place.settle(Standing.SIGNED_IN, self._guest.account)
        self._stay_or_go()
        self.push(messages.ACK)

    def _stay_or_go(self) -> None:
        """Close the socket if there is no room for it."""
        if self._place.full is not None:
            self.close(1013, FULL[self._place.full])

    async def _answer_ping(self, message: Ping) -> None:
        if self._guest.caller is None or not brings_token(message.payload):
            self.push(messages.pong(message.payload))
        elif await self._identify(message.payload or {}):
            self.push(messages.pong())

    async def _identify(self, payload: Mapping[str, Any]) -> bool:
        """Find out who asks from what a payload says, and tell whether we serve him."""
        try:
            async with asyncio.timeout(self.operation_seconds):
                caller = await self._guest.introduce(payload)
        except EXPELLING as refusal:
            self.expel(refusal)
            return False
        self._set_timer(caller)
        return True

    def _begin(self, message: Subscribe) -> None:
        if self._guest.caller is None:
            self.close(4401, "Unauthorized: send connection_init and wait for connection_ack first.")
            return
        if message.id in self._operations:
            self.close(4409, f"Subscriber for {message.id} already exists")
            return
        at_most = self._around.bounds.operations
        operation = SocketOperation(message.id, self._guest.exchange(message.payload.get("extensions")), self)
        self._around.socket_metrics.operations.value += 1
        if len(self._operations) >= at_most:
            operation.refuse(
                LimitExceeded(
                    f"At most {at_most} operations run on one socket; complete some.", which="socket_operations"
                )
            )
            return
        self._operations[message.id] = operation
        operation.task = asyncio.get_running_loop().create_task(operation.run(message))

    def _set_timer(self, caller: Caller) -> None:
        loop = asyncio.get_running_loop()
        # Sockets that were opened in the same moment, as after a restart, must not all end in the same moment again.
        at = self._started + self._around.bounds.age_seconds * random.uniform(0.9, 1)  # noqa: S311  (no secret)
        if caller.expires_at is not None:
            at = min(at, loop.time() + self._guest.seconds_left(caller.expires_at))
        self._timer.cancel()
        self._timer = loop.call_at(at, self._time_up)

    def _time_up(self) -> None:
        expires_at = self.caller.expires_at
        if expires_at is not None and self._guest.seconds_left(expires_at) <= 0:
            self.expel(TokenExpired("The access token has expired; refresh it, and send it by a ping before that."))
        elif self._leaving is None:
            self._leaving = asyncio.get_running_loop().create_task(self.leave(self.operation_seconds))

    def _not_introduced(self) -> None:
        self.close(4408, "Connection initialisation timeout")

    def _overrun(self) -> None:
        self._around.socket_metrics.overruns.add(())
        self.close(1013, "Results were read too slowly; connect again, and resume after the last one.")

    def _tasks(self) -> list[asyncio.Task[None]]:
        """Return what runs: not the subscriptions that are open."""
        tasks = [operation.task for operation in self._operations.values()]
        return [task for task in tasks if task is not None and not task.done()]

    async def _clear(self) -> None:
        """Leave nothing behind."""
        self._timer.cancel()
        self._place.leave()
        self._outgoing.drop()
        tasks = self._tasks()
        for operation in list(self._operations.values()):
            operation.cancel()
        if self._leaving is not None:
            self._leaving.cancel()
            tasks.append(self._leaving)
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
