"""Writing rows: create, change and delete, alone or in bulk, for every kind of row alike.

What is special about a kind of row is said once, in its `Writable`.
"""

import dataclasses
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from core.ids import decode_id_of, new_id
from core.writing import Transaction
from models import constraints, writes
from models.base import Aggregate, Entity
from resolvers.blocks import Work, alone
from resolvers.context import Context
from resolvers.refusals import Outcome, Refused, conflict, input_path, not_found, required
from resolvers.texts import check_texts, slug_of


@dataclasses.dataclass(slots=True)
class Draft:
    """A row about to be written.

    Attributes:
        context: Of the operation.
        transaction: The write block.
        values: Columns and their values; a `prepare` may change them. After the write: those that did change.
        id: Of the row.
        before: The row as it was, locked; None for a new one.
        parent: The row that it is a part of, where its kind has one.
    """

    context: Context
    transaction: Transaction
    values: dict[str, Any]
    id: uuid.UUID
    before: Any = None
    parent: Any = None


Step = Callable[[Draft], Awaitable[None]]


@dataclasses.dataclass(frozen=True, slots=True)
class Writable:
    """A kind of row that clients write.

    Attributes:
        entity: Its table.
        type_name: Of its global ids.
        parent: Column and table of the row that it is a part of: without that, nobody can write it.
        prepare: Completes a draft, or raises `Refused`.
        settle: Does what follows from a row that was written.
        clear: Clears the way for a deletion, or raises `Refused` where a row must stay.
        product_of: Returns the product whose listings show a row.
    """

    entity: type[Entity]
    type_name: str
    parent: tuple[str, type[Entity]] | None = None
    prepare: Step | None = None
    settle: Step | None = None
    clear: Step | None = None
    product_of: Callable[[Draft], uuid.UUID] | None = None

    @property
    def is_versioned(self) -> bool:
        """Whether its rows have a version."""
        return issubclass(self.entity, Aggregate)


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """A change of a row.

    Attributes:
        global_id: Which row.
        values: Columns and their new values.
        expected: Version that the change was made from; None where the client does not care.
    """

    global_id: str
    values: Mapping[str, Any]
    expected: int | None = None


async def create(context: Context, what: Writable, values: Mapping[str, Any]) -> Outcome:
    """Insert a row."""
    return await alone(context, creating(context, what, values))


async def update(context: Context, what: Writable, change: Change) -> Outcome:
    """Change a row; what is as wanted already is no change, and makes no new version."""
    return await alone(context, changing(context, what, change))


async def delete(context: Context, what: Writable, global_id: str, expected: int | None) -> Outcome:
    """Delete a row; rows that can be restored are only marked."""
    return await alone(context, deleting(context, what, global_id, expected))


async def restore(context: Context, what: Writable, global_id: str) -> Outcome:
    """Undo the deletion of a row that was only marked."""
    touched: set[uuid.UUID] = set()
    row_id = decode_id_of(what.type_name, global_id)

    async def run(transaction: Transaction) -> uuid.UUID:
        draft = await _draft(context, transaction, what, row_id, deleted=True)
        draft.values = {"deleted_at": None}
        if draft.before.deleted_at is not None:
            await transaction.execute(writes.updated(what.entity, context.shop.id, draft.id, draft.values))
            await _settle(what, draft)
            touched.update(_product_of(what, draft))
        return draft.id

    return await alone(context, Work(run, what.entity, row_id=row_id, by_id=True, touched=touched))


def creating(context: Context, what: Writable, given: Mapping[str, Any]) -> Work:
    """Return the work of `create`; a value of None is as good as none."""
    touched: set[uuid.UUID] = set()

    async def run(transaction: Transaction) -> uuid.UUID:
        values = {name: value for name, value in given.items() if value is not None}
        draft = Draft(context, transaction, values, new_id())
        check_texts(draft.values, optional=_optional(what.entity))
        await _with_parent(what, draft)
        await _slug(what, draft)
        if what.prepare is not None:
            await what.prepare(draft)
        await transaction.execute(writes.inserted(what.entity, context.shop.id, {"id": draft.id, **draft.values}))
        await _settle(what, draft)
        touched.update(_product_of(what, draft))
        return draft.id

    order = given.get(what.parent[0]) if what.parent else given.get("name")
    return Work(run, what.entity, given, order=str(order), touched=touched)


def changing(context: Context, what: Writable, change: Change) -> Work:
    """Return the work of `update`."""
    touched: set[uuid.UUID] = set()
    row_id = decode_id_of(what.type_name, change.global_id)

    async def run(transaction: Transaction) -> uuid.UUID:
        draft = await _draft(context, transaction, what, row_id)
        _check_version(draft, change.expected)
        draft.values = _emptied(what.entity, change.values)
        check_texts(draft.values, optional=_optional(what.entity))
        if what.prepare is not None:
            await what.prepare(draft)
        draft.values = {name: value for name, value in draft.values.items() if value != draft.before[name]}
        if draft.values:
            await transaction.execute(writes.updated(what.entity, context.shop.id, draft.id, draft.values))
            await _settle(what, draft)
            touched.update(_product_of(what, draft))
        return draft.id

    return Work(run, what.entity, change.values, row_id, order=str(row_id), touched=touched)


