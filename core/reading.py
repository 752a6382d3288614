"""A connection for reads: its prepared statements, and how a tenant's transaction begins on it."""

import contextlib
import dataclasses
import time
import uuid
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, Self

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement

from core import pipelining
from core.statements import Compiled, Row

STATEMENTS_PER_CONNECTION = 500
"""Prepared statements that are kept a connection; each costs the server some 20 KiB."""

_LONGEST_TIMEOUT = 2**31 - 1
"""What PostgreSQL can hold, in milliseconds."""

_NOTHING = "SELECT"
"""A statement of no effect; asyncpg trips over the empty one."""

_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_BEGIN_BLOCK = "BEGIN"
_NAME_ACTOR = "SELECT set_config('app.actor', $1, true)"

# It returns no row, and everything that it sets ends with the transaction. Compiling a plan costs more than our
# statements take; said here and not when connecting, since poolers refuse settings that they do not know.
_ENTER_SHOP = (
    "SELECT WHERE set_config('app.shop_id', $1, true) IS NULL"
    " OR set_config('statement_timeout', $2, true) IS NULL"
    " OR set_config('jit', 'off', true) IS NULL"
)
_ENTER = f"{_ENTER_SHOP} OR set_config('transaction_read_only', 'on', true) IS NULL"
_ENTER_BLOCK = f"{_ENTER_SHOP} OR set_config('app.actor', $3, true) IS NULL"

_NAMED = {
    "galleria_begin": _BEGIN,
    "galleria_enter": _ENTER,
    "galleria_begin_block": _BEGIN_BLOCK,
    "galleria_enter_block": _ENTER_BLOCK,
}
_SCOPED = (("%b", 32), ("%10d", 10))


@dataclasses.dataclass(frozen=True, slots=True)
class _Openings:
    """What is sent in front of the first statement of a transaction.

    Attributes:
        alone: Enters a shop for one statement; a template.
        snapshot: Begins to read, and enters a shop; a template.
        block: Begins to write.
        enter_block: Comes before the messages that run `entering` with their parameters.
        entering: Name of the statement that enters a shop to write.
    """

    alone: bytes
    snapshot: bytes
    block: bytes
    enter_block: bytes
    entering: str


def _named() -> _Openings:
    alone = pipelining.messages("galleria_enter", *_SCOPED)
    return _Openings(
        alone=alone,
        snapshot=pipelining.messages("galleria_begin") + alone,
        block=pipelining.message("galleria_begin_block"),
        enter_block=b"",
        entering="galleria_enter_block",
    )


def _unnamed() -> _Openings:
    """Return the same with each text sent anew, for a pooler that leads each transaction to another session."""
    alone = pipelining.literal(pipelining.parsing(_ENTER)) + pipelining.messages("", *_SCOPED)
    return _Openings(
        alone=alone,
        snapshot=pipelining.literal(pipelining.parsing(_BEGIN)) + pipelining.messages("") + alone,
        block=pipelining.parsing(_BEGIN_BLOCK) + pipelining.message(""),
        enter_block=pipelining.parsing(_ENTER_BLOCK),
        entering="",
    )


_NAMED_OPENINGS, _UNNAMED_OPENINGS = _named(), _unnamed()


@dataclasses.dataclass(frozen=True, slots=True)
class Scope:
    """Whose rows may be seen, and for how long somebody waits for them.

    Attributes:
        tenant: The tenant.
        until: When nobody waits any longer, of `time.monotonic`.
        actor: Who writes, as events name them; empty where nobody is to be named.
    """

    tenant: uuid.UUID
    until: float
    actor: str = ""

    @property
    def milliseconds(self) -> int:
        """What is left of the time; PostgreSQL takes 0 for ever, so never less than 1."""
        return min(max(1, int((self.until - time.monotonic()) * 1000)), _LONGEST_TIMEOUT)

    @property
    def actor_text(self) -> bytes:
        """The actor without what PostgreSQL has no place for: a token's subject is any text."""
        return self.actor.encode(errors="replace").replace(b"\0", b"?")


