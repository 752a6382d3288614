"""Batches: how a relation is read for many parents at once.

A relation is declared once, as `one(...)`, `many(...)` or `page(...)` over a statement of `models`, and serves every
parent of an operation with one statement.
"""

import dataclasses
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiodataloader import DataLoader
from sqlalchemy.sql import Executable

from core.database import TenantDatabase
from core.pagination import CursorCodec, Page, PageRequest
from core.statements import Row
from models.scopes import Scope, Shape

Key = uuid.UUID
Statement = Callable[[Shape], Executable]
Fetch = Callable[[TenantDatabase, list[Key], Scope, Mapping[str, Any]], Awaitable[Sequence[Any]]]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Relation:
    """How children are read by the keys of their parents.

    Attributes:
        fetch: Takes the keys of a batch, what is seen, and the arguments of the field; returns one result a key, in
            their order.
    """

    fetch: Fetch


class Batch(DataLoader[Key, Any]):
    """The loader of one relation with one scope and one set of arguments, within one operation."""

    def __init__(
        self, relation: Relation, database: TenantDatabase, scope: Scope, arguments: Mapping[str, Any]
    ) -> None:
        super().__init__()
        self._relation = relation
        self._database = database
        self._scope = scope
        self._arguments = arguments

    async def batch_load_fn(self, keys: list[Key]) -> list[Any]:
        """Read all keys with one statement."""
        return list(await self._relation.fetch(self._database, keys, self._scope, self._arguments))


def one(statement: Statement, *, by: str = "id") -> Relation:
    """Declare a to-one relation.

    Args:
        statement: Rows for the keys in `keys`; at most one a key.
        by: The column that holds the key.

    Returns:
        A relation that gives a row, or None.
    """

    async def fetch(
        database: TenantDatabase, keys: list[Key], scope: Scope, arguments: Mapping[str, Any]
    ) -> Sequence[Row | None]:
        rows = await _rows(database, statement(scope.shape), keys, scope, arguments)
        found = {row[by]: row for row in rows}
        return [found.get(key) for key in keys]

    return Relation(fetch)


def many(statement: Statement, *, by: str) -> Relation:
    """Declare a bounded to-many relation.

    Args:
        statement: Rows for the keys in `keys`, in the order wanted within a key, bounded a key.
        by: The column that holds the key.

    Returns:
        A relation that gives a list of rows, which may be empty.
    """

    async def fetch(
        database: TenantDatabase, keys: list[Key], scope: Scope, arguments: Mapping[str, Any]
    ) -> Sequence[list[Row]]:
        rows = await _rows(database, statement(scope.shape), keys, scope, arguments)
        return _grouped(rows, by, keys)

    return Relation(fetch)


@dataclasses.dataclass(frozen=True, slots=True)
class Paging:
    """What a page of children needs beside its keys.

    Attributes:
        request: Which page.
        codec: Makes the cursors.
        order: Name of the order, one that the relation knows.
    """

    request: PageRequest
    codec: CursorCodec
    order: str = ""


PageStatement = Callable[[Shape, str, bool, bool], Executable]
"""Takes shape, order, direction (forward) and whether a cursor is given."""


def page(statement: PageStatement, *, by: str, count: Statement | None = None) -> Relation:
    """Declare a to-many relation that is read in keyset pages.

    Args:
        statement: Rows for the keys in `keys`, at most `limit` a key, with their sort value as `sort_key`, after the
            row that `cursor_key` and `cursor_id` name.
        by: The column that holds the key.
        count: Rows of a key and its `total`.

    Returns:
        A relation that gives a `core.pagination.Page`; its field passes a `Paging` as the argument `paging`.
    """
    total = one(count, by=by) if count else None

    async def fetch(
        database: TenantDatabase, keys: list[Key], scope: Scope, arguments: Mapping[str, Any]
    ) -> Sequence[Page]:
        paging: Paging = arguments["paging"]
        request = paging.request
        shaped = statement(scope.shape, paging.order, request.forward, request.cursor is not None)
        values = {**arguments, **cursor_values(request)}
        rows = _grouped(await _rows(database, shaped, keys, scope, values), by, keys)
        totals = Batch(total, database, scope, arguments) if total else None
        return [page_of(group, paging, counter(totals, key)) for key, group in zip(keys, rows, strict=True)]

    return Relation(fetch)


def cursor_values(request: PageRequest) -> dict[str, Any]:
    """Return the values that a page's statement is given: limit, cursor_key and cursor_id."""
    values: dict[str, Any] = {"limit": request.size + 1}
    if request.cursor is not None:
        sort_key, row_id = request.cursor
        # A statement takes the key as text and casts it to the type of its column.
        values |= {"cursor_key": str(sort_key), "cursor_id": uuid.UUID(row_id)}
    return values


def page_of(rows: list[Row], paging: Paging, count: Callable[[], Awaitable[int]]) -> Page:
    """Cut the rows of a statement, which has read one more than wanted, to a page."""
    request = paging.request
    more = len(rows) > request.size
    rows = rows[: request.size]
    if not request.forward:
        rows.reverse()
    return Page(
        rows=rows,
        has_next_page=more if request.forward else request.cursor is not None,
        has_previous_page=request.cursor is not None if request.forward else more,
        codec=paging.codec,
        count=count,
    )


def counter(totals: Batch | None, key: Key) -> Callable[[], Awaitable[int]]:
    """Return the function that counts all rows of a key when a client asks."""

    async def count() -> int:
        if totals is None:
            raise LookupError("this relation declares no count")
        row = await totals.load(key)
        return row.total if row is not None else 0

    return count


async def _rows(
    database: TenantDatabase, statement: Executable, keys: list[Key], scope: Scope, arguments: Mapping[str, Any]
) -> list[Row]:
    return await database.fetch(
        statement, **{**arguments, "keys": keys, "channel": scope.channel_id, "locale": scope.locale}
    )


def _grouped(rows: list[Row], by: str, keys: list[Key]) -> list[list[Row]]:
    groups: dict[Key, list[Row]] = {key: [] for key in keys}
    for row in rows:
        groups[row[by]].append(row)
    return [groups[key] for key in keys]
