"""PostgreSQL: pools, one snapshot per operation for reads, blocks for writes, one tenant in each."""

import asyncio
import contextlib
import dataclasses
import functools
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Self

from sqlalchemy import text
from sqlalchemy.sql import Executable

from core.connecting import connected
from core.driver_errors import READ_REFUSALS, check_texts, told, translated
from core.errors import GalleriaError
from core.read_pool import PoolSettings, ReadPool
from core.reading import ReadConnection, Scope
from core.statements import Compiled, Row, Statistics, compile_statement
from core.writing import Transaction

_ANYTHING = text("SELECT")

_JUST_NOW_SECONDS = 1.0
"""A server that has answered within this time need not be asked whether it does."""


@dataclasses.dataclass(frozen=True, slots=True)
class Database:
    """The pools of a process.

    Attributes:
        reads: Connections for reads.
        writes: Connections for writes.
        aside: One for what must not queue behind requests; opened when all for reads are in use.
    """

    reads: ReadPool
    writes: ReadPool
    aside: ReadPool

    @classmethod
    def of(
        cls,
        url: str,
        *,
        pool_size: int = 10,
        acquire_timeout_seconds: float = 5.0,
        statement_seconds: float = 10.0,
        is_prepared: bool = True,
    ) -> Self:
        """Describe the pools without connecting; `open` does.

        Args:
            url: `postgresql://user:password@host:port/database` of a role that is, or may become, `galleria_app`.
            pool_size: Connections for reads; writes have as many of their own. Each is opened when it is needed.
            acquire_timeout_seconds: How long an operation waits for a connection before it is told to come back later.
            statement_seconds: What a statement without a tenant may take.
            is_prepared: Let the server keep statements from one transaction to the next, which a pooler between us and
                the server may not allow.
        """
        connect = functools.partial(connected, url, is_prepared=is_prepared)
        pool = PoolSettings(
            at_most=pool_size,
            timeout_seconds=acquire_timeout_seconds,
            statement_seconds=statement_seconds,
            is_prepared=is_prepared,
        )
        one = dataclasses.replace(pool, at_most=1)
        return cls(ReadPool(connect, pool), ReadPool(connect, pool), ReadPool(connect, one))

    @classmethod
    async def connect(
        cls, url: str, *, pool_size: int = 10, acquire_timeout_seconds: float = 5.0, is_prepared: bool = True
    ) -> Self:
        """Open the pools; see `of`."""
        database = cls.of(
            url, pool_size=pool_size, acquire_timeout_seconds=acquire_timeout_seconds, is_prepared=is_prepared
        )
        await database.open()
        return database

    async def open(self) -> None:
        """Connect."""
        await self.reads.open()

    async def close(self) -> None:
        """Close every connection; those still in use after a while are cut off."""
        for pool in (self.aside, self.writes, self.reads):
            await pool.close()

    def of_tenant(
        self, tenant: uuid.UUID, *, statement_timeout_seconds: float = 10.0, actor: str = ""
    ) -> "TenantDatabase":
        """Return the part of the database that one tenant sees, for one operation.

        Args:
            tenant: The tenant.
            statement_timeout_seconds: From now on; a transaction that begins later has what is left of it.
            actor: Who writes, as events name them; empty where nobody is to be named.
        """
        return TenantDatabase(self, Scope(tenant, time.monotonic() + statement_timeout_seconds, actor))

    async def fetch_platform(self, statement: Executable, **values: Any) -> list[Row]:
        """Run a statement that needs no tenant: the look-up of the tenant itself."""
        compiled = compile_statement(statement)
        with told():
            return await self.reads.fetch(compiled, compiled.arguments(values))

    async def fetch_aside(self, statement: Executable) -> list[Row]:
        """Run a statement of the kind of `fetch_platform` without queuing behind requests."""
        compiled = compile_statement(statement)
        pool = self.aside if self.reads.is_used_up else self.reads
        with told():
            return await pool.fetch(compiled, compiled.arguments({}))

    async def ping(self) -> None:
        """Ask the server for a sign of life, without queuing behind requests.

        Raises:
            Overloaded: There is none.
        """
        await self.fetch_aside(_ANYTHING)

    def is_at_work(self) -> bool:
        """Tell whether all connections for reads are in use, and the server has just answered on one of them."""
        return self.reads.is_used_up and self.reads.has_heard(within_seconds=_JUST_NOW_SECONDS)


