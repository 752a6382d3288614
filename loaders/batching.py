"""Relations: how children are read by the keys of their parents.

A relation is declared once, as `one(...)`, `many(...)` or `page(...)` over a statement of `models`. It serves every
parent of an operation with one statement, and can be carried by the statement that reads the parents (`carrying`).
"""

import dataclasses
import enum
import functools
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from core.database import TenantDatabase
from core.pagination import CursorCodec, Page, PageRequest
from core.statements import Row
from loaders.batches import Batch
from models.base import ANY_KEY, Key, Statement, per_key
from models.joining import Joint
from models.keysets import PageForm
from models.scopes import Scope, Shape

Fetch = Callable[[TenantDatabase, list[uuid.UUID], Scope, Mapping[str, Any]], Awaitable[Sequence[Any]]]
OfKey = Callable[[Shape, Key], Statement]
"""Returns the children of a key."""

PageOfKey = Callable[[Shape, PageForm, Key], Statement]
"""Returns a page of the children of a key.

At most `limit` rows with their sort value as `sort_key`, after the row that `cursor_key` and `cursor_id` name.
"""


class Kind(enum.Enum):
    """What a relation gives for a key."""

    ONE = "one"
    MANY = "many"
    PAGE = "page"


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Relation:
    """How children are read by the keys of their parents.

    Attributes:
        kind: What is given for a key: a row or None, a list of rows, a `core.pagination.Page`.
        fetch: Takes the keys of a batch, what is seen, and the arguments of the field; returns one result a key, in
            their order.
        children: The statement of one key, from which both ways of reading are made.
        finish: Makes a page of the rows that a parent carries and the arguments of the field; None unless a page.
        carries: Whether the parent's statement can carry it.
        joint: How a parent's statement carries it at less cost than by `children`; None where it does not.
        present: Of a to-one relation: columns that are null where there is no row, and nowhere else.
    """

    kind: Kind
    fetch: Fetch
    children: PageOfKey
    finish: Callable[[Sequence[Any], Mapping[str, Any]], Page] | None = None
    carries: bool = True
    joint: Joint | None = None
    present: tuple[str, ...] = ()

    def batch(self, database: TenantDatabase, scope: Scope, arguments: Mapping[str, Any]) -> Batch:
        """Return the reads of this relation with a scope and arguments."""

        async def read(keys: list[Any]) -> Sequence[Any]:
            return await self.fetch(database, keys, scope, arguments)

        return Batch(read, absent=[] if self.kind is Kind.MANY else None)


def one(
    statement: OfKey, *, by: str = "id", joint: Joint | None = None, present: tuple[str, ...] = ("id",)
) -> Relation:
    """Declare a to-one relation.

    Args:
        statement: At most one row for a key; for any key of a batch, the rows of all.
        by: The column that holds the key.
        joint: The same for a parent's row that has the columns which this needs.
        present: Columns that are null where there is no row, and nowhere else.

    Returns:
        A relation that gives a row, or None.
    """

    @functools.cache
    def batched(shape: Shape) -> Statement:
        return statement(shape, ANY_KEY)

    async def fetch(
        database: TenantDatabase, keys: list[uuid.UUID], scope: Scope, arguments: Mapping[str, Any]
    ) -> Sequence[Row | None]:
        rows = await _rows(database, batched(scope.shape), keys, scope, arguments)
        found = {row[by]: row for row in rows}
        return [found.get(key) for key in keys]

    return Relation(Kind.ONE, fetch, _unpaged(statement), joint=joint, present=present)


def many(statement: OfKey) -> Relation:
    """Declare a bounded to-many relation.

    Args:
        statement: Rows of a key, in the order wanted, bounded.

    Returns:
        A relation that gives a list of rows, which may be empty.
    """

    @functools.cache
    def batched(shape: Shape) -> Statement:
        return per_key(functools.partial(statement, shape))

    async def fetch(
        database: TenantDatabase, keys: list[uuid.UUID], scope: Scope, arguments: Mapping[str, Any]
    ) -> Sequence[list[Row]]:
        return _grouped(await _rows(database, batched(scope.shape), keys, scope, arguments), keys)

    return Relation(Kind.MANY, fetch, _unpaged(statement))


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

    @property
    def form(self) -> PageForm:
        """What of this page decides its statement's text."""
        return PageForm(self.order, self.request.forward, self.request.cursor is not None)


