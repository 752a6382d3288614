"""Writing rows: create, change and delete, alone or in bulk, for every kind of row alike.

What is special about a kind of row is said once, in its `Writable`.
"""

import asyncio
import dataclasses
import enum
import random
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

from core.database import Transaction, savepoint
from core.errors import ConstraintViolated, Contended
from core.ids import decode_id_of, new_id
from models import writes
from models.base import Entity, Statement
from resolvers.context import Context
from resolvers.derived import refresh
from resolvers.refusals import (
    Duplicate,
    ErrorCode,
    Outcome,
    Refusal,
    Refused,
    conflict,
    duplicate,
    not_found,
    refusal_of,
)
from resolvers.texts import check_texts, slug_of

T = TypeVar("T")

MOST_IN_BULK = 250
_ATTEMPTS = 3


@dataclasses.dataclass(slots=True)
class Draft:
    """A row about to be written.

    Attributes:
        context: Of the operation.
        transaction: The write block.
        values: Columns and their values; a `prepare` may change them.
        id: Of the row.
        before: The row as it was, locked; None for a new one.
    """

    context: Context
    transaction: Transaction
    values: dict[str, Any]
    id: uuid.UUID
    before: Any = None


@dataclasses.dataclass(frozen=True, slots=True)
class Writable:
    """A kind of row that clients write.

    Attributes:
        entity: Its table.
        type_name: Of its global ids.
        prepare: Completes a draft, or raises `Refused`.
        settle: Does what follows from a row that was written.
        products_of: Takes ids and returns the products whose listings show these rows.
        may_delete: Raises `Refused` where a row must stay.
    """

    entity: type[Entity]
    type_name: str
    prepare: Callable[[Draft], Awaitable[None]] | None = None
    settle: Callable[[Draft], Awaitable[None]] | None = None
    products_of: Callable[[uuid.UUID, Sequence[uuid.UUID]], Statement] | None = None
    may_delete: Callable[[Draft], Awaitable[None]] | None = None


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


class BulkErrorPolicy(enum.Enum):
    """What becomes of the others where one of many is refused."""

    ALL_OR_NOTHING = "all_or_nothing"
    SKIP_FAILED = "skip_failed"


@dataclasses.dataclass(frozen=True, slots=True)
class Work:
    """Something to do in a write block.

    Attributes:
        run: Does it, and returns the id of the row; raises `Refused` where it must not happen.
        values: What the row is to hold, to find out which other row has a value that must be unique.
    """

    run: Callable[[Transaction], Awaitable[uuid.UUID]]
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)


async def create(context: Context, what: Writable, values: Mapping[str, Any]) -> Outcome:
    """Insert a row."""
    return await _alone(context, what, creating(context, what, values))


async def update(context: Context, what: Writable, change: Change) -> Outcome:
    """Change a row."""
    return await _alone(context, what, changing(context, what, change))


async def delete(context: Context, what: Writable, global_id: str, expected: int | None) -> Outcome:
    """Delete a row; rows that can be restored are only marked."""
    return await _alone(context, what, deleting(context, what, global_id, expected), is_deletion=True)


async def restore(context: Context, what: Writable, global_id: str) -> Outcome:
    """Undo the deletion of a row that was only marked."""

    async def run(transaction: Transaction) -> uuid.UUID:
        row_id = decode_id_of(what.type_name, global_id)
        if row_id is None:
            raise Refused(not_found("id"))
        statement = writes.updated(what.entity, context.shop.id, row_id, {"deleted_at": None}, expected=None)
        if (await transaction.execute(statement)).first() is None:
            raise Refused(not_found("id"))
        return await _settled(what, Draft(context, transaction, {}, row_id))

    return await _alone(context, what, Work(run))


def creating(context: Context, what: Writable, values: Mapping[str, Any]) -> Work:
    """Return the work of `create`."""

    async def work(transaction: Transaction) -> uuid.UUID:
        draft = Draft(context, transaction, dict(values), new_id())
        check_texts(draft.values)
        await _slug(what, draft)
        if what.prepare is not None:
            await what.prepare(draft)
        await transaction.execute(writes.inserted(what.entity, context.shop.id, {"id": draft.id, **draft.values}))
        return await _settled(what, draft)

    return Work(work, values)


def changing(context: Context, what: Writable, change: Change) -> Work:
    """Return the work of `update`."""

    async def work(transaction: Transaction) -> uuid.UUID:
        draft = await _draft(context, transaction, what, change.global_id, change.values)
        _check_version(draft, change.expected)
        check_texts(draft.values)
        if what.prepare is not None:
            await what.prepare(draft)
        statement = writes.updated(what.entity, context.shop.id, draft.id, draft.values, expected=change.expected)
        await transaction.execute(statement)
        return await _settled(what, draft)

    return Work(work, change.values)


def deleting(context: Context, what: Writable, global_id: str, expected: int | None) -> Work:
    """Return the work of `delete`."""

    async def work(transaction: Transaction) -> uuid.UUID:
        draft = await _draft(context, transaction, what, global_id, {})
        _check_version(draft, expected)
        if what.may_delete is not None:
            await what.may_delete(draft)
        products = await _products_of(what, draft)
        if "deleted_at" in what.entity.__table__.c:
            values = {"deleted_at": context.clock()}
            await transaction.execute(writes.updated(what.entity, context.shop.id, draft.id, values, expected=expected))
        else:
            await transaction.execute(writes.deleted(what.entity, context.shop.id, draft.id, expected=expected))
            await transaction.execute(writes.translations_deleted(context.shop.id, draft.id))
        if what.settle is not None:
            await what.settle(draft)
        await refresh(transaction, products)
        return draft.id

    return Work(work)