def deleting(context: Context, what: Writable, global_id: str, expected: int | None) -> Work:
    """Return the work of `delete`."""
    touched: set[uuid.UUID] = set()
    row_id = decode_id_of(what.type_name, global_id)

    async def run(transaction: Transaction) -> uuid.UUID:
        draft = await _draft(context, transaction, what, row_id)
        _check_version(draft, expected)
        if what.clear is not None:
            await what.clear(draft)
        touched.update(_product_of(what, draft))
        if "deleted_at" in what.entity.__table__.c:
            draft.values = {"deleted_at": context.clock()}
            await transaction.execute(writes.updated(what.entity, context.shop.id, draft.id, draft.values))
        else:
            await transaction.execute(writes.deleted(what.entity, context.shop.id, draft.id))
            await transaction.execute(writes.translations_deleted(context.shop.id, draft.id))
        await _settle(what, draft)
        return draft.id

    return Work(run, what.entity, row_id=row_id, deletes=True, order=str(row_id), touched=touched)


async def _draft(
    context: Context,
    transaction: Transaction,
    what: Writable,
    row_id: uuid.UUID | None,
    *,
    deleted: bool = False,
) -> Draft:
    """Return a draft of an existing row, which is locked until the block ends."""
    if row_id is None:
        raise Refused(not_found("id"))
    shop_id = context.shop.id
    found = await transaction.execute(writes.row(what.entity, shop_id, row_id, locked=True, deleted=deleted))
    before = found.one_or_none()
    if before is None:
        raise Refused(not_found("id"))
    draft = Draft(context, transaction, {}, row_id, before)
    if what.parent is not None:
        column, entity = what.parent
        alive = await transaction.execute(writes.row(entity, shop_id, getattr(before, column)))
        draft.parent = alive.one_or_none()
        if draft.parent is None:
            raise Refused(not_found("id"))
    return draft


def _check_version(draft: Draft, expected: int | None) -> None:
    if expected is not None and expected != draft.before.version:
        raise Refused(conflict(draft.before.version))


def _emptied(entity: type[Entity], values: Mapping[str, Any]) -> dict[str, Any]:
    """Say what an empty value is, for columns that hold texts or lists and have no null.

    Raises:
        Refused: A column cannot be empty.
    """
    columns = entity.__table__.c
    result = dict(values)
    for name in (name for name, value in values.items() if value is None and name in columns):
        default = columns[name].server_default
        empty = _EMPTY.get(getattr(default, "arg", None)) if not columns[name].nullable else None
        if empty is None and not columns[name].nullable:
            raise Refused(required(*input_path(name)))
        result[name] = empty() if empty else None
    return result


_EMPTY: Mapping[Any, Callable[[], Any]] = {"": str, "{}": list}
"""What columns without null are when empty, by their default; other defaults are no emptiness."""


def _optional(entity: type[Entity]) -> list[str]:
    return [column.name for column in entity.__table__.c if getattr(column.server_default, "arg", None) == ""]


async def _with_parent(what: Writable, draft: Draft) -> None:
    """Refuse a part of something that is not there; lock that, so that it stays, and counts of its parts stay true."""
    if what.parent is None:
        return
    column, entity = what.parent
    statement = writes.row(entity, draft.context.shop.id, draft.values[column], locked=True)
    draft.parent = (await draft.transaction.execute(statement)).one_or_none()
    if draft.parent is None:
        raise Refused(not_found(*input_path(column)))


async def _slug(what: Writable, draft: Draft) -> None:
    """Make a slug from the name where the client gives none, with a number behind it where it is taken."""
    if "slug" not in what.entity.__table__.c or "slug" in draft.values:
        return
    base = slug_of(draft.values["name"]) or slug_of(what.type_name)
    within = {name: draft.values[name] for name in constraints.unique_columns(what.entity, "slug")}
    await draft.transaction.execute(writes.one_at_a_time, {"name": f"{what.entity.__tablename__} {base}"})
    found = await draft.transaction.execute(writes.slugs_like(what.entity, draft.context.shop.id, base, within))
    taken = set(found.scalars())
    numbered = (f"{base}-{number}" for number in range(2, len(taken) + 3))
    draft.values["slug"] = base if base not in taken else next(slug for slug in numbered if slug not in taken)


async def _settle(what: Writable, draft: Draft) -> None:
    if what.settle is not None:
        await what.settle(draft)


def _product_of(what: Writable, draft: Draft) -> Sequence[uuid.UUID]:
    return () if what.product_of is None else (what.product_of(draft),)
