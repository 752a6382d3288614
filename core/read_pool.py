"""The connections for reads of a process; decision 0009 says why it is not asyncpg's pool."""

import asyncio
import contextlib
import dataclasses
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from core import pipelining
from core.errors import Overloaded
from core.overdue import Overdue
from core.reading import ReadConnection, Scope
from core.statements import Compiled, Row

IDLE_SECONDS = 300
"""After this time without a word, something between us and the server may have forgotten the connection."""

LIFETIME_SECONDS = 3600
"""A connection is replaced after this time, and the memory that its server process has gathered with it."""

SETTLE_SECONDS = 1.0
"""How long a connection may take to end what it is in the middle of; then it is cut off. A database that is frozen or
out of reach answers no cancellation either, and must not keep a place for longer."""

_OUTDATED = (
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InvalidCachedStatementError,
    asyncpg.OutdatedSchemaCacheError,
    asyncpg.PostgresConnectionError,
)
"""The connection was lost, or knows tables as they were before a migration: a new one serves."""

Connect = Callable[[], Awaitable[asyncpg.Connection]]


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class PoolSettings:
    """How a pool behaves.

    Attributes:
        at_most: Connections.
        timeout_seconds: How long one waits for a connection, and the end of the pool for what runs.
        statement_seconds: What a statement without a tenant may take, which nobody's deadline ends.
        is_pipelined: Begin transactions in one message with their first statement.
        is_prepared: Let the server keep statements; see `ReadConnection.of`.
    """

    at_most: int
    timeout_seconds: float
    statement_seconds: float = 10.0
    is_prepared: bool = True
    is_pipelined: bool = dataclasses.field(default_factory=pipelining.is_known)


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class _Waiter:
    since: float
    future: "asyncio.Future[ReadConnection | None]"