async def bulk(context: Context, what: Writable, works: Sequence[Work], policy: BulkErrorPolicy) -> Sequence[Outcome]:
    """Do many things in one transaction, each in a savepoint of its own.

    Args:
        context: Of the operation.
        what: The kind of row.
        works: From `creating`, `changing` or `deleting`; `MOST_IN_BULK` at most.
        policy: Whether one that is refused takes the others with it.

    Returns:
        An outcome for each, in order; under ALL_OR_NOTHING the others say NOT_APPLIED where one was refused.
    """

    async def attempt() -> Sequence[Outcome]:
        async with context.database.write() as transaction:
            outcomes = [await _saved(context, transaction, what, work) for work in works]
            failed = any(outcome.refusals for outcome in outcomes)
            if failed and policy is BulkErrorPolicy.ALL_OR_NOTHING:
                return [outcome if outcome.refusals else _NOT_APPLIED for outcome in outcomes]
            await transaction.commit()
        return outcomes

    return await retried(attempt)


_NOT_APPLIED = Outcome(refusals=(Refusal(ErrorCode.NOT_APPLIED, "Not done, since another of these was refused."),))


async def _saved(context: Context, transaction: Transaction, what: Writable, work: Work) -> Outcome:
    try:
        async with savepoint(transaction):
            return Outcome(await work.run(transaction))
    except Refused as refused:
        return Outcome(refusals=refused.refusals)
    except ConstraintViolated as violation:
        refusal = refusal_of(violation, what.entity.__tablename__)
        return Outcome(refusals=(await _told(transaction, context, what, refusal, work),))


async def _alone(context: Context, what: Writable, work: Work, *, is_deletion: bool = False) -> Outcome:
    outcome = await applied(context, work, table=what.entity.__tablename__, is_deletion=is_deletion)
    if not isinstance(next(iter(outcome.refusals), None), Duplicate):
        return outcome
    async with context.database.write() as transaction:
        return Outcome(refusals=(await _told(transaction, context, what, outcome.refusals[0], work),))


async def applied(context: Context, work: Work, *, table: str, is_deletion: bool = False) -> Outcome:
    """Do one thing in a write block of its own: it happens as a whole, or is refused and nothing happens.

    Args:
        context: Of the operation.
        work: What to do.
        table: The table whose constraints may refuse it.
        is_deletion: Whether a refusal by a foreign key means that the row is still needed.
    """

    async def attempt() -> Outcome:
        try:
            async with context.database.write() as transaction:
                row_id = await work.run(transaction)
                await transaction.commit()
        except Refused as refused:
            return Outcome(refusals=refused.refusals)
        except ConstraintViolated as violation:
            return Outcome(refusals=(refusal_of(violation, table, deleting=is_deletion),))
        return Outcome(row_id)

    return await retried(attempt)


async def retried(attempt: Callable[[], Awaitable[T]]) -> T:
    """Run a write block again where it gave way to another."""
    for number in range(1, _ATTEMPTS):
        try:
            return await attempt()
        except Contended:
            await asyncio.sleep(random.uniform(0, 0.02 * 2**number))  # noqa: S311  (jitter is no secret)
    return await attempt()


async def _told(transaction: Transaction, context: Context, what: Writable, refusal: Refusal, work: Work) -> Refusal:
    """Complete a refusal by the object that has the value already."""
    if not isinstance(refusal, Duplicate) or refusal.column not in work.values:
        return refusal
    statement = writes.id_with(what.entity, context.shop.id, refusal.column, work.values[refusal.column])
    existing = (await transaction.execute(statement)).scalars().first()
    return duplicate(refusal.column, what.type_name, existing)


async def _draft(
    context: Context, transaction: Transaction, what: Writable, global_id: str, values: Mapping[str, Any]
) -> Draft:
    """Return a draft of an existing row, which is locked until the block ends."""
    row_id = decode_id_of(what.type_name, global_id)
    if row_id is None:
        raise Refused(not_found("id"))
    found = await transaction.execute(writes.row(what.entity, context.shop.id, row_id, locked=True))
    before = found.one_or_none()
    if before is None:
        raise Refused(not_found("id"))
    return Draft(context, transaction, dict(values), row_id, before)


def _check_version(draft: Draft, expected: int | None) -> None:
    if expected is not None and expected != draft.before.version:
        raise Refused(conflict(draft.before.version))


async def _slug(what: Writable, draft: Draft) -> None:
    """Make a slug from the name where the client gives none, with a number behind it where it is taken."""
    if "slug" not in what.entity.__table__.c or draft.values.get("slug") is not None:
        return
    base = slug_of(draft.values["name"]) or slug_of(what.type_name)
    found = await draft.transaction.execute(writes.slugs_like(what.entity, draft.context.shop.id, base))
    taken = set(found.scalars())
    numbered = (f"{base}-{number}" for number in range(2, len(taken) + 3))
    draft.values["slug"] = base if base not in taken else next(slug for slug in numbered if slug not in taken)


async def _settled(what: Writable, draft: Draft) -> uuid.UUID:
    if what.settle is not None:
        await what.settle(draft)
    await refresh(draft.transaction, await _products_of(what, draft))
    return draft.id


async def _products_of(what: Writable, draft: Draft) -> Sequence[uuid.UUID]:
    if what.products_of is None:
        return ()
    found = await draft.transaction.execute(what.products_of(draft.context.shop.id, [draft.id]))
    return found.scalars().all()