class TenantDatabase:
    """Reads and writes of one tenant within one operation.

    All reads between two writes see one snapshot: the first opens a REPEATABLE READ READ ONLY transaction in which
    row-level security knows the tenant, `close` or `write` ends it. A read that is alone needs none: it is a snapshot.

    Attributes:
        tenant: The tenant.
        statistics: What was asked so far.
        has_written: Whether a write block has begun.
        is_at_last_read: Whether the next read is the last, so that nothing has to see the same moment as it does.
        may_have_changed: Whether a block was written that may have changed the tenant itself.
    """

    __slots__ = (
        "_connection",
        "_database",
        "_is_closed",
        "_lock",
        "_on_write",
        "_reader",
        "_scope",
        "has_written",
        "is_at_last_read",
        "may_have_changed",
        "statistics",
        "tenant",
    )

    def __init__(self, database: Database, scope: Scope) -> None:
        self.tenant = scope.tenant
        self.statistics = Statistics()
        self.may_have_changed = False
        self._database = database
        self._connection: ReadConnection | None = None
        self._lock = asyncio.Lock()
        self._reader: asyncio.Task[Any] | None = None
        self._is_closed = False
        self.has_written = self.is_at_last_read = False
        self._on_write: list[Callable[[], None]] = []
        self._scope = scope

    async def fetch(self, statement: Executable | Compiled, *, alone: bool = False, **values: Any) -> list[Row]:
        """Run a read.

        Args:
            statement: From `models`; the same object each time for the same shape.
            alone: Nothing else is read by the operation, or need not see the same moment: where no transaction is
                open yet, the tenant travels in one message with the statement, and nothing stays open behind it.
            values: Value of each named parameter; more than the statement names do no harm.

        Returns:
            The rows, in the statement's order.

        Raises:
            BadUserInput: A text holds a character that PostgreSQL has no place for.
            DeadlineExceeded: The operation's time was over.
            Overloaded: No connection came free in time, or it was lost.
        """
        compiled = compile_statement(statement)
        values["shop"] = self.tenant
        arguments = compiled.arguments(values)
        check_texts(arguments)
        async with self._lock:
            if self._is_closed:
                # Whoever waits for these rows has gone, and nobody would give the connection back.
                raise asyncio.CancelledError("the operation has ended")
            self._reader = asyncio.current_task()
            try:
                rows = await self._read(compiled, arguments, alone=alone or self.is_at_last_read)
            except READ_REFUSALS as error:
                raise translated(error) or error from error
            finally:
                self._reader = None
        self.statistics.statements += 1
        self.statistics.rows += len(rows)
        return rows

    async def fetch_one(self, statement: Executable | Compiled, *, alone: bool = False, **values: Any) -> Row | None:
        """Run a read of one row at most; None where there is none."""
        rows = await self.fetch(statement, alone=alone, **values)
        return rows[0] if rows else None

    def on_write(self, callback: Callable[[], None]) -> None:
        """Call back when a write block begins, since everything read before it may be stale after it."""
        self._on_write.append(callback)

    @asynccontextmanager
    async def write(self, *, spares_tenant: bool = False) -> AsyncIterator[Transaction]:
        """Open a write block.

        The block's last line is `await transaction.commit()`; leaving without it rolls back.

        Args:
            spares_tenant: What is known of the tenant itself is as before when the block is over.

        Raises:
            ConstraintViolated: The database refused a row; nothing of the block is kept.
            Contended: It gave way to another transaction; nothing is kept, and the block may be run again.
            Overloaded: No connection came free in time.
        """
        await self._end_snapshot()
        self.has_written = True
        self.may_have_changed |= not spares_tenant
        for callback in self._on_write:
            callback()
        writes = self._database.writes
        with told():
            connection = await writes.acquire()
        writes.expect(connection, self._scope.until)
        transaction = Transaction(connection, self._scope, self.statistics)
        try:
            yield transaction
        except Exception:
            with contextlib.suppress(GalleriaError):
                await transaction.end()
            raise
        else:
            await transaction.end()
        finally:
            if connection.driver.is_closed():
                writes.renew()
            # Who is cancelled does not wait for the end.
            (writes.settle if transaction.is_open else writes.release)(connection)

    async def renew(self) -> None:
        """Let what is read from now on be of a later moment."""
        await self._end_snapshot()

    async def close(self) -> None:
        """End the operation: cancel what is still read, read no more, and give the connection back.

        The transaction ends after that, while nobody waits for it: it only read, so there is nothing to lose.
        """
        self._is_closed = True
        if self._connection is not None or self._reader is not None or self._lock.locked():
            await self._end_snapshot()

    async def _end_snapshot(self) -> None:
        """End the transaction and give the connection back; a later read opens a new one."""
        if self._reader is not None:
            # Batches run in tasks of their own, which outlive the operation that asked for them.
            self._reader.cancel()
        try:
            async with self._lock:
                pass
        finally:
            # Whoever is cancelled while he waits for the lock does not come back for it.
            connection, self._connection = self._connection, None
            if connection is not None:
                self._database.reads.settle(connection)

    async def _read(self, compiled: Compiled, arguments: list[Any], *, alone: bool) -> list[Row]:
        reads, connection = self._database.reads, self._connection
        if connection is not None:
            return await connection.fetch(compiled, arguments)
        if alone:
            return await reads.fetch(compiled, arguments, self._scope)
        self._connection, rows = await reads.begin(compiled, arguments, self._scope)
        return rows