class ReadPool:
    """Connections that are opened when they are needed; the one given back last is taken first.

    Attributes:
        settings: How it behaves.
    """

    __slots__ = (
        "_closed",
        "_connect",
        "_connections",
        "_free",
        "_heard_at",
        "_opening",
        "_overdue",
        "_renewed_at",
        "_tasks",
        "_waiters",
        "settings",
    )

    def __init__(self, connect: Connect, settings: PoolSettings) -> None:
        self.settings = settings
        self._connect = connect
        self._connections: set[ReadConnection] = set()
        self._free: list[ReadConnection] = []
        self._opening = 0
        self._waiters: deque[_Waiter] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._renewed_at = self._heard_at = 0.0
        self._overdue = Overdue()
        self._closed: asyncio.Event | None = None

    @property
    def size(self) -> int:
        """Connections that there are, or are being opened."""
        return len(self._connections) + self._opening

    @property
    def in_use(self) -> int:
        """Connections that are not free."""
        return self.size - len(self._free)

    @property
    def is_used_up(self) -> bool:
        """Whether whoever comes now has to wait."""
        return not self._free and self.size >= self.settings.at_most

    def has_heard(self, *, within_seconds: float) -> bool:
        """Tell whether the server has answered on any of them lately."""
        return time.monotonic() - self._heard_at < within_seconds

    @property
    def waiting_seconds(self) -> float:
        """For how long the first in the queue has been waiting for a connection; 0 where nobody is."""
        return time.monotonic() - self._waiters[0].since if self._waiters else 0.0

    async def open(self) -> None:
        """Open the first connection, to see that there is a server."""
        self.release(await self.acquire())

    async def fetch(self, compiled: Compiled, arguments: Sequence[Any], scope: Scope | None = None) -> list[Row]:
        """Run a statement in a transaction of its own; without a scope it sees no tenant's rows."""
        connection, rows = await self._first(compiled, arguments, scope, alone=True)
        self.release(connection)
        return rows

    async def begin(
        self, compiled: Compiled, arguments: Sequence[Any], scope: Scope
    ) -> tuple[ReadConnection, list[Row]]:
        """Run the first statement of a transaction that sees one moment; `settle` ends it."""
        return await self._first(compiled, arguments, scope, alone=False)

    def expect(self, connection: ReadConnection, until: float) -> None:
        """Cut a connection that was taken off where it is not given back soon after a moment of `time.monotonic`."""
        self._overdue.expect(connection, until)

    def release(self, connection: ReadConnection) -> None:
        """Take back a connection on which nothing runs and no transaction is open."""
        self._overdue.forget(connection)
        connection.idle_since = now = time.monotonic()
        if not self._is_good(connection, now):
            self._drop(connection)
            return
        self._heard_at = now
        while self._waiters:
            future = self._waiters.popleft().future
            if not future.done():
                future.set_result(connection)
                return
        self._free.append(connection)

    def settle(self, connection: ReadConnection) -> None:
        """Take back a connection in any state, and end what it is in the middle of while nobody waits for that."""
        self._overdue.forget(connection)
        if connection.driver.is_closed():
            self._drop(connection)
        else:
            self._start(self._settle(connection))

    def renew(self) -> None:
        """Use no connection any more that is open by now; what one has missed, those that are as old have missed too.

        It may be a restart of the server, or a migration.
        """
        self._renewed_at = time.monotonic()

    async def settled(self) -> None:
        """Wait until everything that nobody waited for has ended."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """Lend a connection as the driver has it, for what is neither a read nor a write of a tenant."""
        connection = await self.acquire()
        try:
            yield connection.driver
        finally:
            self.settle(connection)

    async def acquire(self) -> ReadConnection:
        """Take a connection; give it back by `release` or `settle`.

        Raises:
            TimeoutError: None came free in time.
            OSError: There is no server.
            Overloaded: The pool is closing.
        """
        if self._closed is not None:
            raise Overloaded("The server is stopping; try again in a moment.")
        connection = self._taken()
        if connection is not None:
            return connection
        if self.size < self.settings.at_most:
            self._opening += 1
            return await self._open()
        return await self._wait()

    def _taken(self) -> ReadConnection | None:
        """Take a free connection; None where there is none."""
        now = time.monotonic()
        while self._free:
            connection = self._free.pop()
            if now - connection.idle_since < IDLE_SECONDS and self._is_good(connection, now):
                return connection
            self._drop(connection)
        return None

    async def close(self) -> None:
        """Close every connection; those still in use after a while are cut off."""
        self._closed = asyncio.Event()
        for waiter in self._waiters:
            if not waiter.future.done():
                waiter.future.set_exception(Overloaded("The server is stopping; try again in a moment."))
        while self._free:
            self._drop(self._free.pop())
        self._note_empty()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.settings.timeout_seconds):
                await self._closed.wait()
                await self.settled()
        for connection in list(self._connections):
            connection.driver.terminate()
        self._connections.clear()
        self._overdue.close()
        for task in list(self._tasks):
            task.cancel()
        await self.settled()

    async def _first(
        self,
        compiled: Compiled,
        arguments: Sequence[Any],
        scope: Scope | None,
        *,
        alone: bool,
        is_last: bool = False,
    ) -> tuple[ReadConnection, list[Row]]:
        """Run a first statement, once more on a new connection if the one it ran on turns out to be of no use."""
        connection = self._taken() or await self.acquire()
        until = time.monotonic() + self.settings.statement_seconds if scope is None else scope.until
        self.expect(connection, until)
        try:
            return connection, await connection.fetch_first(compiled, arguments, scope, alone=alone)
        except BaseException as error:
            is_outdated = isinstance(error, _OUTDATED) or connection.driver.is_closed()
            self.settle(connection)
            if is_last or not is_outdated or not isinstance(error, Exception) or time.monotonic() > until:
                raise
        # Nothing of the transaction was seen yet, and a read may be done twice.
        self.renew()
        return await self._first(compiled, arguments, scope, alone=alone, is_last=True)

    def _is_good(self, connection: ReadConnection, now: float) -> bool:
        opened_at = connection.opened_at
        return (
            self._closed is None
            and now - opened_at < LIFETIME_SECONDS
            and opened_at > self._renewed_at
            and not connection.driver.is_closed()
        )

    async def _open(self) -> ReadConnection:
        """Open a connection in the place that was counted as opening."""
        driver = None
        try:
            async with asyncio.timeout(self.settings.timeout_seconds):
                driver = await self._connect()
                connection = await ReadConnection.of(
                    driver, is_pipelined=self.settings.is_pipelined, is_prepared=self.settings.is_prepared
                )
        except BaseException as error:
            if driver is not None:
                driver.terminate()
            self._leave_place()
            if type(error) is asyncpg.InterfaceError:
                # What the driver says of a connection that is lost while it is being opened.
                raise asyncpg.ConnectionDoesNotExistError(str(error)) from error
            raise
        self._opening -= 1
        self._connections.add(connection)
        return connection

    async def _wait(self) -> ReadConnection:
        waiter = _Waiter(time.monotonic(), asyncio.get_running_loop().create_future())
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(self.settings.timeout_seconds):
                connection = await waiter.future
        except BaseException:
            self._leave_queue(waiter)
            raise
        return await self._open() if connection is None else connection

    def _leave_queue(self, waiter: "_Waiter") -> None:
        """Pass on what the waiter was given in the moment in which it stopped waiting."""
        if waiter in self._waiters:
            self._waiters.remove(waiter)
        future = waiter.future
        if not future.done() or future.cancelled() or future.exception() is not None:
            return
        connection = future.result()
        if connection is None:
            self._leave_place()
        else:
            self.release(connection)

    def _leave_place(self) -> None:
        self._opening -= 1
        self._offer_place()

    def _drop(self, connection: ReadConnection) -> None:
        if connection not in self._connections:
            return
        self._connections.remove(connection)
        if connection.driver.is_closed():
            connection.driver.terminate()
        else:
            self._start(self._hang_up(connection))
        self._offer_place()

    def _offer_place(self) -> None:
        """Let the first in the queue open a connection in a place that has become free."""
        while self._waiters:
            future = self._waiters.popleft().future
            if not future.done():
                self._opening += 1
                future.set_result(None)
                return
        self._note_empty()

    def _note_empty(self) -> None:
        if self._closed is not None and not self.size:
            self._closed.set()

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _settle(self, connection: ReadConnection) -> None:
        began = time.monotonic()
        with contextlib.suppress(Exception):
            try:
                async with asyncio.timeout(SETTLE_SECONDS):
                    await connection.end(timeout_seconds=SETTLE_SECONDS)
            except BaseException:
                # Nobody knows whether it is in a transaction, or whose.
                connection.driver.terminate()
                if began > self._heard_at:
                    # The server has answered on no other connection either: each may be lost without our knowing.
                    self.renew()
                raise
            finally:
                self.release(connection)

    async def _hang_up(self, connection: ReadConnection) -> None:
        with contextlib.suppress(Exception):
            await connection.driver.close(timeout=self.settings.timeout_seconds)