def page(statement: PageOfKey, *, count: OfKey) -> Relation:
    """Declare a to-many relation that is read in keyset pages.

    Args:
        statement: See `PageOfKey`.
        count: One row with the `total` of a key.

    Returns:
        A relation that gives a `core.pagination.Page`; its field passes a `Paging` as the argument `paging`.
    """
    totals = many(count)

    @functools.lru_cache(maxsize=100)
    def batched(shape: Shape, form: PageForm) -> Statement:
        return per_key(functools.partial(statement, shape, form))

    async def fetch(
        database: TenantDatabase, keys: list[uuid.UUID], scope: Scope, arguments: Mapping[str, Any]
    ) -> Sequence[Page]:
        paging: Paging = arguments["paging"]
        values = {**arguments, **cursor_values(paging.request)}
        rows = _grouped(await _rows(database, batched(scope.shape, paging.form), keys, scope, values), keys)
        counted = totals.batch(database, scope, arguments)
        return [page_of(group, paging, _counter(counted, key)) for key, group in zip(keys, rows, strict=True)]

    return Relation(Kind.PAGE, fetch, statement, _finish)


def cursor_values(request: PageRequest) -> dict[str, Any]:
    """Return the values that a page's statement is given: limit, cursor_key and cursor_id."""
    values: dict[str, Any] = {"limit": request.size + 1}
    if request.cursor is not None:
        sort_key, row_id = request.cursor
        # A statement takes the key as text and casts it to the type of its column.
        values |= {"cursor_key": str(sort_key), "cursor_id": uuid.UUID(row_id)}
    return values


def page_of(
    rows: Sequence[Any], paging: Paging, count: Callable[[], Awaitable[int]], *, by_position: bool = False
) -> Page:
    """Cut the rows of a statement, which has read one more than wanted, to a page.

    Args:
        rows: In the statement's order.
        paging: Which page.
        count: Counts all rows of the listing.
        by_position: See `core.pagination.Page`.
    """
    request = paging.request
    more = len(rows) > request.size
    shown = list(rows[: request.size])
    if not request.forward:
        shown.reverse()
    return Page(
        rows=shown,
        has_next_page=more if request.forward else request.cursor is not None,
        has_previous_page=request.cursor is not None if request.forward else more,
        codec=paging.codec,
        count=count,
        by_position=by_position,
    )


def _finish(records: Sequence[Any], arguments: Mapping[str, Any]) -> Page:
    return page_of(records, arguments["paging"], _refuse_to_count, by_position=True)


async def _refuse_to_count() -> int:
    raise LookupError("a page that its parent carries cannot be counted: read one whose total is asked for by its key")


def _counter(totals: Batch, key: uuid.UUID) -> Callable[[], Awaitable[int]]:
    """Return the function that counts all rows of a key when a client asks."""

    async def count() -> int:
        (row,) = await totals.load(key)
        return int(row.total)

    return count


def _unpaged(statement: OfKey) -> PageOfKey:
    return lambda shape, _, key: statement(shape, key)


async def _rows(
    database: TenantDatabase, statement: Statement, keys: list[uuid.UUID], scope: Scope, arguments: Mapping[str, Any]
) -> list[Row]:
    return await database.fetch(
        statement, **{**arguments, "keys": keys, "channel": scope.channel_id, "locale": scope.locale}
    )


def _grouped(rows: list[Row], keys: list[uuid.UUID]) -> list[list[Row]]:
    groups: dict[uuid.UUID, list[Row]] = {key: [] for key in keys}
    for row in rows:
        groups[row["for_key"]].append(row)
    return [groups[key] for key in keys]
