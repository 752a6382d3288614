"""PostgreSQL: pools, one snapshot per operation for reads, blocks for writes, one tenant in each."""

import asyncio
import dataclasses
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Self

import asyncpg
import orjson
from sqlalchemy import event, text
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.sql import Executable

from core.driver_errors import check_texts, session_told, told
from core.statements import Row, compile_statement

APPLICATION_ROLE = "galleria_app"
"""The role that owns nothing and that every policy is written for."""

_STATEMENTS_PER_CONNECTION = 500
"""Prepared statements that the driver keeps a connection; each costs the server some 20 KiB."""

_SET_LOCALLY = text("SELECT set_config('app.shop_id', :shop, true), set_config('statement_timeout', :timeout, true)")

Transaction = AsyncSession
"""What a write block hands out; `await transaction.commit()` is its last line."""


@dataclasses.dataclass(slots=True)
class Statistics:
    """What an operation asked of the database."""

    statements: int = 0
    rows: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Database:
    """The pools of a process.

    Attributes:
        reads: Connections for reads, asyncpg's own.
        writes: Engine for writes.
        acquire_timeout_seconds: How long an operation waits for a connection before it is told to come back later.
    """

    reads: asyncpg.Pool
    writes: AsyncEngine
    acquire_timeout_seconds: float

    @classmethod
    def of(cls, url: str, *, pool_size: int = 10, acquire_timeout_seconds: float = 5.0) -> Self:
        """Describe the pools without connecting; `open` does.

        Args:
            url: `postgresql://user:password@host:port/database` of a role that is, or may become, `galleria_app`.
            pool_size: Connections for reads; writes have half as many of their own.
            acquire_timeout_seconds: See the class.
        """
        parts = make_url(url)
        settings = {"application_name": "galleria", "jit": "off"}
        if parts.username != APPLICATION_ROLE:
            settings["role"] = APPLICATION_ROLE
        reads = asyncpg.create_pool(
            url,
            min_size=1,
            max_size=pool_size,
            init=_prepare_connection,
            reset=_keep_session,
            server_settings=settings,
            statement_cache_size=_STATEMENTS_PER_CONNECTION,
            max_cached_statement_lifetime=0,
        )
        writes = create_async_engine(
            parts.set(drivername="postgresql+asyncpg"),
            pool_size=max(2, pool_size // 2),
            max_overflow=0,
            pool_timeout=acquire_timeout_seconds,
            connect_args={"server_settings": settings},
            json_serializer=lambda value: orjson.dumps(value).decode(),
            json_deserializer=orjson.loads,
        )
        return cls(reads, writes, acquire_timeout_seconds)

    @classmethod
    async def connect(cls, url: str, *, pool_size: int = 10, acquire_timeout_seconds: float = 5.0) -> Self:
        """Open the pools; see `of`."""
        database = cls.of(url, pool_size=pool_size, acquire_timeout_seconds=acquire_timeout_seconds)
        await database.open()
        return database

    async def open(self) -> None:
        """Connect."""
        await self.reads

    async def close(self) -> None:
        """Close every connection; those still in use after a while are cut off."""
        await self.writes.dispose()
        try:
            await asyncio.wait_for(self.reads.close(), self.acquire_timeout_seconds)
        except TimeoutError:
            self.reads.terminate()

    def of_tenant(self, tenant: uuid.UUID, *, statement_timeout_seconds: float = 10.0) -> "TenantDatabase":
        """Return the part of the database that one tenant sees, for one operation.

        Args:
            tenant: The tenant.
            statement_timeout_seconds: From now on; a transaction that begins later has what is left of it.
        """
        return TenantDatabase(self, tenant, statement_timeout_seconds)

    async def fetch_platform(self, statement: Executable, **values: Any) -> list[Row]:
        """Run a statement that needs no tenant: the look-up of the tenant itself."""
        compiled = compile_statement(statement)
        connection = await self.acquire()
        try:
            with told():
                rows: list[Row] = await connection.fetch(
                    compiled.text, *compiled.arguments(values), record_class=compiled.row
                )
        finally:
            await self.reads.release(connection)
        return rows

    async def acquire(self) -> asyncpg.Connection:
        """Take a connection for reads.

        Raises:
            Overloaded: None came free in time, or there is no database.
        """
        with told():
            return await self.reads.acquire(timeout=self.acquire_timeout_seconds)

    async def ping(self) -> None:
        """Ask the server for a sign of life."""
        async with self.reads.acquire(timeout=self.acquire_timeout_seconds) as connection:
            await connection.execute("SELECT")


class TenantDatabase:
    """Reads and writes of one tenant within one operation.

    All reads between two writes see one snapshot: the first opens a REPEATABLE READ READ ONLY transaction in which
    row-level security knows the tenant, `close` or `write` ends it.

    Attributes:
        tenant: The tenant.
        statistics: What was asked so far.
    """

    __slots__ = (
        "_connection",
        "_database",
        "_is_closed",
        "_lock",
        "_on_write",
        "_reader",
        "_until",
        "statistics",
        "tenant",
    )

    def __init__(self, database: Database, tenant: uuid.UUID, statement_timeout_seconds: float) -> None:
        self.tenant = tenant
        self.statistics = Statistics()
        self._database = database
        self._connection: asyncpg.Connection | None = None
        self._lock = asyncio.Lock()
        self._reader: asyncio.Task[Any] | None = None
        self._is_closed = False
        self._on_write: list[Callable[[], None]] = []
        self._until = time.monotonic() + statement_timeout_seconds

    async def fetch(self, statement: Executable, **values: Any) -> list[Row]:
        """Run a read.

        Args:
            statement: From `models`; the same object each time for the same shape.
            values: Value of each named parameter; more than the statement names do no harm.

        Returns:
            The rows, in the statement's order.

        Raises:
            BadUserInput: A text holds a character that PostgreSQL has no place for.
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
                with told():
                    connection = self._connection or await self._open()
                    rows: list[Row] = await connection.fetch(compiled.text, *arguments, record_class=compiled.row)
            finally:
                self._reader = None
        self.statistics.statements += 1
        self.statistics.rows += len(rows)
        return rows

    async def fetch_one(self, statement: Executable, **values: Any) -> Row | None:
        """Run a read of one row at most; None where there is none."""
        rows = await self.fetch(statement, **values)
        return rows[0] if rows else None

    def on_write(self, callback: Callable[[], None]) -> None:
        """Call back when a write block begins, since everything read before it may be stale after it."""
        self._on_write.append(callback)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Transaction]:
        """Open a write block.

        The block's last line is `await transaction.commit()`; leaving without it rolls back.

        Raises:
            ConstraintViolated: The database refused a row; nothing of the block is kept.
            Contended: It gave way to another transaction; nothing is kept, and the block may be run again.
            Overloaded: No connection came free in time.
        """
        await self._end_snapshot()
        for callback in self._on_write:
            callback()
        async with AsyncSession(self._database.writes, expire_on_commit=False) as transaction:
            with told():
                connection = await transaction.connection()
                event.listen(connection.sync_connection, "before_cursor_execute", self._count)
                await transaction.execute(_SET_LOCALLY, {"shop": str(self.tenant), "timeout": self._timeout()})
            with session_told():
                yield transaction

    async def close(self) -> None:
        """End the operation: cancel what is still read, give the connection back, and read no more."""
        self._is_closed = True
        await self._end_snapshot()

    async def _end_snapshot(self) -> None:
        """End the transaction and give the connection back; a later read opens a new one."""
        if self._reader is not None:
            # Batches run in tasks of their own, which outlive the operation that asked for them.
            self._reader.cancel()
        async with self._lock:
            connection, self._connection = self._connection, None
            if connection is None:
                return
            try:
                if connection.is_in_transaction():
                    await connection.execute("COMMIT")
            except BaseException:
                connection.terminate()
                raise
            finally:
                await self._database.reads.release(connection)

    def _timeout(self) -> str:
        """Return what is left of the operation's time, in milliseconds."""
        return str(max(1, int((self._until - time.monotonic()) * 1000)))

    def _count(self, *_: Any) -> None:
        self.statistics.statements += 1

    async def _open(self) -> asyncpg.Connection:
        connection = await self._database.acquire()
        try:
            await connection.execute(
                "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "
                f"SET LOCAL app.shop_id = '{self.tenant}'; SET LOCAL statement_timeout = {self._timeout()}"
            )
        except BaseException:
            # Nobody knows whether it is in a transaction, or whose.
            connection.terminate()
            await self._database.reads.release(connection)
            raise
        self._connection = connection
        return connection


async def _prepare_connection(connection: asyncpg.Connection) -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(
            name, encoder=lambda value: orjson.dumps(value).decode(), decoder=orjson.loads, schema="pg_catalog"
        )


async def _keep_session(_: asyncpg.Connection) -> None:
    """Replace the driver's RESET ALL, one round trip an operation: our settings end with the transaction."""
