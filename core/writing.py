"""A write block: statements in a tenant's transaction, and their rows."""

import functools
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy import Table, TextClause, bindparam, insert, inspect
from sqlalchemy.sql import Executable

from core.driver_errors import translated
from core.errors import Contended, Overloaded
from core.reading import ReadConnection, Scope
from core.statements import Bound, Compiled, Row, Statistics, compile_statement, compile_with_values

_OUTDATED = (asyncpg.InvalidCachedStatementError, asyncpg.OutdatedSchemaCacheError)
"""The connection knows a table as it was before a migration."""

_SAVEPOINT = "galleria"
"""Of several with one name PostgreSQL takes the last."""


class Rows(list[Row]):
    """What a statement returned, in its order."""

    def first(self) -> Row | None:
        """Return the first row, if any."""
        return self[0] if self else None

    def one(self) -> Row:
        """Return the only row."""
        (only,) = self
        return only

    def one_or_none(self) -> Row | None:
        """Return the only row, if any."""
        return self.one() if self else None

    def scalars(self) -> list[Any]:
        """Return the first column."""
        return [row[0] for row in self]

    def scalar_one(self) -> Any:
        """Return the first column of the only row."""
        return self.one()[0]

    def scalar(self) -> Any:
        """Return the first column of the only row; None where there is none."""
        return self.one()[0] if self else None


class Transaction:
    """What a write block hands out; `await transaction.commit()` is its last line.

    It begins with its first statement, in one message.

    Attributes:
        is_open: Whether the server may be in the transaction.
    """

    __slots__ = ("_connection", "_scope", "_statistics", "is_open")

    def __init__(self, connection: ReadConnection, scope: Scope, statistics: Statistics) -> None:
        self._connection = connection
        self._scope = scope
        self._statistics = statistics
        self.is_open = False

    async def driver(self) -> asyncpg.Connection:
        """Return the connection as the driver has it, for what only the driver can do."""
        if not self.is_open:
            self.is_open = True
            await self._connection.begin_block(self._scope)
        return self._connection.driver

    async def execute(self, statement: Executable | Bound, values: Mapping[str, Any] | None = None) -> Rows:
        """Run a statement.

        Args:
            statement: From `models`.
            values: Of its named parameters, where it does not hold them itself.

        Raises:
            ConstraintViolated: The database refused a row.
            Contended: It gave the transaction up in favour of another.
            DeadlineExceeded: The operation's time was over.
            Overloaded: The connection was lost.
        """
        compiled, arguments = _with_arguments(statement, values)
        self._statistics.statements += 1
        try:
            if self.is_open:
                return Rows(await self._connection.fetch(compiled, arguments))
            self.is_open = True
            return Rows(await self._connection.fetch_in_block(compiled, arguments, self._scope))
        except _OUTDATED as error:
            self._connection.driver.terminate()
            raise Contended("The database has just been changed; try again.") from error
        except Exception as error:
            raise self._meant(error) from error

    async def add(self, *rows: Any) -> None:
        """Insert entities, one after another; they hold afterwards what the database has filled in."""
        for row in rows:
            mapper = inspect(type(row))
            names = {mapper.columns[name].name: name for name in vars(row) if name in mapper.columns}
            values = {column: getattr(row, name) for column, name in names.items()}
            found = (await self.execute(_inserting(mapper.local_table, frozenset(values)), values)).one()
            for name, column in mapper.columns.items():
                setattr(row, name, found[column.name])

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """Undo what the block did when it raises, and nothing else of the transaction."""
        await self._command(f"SAVEPOINT {_SAVEPOINT}")
        try:
            yield
        except Exception:
            if not self._connection.driver.is_closed():
                await self._command(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}; RELEASE SAVEPOINT {_SAVEPOINT}")
            raise
        await self._command(f"RELEASE SAVEPOINT {_SAVEPOINT}")

    async def commit(self) -> None:
        """Keep what was done.

        Raises:
            ConstraintViolated: A constraint that is checked now refused it.
            Overloaded: The connection was lost; nobody knows whether it was kept.
        """
        if self.is_open and await self._command("COMMIT") != "COMMIT":
            message = "a statement of the block had failed: leave the block in place of committing"
            raise RuntimeError(message)
        self.is_open = False

    async def end(self) -> None:
        """Undo what was not committed; `TenantDatabase.write` does it."""
        if self.is_open:
            await self._command("ROLLBACK")
            self.is_open = False

    async def _command(self, text: str) -> str:
        if self._connection.driver.is_closed():
            raise Overloaded("The server is busy; try again in a moment.")
        try:
            return str(await (await self.driver()).execute(text))
        except Exception as error:
            raise self._meant(error) from error

    def _meant(self, error: Exception) -> Exception:
        # What the server says when it ends a connection on which nothing runs confuses asyncpg.
        is_lost = self._connection.driver.is_closed()
        return translated(error) or (Overloaded("The server is busy; try again in a moment.") if is_lost else error)


@functools.cache
def _inserting(table: Table, columns: frozenset[str]) -> Executable:
    return insert(table).values({name: bindparam(name) for name in columns}).returning(*table.c)


def _with_arguments(statement: Executable | Bound, values: Mapping[str, Any] | None) -> tuple[Compiled, list[Any]]:
    if isinstance(statement, Bound):
        compiled = compile_statement(statement.statement)
        return compiled, compiled.arguments(statement.values)
    if values is None and not isinstance(statement, TextClause):
        return compile_with_values(statement)
    compiled = compile_statement(statement)
    return compiled, compiled.arguments(values or {})
