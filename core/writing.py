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

    Attributes:
        driver: The connection as the driver has it, for what only the driver can do.
        is_open: Whether the server may still be in the transaction.
    """

    __slots__ = ("_connection", "_statistics", "driver", "is_open")

    def __init__(self, connection: ReadConnection, statistics: Statistics) -> None:
        self.driver = connection.driver
        self._connection = connection
        self._statistics = statistics
        self.is_open = False

    async def begin(self, scope: Scope) -> None:
        """Begin, for a tenant; `TenantDatabase.write` does it.

        Raises:
            Overloaded: The connection was lost.
        """
        self.is_open = True
        await self._command(
            f"BEGIN; SET LOCAL app.shop_id = '{scope.tenant}'; "
            f"SET LOCAL statement_timeout = {scope.milliseconds}; SET LOCAL jit = off"
        )

    async def end(self) -> None:
        """Undo what was not committed; `TenantDatabase.write` does it."""
        if self.is_open:
            await self._command("ROLLBACK")
            self.is_open = False

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
            return Rows(await self._connection.fetch(compiled, arguments))
        except _OUTDATED as error:
            self.driver.terminate()
            raise Contended("The database has just been changed; try again.") from error
        except Exception as error:
            raise translated(error) or error from error

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
            if not self.driver.is_closed():
                await self._command(f"ROLLBACK TO SAVEPOINT {_SAVEPOINT}; RELEASE SAVEPOINT {_SAVEPOINT}")
            raise
        await self._command(f"RELEASE SAVEPOINT {_SAVEPOINT}")

    async def commit(self) -> None:
        """Keep what was done.

        Raises:
            ConstraintViolated: A constraint that is checked now refused it.
            Overloaded: The connection was lost; nobody knows whether it was kept.
        """
        status = await self._command("COMMIT")
        self.is_open = False
        if status != "COMMIT":
            message = "a statement of the block had failed: leave the block in place of committing"
            raise RuntimeError(message)

    async def _command(self, text: str) -> str:
        if self.driver.is_closed():
            raise Overloaded("The server is busy; try again in a moment.")
        try:
            return str(await self.driver.execute(text))
        except Exception as error:
            raise translated(error) or error from error


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