class ReadConnection:
    """One connection of asyncpg's, used by one operation at a time.

    Attributes:
        driver: The connection.
        opened_at: When it was opened, of `time.monotonic`.
        idle_since: When it was last given back.
    """

    __slots__ = (
        "_is_pipelined",
        "_is_prepared",
        "_kept",
        "_openings",
        "_statements",
        "driver",
        "idle_since",
        "opened_at",
    )

    def __init__(self, driver: asyncpg.Connection, *, is_pipelined: bool, is_prepared: bool) -> None:
        self.driver = driver
        self.opened_at = self.idle_since = time.monotonic()
        self._is_pipelined = is_pipelined
        self._is_prepared = is_prepared
        self._openings = _NAMED_OPENINGS if is_prepared else _UNNAMED_OPENINGS
        self._statements: OrderedDict[tuple[str, type[Row]], PreparedStatement] = OrderedDict()
        self._kept: tuple[PreparedStatement, ...] = ()

    @classmethod
    async def of(cls, driver: asyncpg.Connection, *, is_pipelined: bool, is_prepared: bool = True) -> Self:
        """Prepare a connection that was just opened.

        Args:
            driver: The connection; it is closed when this fails.
            is_pipelined: Begin transactions in one message with their first statement.
            is_prepared: Let the server keep statements from one transaction to the next. Otherwise the driver was
                opened with a cache of no statements, so that it sends each text anew in front of its parameters.
        """
        connection = cls(driver, is_pipelined=is_pipelined, is_prepared=is_prepared)
        if is_pipelined and is_prepared:
            # Kept for ever: asyncpg closes what nobody refers to.
            connection._kept = tuple([await driver.prepare(text, name=name) for name, text in _NAMED.items()])
            await _sync(driver)
        return connection

    async def fetch(self, compiled: Compiled, arguments: Sequence[Any]) -> list[Row]:
        """Run a statement in the transaction that was begun, or without a tenant when there is none."""
        driver = self.driver
        if driver.is_closed():
            raise _lost()
        try:
            statement = self._known(compiled) or await self._prepared(compiled)
            return await self._run(statement, arguments)
        except asyncpg.InternalClientError as error:
            # What the server says when it ends a connection on which nothing runs confuses asyncpg.
            if not driver.is_closed():
                raise
            raise _lost() from error

    async def fetch_first(
        self, compiled: Compiled, arguments: Sequence[Any], scope: Scope | None, *, alone: bool
    ) -> list[Row]:
        """Run the first statement of a transaction, which begins with it.

        Args:
            compiled: The statement.
            arguments: Its parameters.
            scope: What holds until the transaction ends; None for a statement without a tenant.
            alone: End the transaction with the statement, at no cost; else it is REPEATABLE READ and stays open.
        """
        if scope is None:
            return await self.fetch(compiled, arguments)
        statement = self._known(compiled) or await self._prepared(compiled)
        if not self._is_pipelined:
            return await self._fetch_publicly(statement, arguments, scope, alone=alone)
        openings = self._openings
        behind = (openings.alone if alone else openings.snapshot) % (scope.tenant.hex.encode(), scope.milliseconds)
        return await pipelining.fetch(self.driver, statement, arguments, behind=behind)

    async def fetch_in_block(self, compiled: Compiled, arguments: Sequence[Any], scope: Scope) -> list[Row]:
        """Run the first statement of a write block, which begins with it."""
        if self.driver.is_closed():
            raise _lost()
        statement = self._known(compiled) or await self._prepared(compiled)
        if not self._is_pipelined:
            await self.begin_block(scope)
            return await self._run(statement, arguments)
        texts = scope.tenant.hex.encode(), b"%d" % scope.milliseconds, scope.actor_text
        openings = self._openings
        behind = openings.block + openings.enter_block + pipelining.message(openings.entering, *texts)
        return await pipelining.fetch(self.driver, statement, arguments, behind=behind)

    async def begin_block(self, scope: Scope) -> None:
        """Begin a write block without a statement."""
        await self.driver.execute(_begun(_BEGIN_BLOCK, scope))
        if scope.actor:
            await self.driver.execute(_NAME_ACTOR, scope.actor_text.decode())

    async def end(self, *, timeout_seconds: float) -> None:
        """End whatever the connection is in the middle of, so that nothing of it reaches the next operation."""
        driver = self.driver
        if not driver.is_in_transaction():
            # A cancelled or half-sent statement: only the answer to a Sync tells what it left.
            with contextlib.suppress(asyncpg.InFailedSQLTransactionError):
                await driver.execute(_NOTHING, timeout=timeout_seconds)
        if driver.is_in_transaction():
            await driver.execute("ROLLBACK", timeout=timeout_seconds)

    def _known(self, compiled: Compiled) -> PreparedStatement | None:
        statements, key = self._statements, (compiled.text, compiled.row)
        known = statements.get(key)
        if known is not None:
            statements.move_to_end(key)
        return known

    async def _prepared(self, compiled: Compiled) -> PreparedStatement:
        driver = self.driver
        is_outside = not driver.is_in_transaction()
        if is_outside and not self._is_prepared:
            # To learn of a type, the driver sets parameters of its session and sets them back: it must be one session.
            await driver.execute(_BEGIN)
        statement = await driver.prepare(compiled.text, record_class=compiled.row)
        if is_outside:
            # `prepare` leaves a snapshot behind, and a transaction's isolation is set before its first.
            await driver.execute(_NOTHING if self._is_prepared else "ROLLBACK")
        self._statements[compiled.text, compiled.row] = statement
        if len(self._statements) > STATEMENTS_PER_CONNECTION:
            self._statements.popitem(last=False)
        return statement

    async def _run(self, statement: PreparedStatement, arguments: Sequence[Any]) -> list[Row]:
        if self._is_pipelined:
            return await pipelining.fetch(self.driver, statement, arguments)
        rows: list[Row] = await statement.fetch(*arguments)
        return rows

    async def _fetch_publicly(
        self, statement: PreparedStatement, arguments: Sequence[Any], scope: Scope, *, alone: bool
    ) -> list[Row]:
        await self.driver.execute(_begun(_BEGIN, scope))
        rows = await self._run(statement, arguments)
        if alone:
            await self.driver.execute("COMMIT")
        return rows


def _begun(begin: str, scope: Scope) -> str:
    return (
        f"{begin}; SET LOCAL app.shop_id = '{scope.tenant}'; "
        f"SET LOCAL statement_timeout = {scope.milliseconds}; SET LOCAL jit = off"
    )


def _lost() -> asyncpg.PostgresConnectionError:
    return asyncpg.ConnectionDoesNotExistError("the connection was closed between two statements")


async def _sync(driver: asyncpg.Connection) -> None:
    """End the implicit transaction that `prepare`, which sends a Flush in place of a Sync, leaves open."""
    await driver.execute(_NOTHING)
