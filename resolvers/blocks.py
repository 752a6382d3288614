"""Write blocks: what is done as a whole or not at all, and again where it gave way to others."""

import asyncio
import dataclasses
import enum
import random
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

from core.errors import ConstraintViolated, Contended
from core.ids import encode_global_id
from core.writing import Transaction
from models import constraints
from models.base import Tenant
from models.shops import Channel, Shop
from resolvers.context import Context
from resolvers.derived import refresh
from resolvers.refusals import Duplicate, ErrorCode, Outcome, Refusal, Refused, in_use, refusal_of

T = TypeVar("T")

MOST_IN_BULK = 250
_ATTEMPTS = 4
_PAUSE_SECONDS = 0.05
"""Before the second attempt, and twice as long before each further one: others are to be done by then."""


class BulkErrorPolicy(enum.Enum):
    """What becomes of the others where one of many is refused."""

    ALL_OR_NOTHING = "all_or_nothing"
    SKIP_FAILED = "skip_failed"


@dataclasses.dataclass(frozen=True, slots=True)
class Work:
    """Something to do in a write block.

    Attributes:
        run: Does it, and returns the id of the row that the payload shows; raises `Refused` where it must not happen.
        entity: The table that it is about.
        values: Columns and values that the client gives.
        row_id: The row that is changed; None for a new one.
        deletes: Whether a foreign key that refuses means that the row is still needed.
        by_id: Whether the client names the row alone, and gives no values.
        order: What it waits for others by. Works of a block are done in this order, so that two blocks wait for each
            other in one direction only.
        touched: Products whose listings follow from what was done; `run` adds to it.
    """

    run: Callable[[Transaction], Awaitable[uuid.UUID | None]]
    entity: type[Tenant]
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    row_id: uuid.UUID | None = None
    deletes: bool = False
    by_id: bool = False
    order: str = ""
    touched: set[uuid.UUID] = dataclasses.field(default_factory=set)


async def alone(context: Context, work: Work) -> Outcome:
    """Do one thing in a write block of its own: it happens as a whole, or is refused and nothing happens."""

    async def attempt() -> Outcome:
        try:
            async with _block(context, [work]) as transaction:
                row_id = await work.run(transaction)
                await refresh(transaction, sorted(work.touched))
                await transaction.commit()
        except Refused as refused:
            return Outcome(refusals=refused.refusals)
        except ConstraintViolated as violation:
            return Outcome(refusals=(_refusal(violation, work),))
        return Outcome(row_id)

    outcomes = await _naming_holders(context, [work], [await _retried(attempt)])
    return outcomes[0]


async def together(
    context: Context, works: Sequence[Work], policy: BulkErrorPolicy, *, argument: str
) -> Sequence[Outcome]:
    """Do many things in one transaction, each in a savepoint of its own.

    Args:
        context: Of the operation.
        works: `MOST_IN_BULK` at most.
        policy: Whether one that is refused takes the others with it.
        argument: The list that the client gave: `inputs`, `changes` or `ids`.

    Returns:
        An outcome for each, in order; under ALL_OR_NOTHING the others say NOT_APPLIED where one was refused.
    """

    async def attempt() -> Sequence[Outcome]:
        async with _block(context, works) as transaction:
            outcomes = await _in_order(transaction, works)
            failed = any(outcome.refusals for outcome in outcomes)
            if failed and policy is BulkErrorPolicy.ALL_OR_NOTHING:
                return [outcome if outcome.refusals else _NOT_APPLIED for outcome in outcomes]
            await refresh(transaction, sorted({product for work in works for product in work.touched}))
            await transaction.commit()
        return outcomes

    outcomes = await _naming_holders(context, works, await _retried(attempt))
    return [_placed(outcome, argument, number) for number, outcome in enumerate(outcomes)]


_TELLING = (Shop, Channel)
"""What is known of a shop in every operation is read from these tables."""


def _block(context: Context, works: Sequence[Work]) -> AbstractAsyncContextManager[Transaction]:
    return context.database.write(spares_tenant=not any(issubclass(work.entity, _TELLING) for work in works))


_NOT_APPLIED = Outcome(refusals=(Refusal(ErrorCode.NOT_APPLIED, "Not done, since another of these was refused."),))


async def _in_order(transaction: Transaction, works: Sequence[Work]) -> list[Outcome]:
    numbers = sorted(range(len(works)), key=lambda number: works[number].order)
    done = {number: await _saved(transaction, works[number]) for number in numbers}
    return [done[number] for number in range(len(works))]


async def _saved(transaction: Transaction, work: Work) -> Outcome:
    try:
        async with transaction.savepoint():
            return Outcome(await work.run(transaction))
    except Refused as refused:
        return Outcome(refusals=refused.refusals)
    except ConstraintViolated as violation:
        return Outcome(refusals=(_refusal(violation, work),))


def _refusal(violation: ConstraintViolated, work: Work) -> Refusal:
    """Return what a violation means to the client.

    Raises:
        Contended: It took what we chose, not the client, in the same moment; another attempt chooses anew.
        ConstraintViolated: It is not about anything that the client gave.
    """
    if work.deletes:
        return in_use("Something else still needs this; delete or move that first.")
    own = work.entity.__tablename__
    table, column = constraints.place_of(violation.constraint)
    if not table:
        # Of a missing value the database names the column, and no constraint.
        table, column = own, violation.constraint
    if table != own and not work.by_id:
        raise violation
    if column == "slug" and not work.by_id and work.values.get("slug") is None:
        raise Contended("Others take the same names; try again.") from violation
    return refusal_of(violation, column, by_id=work.by_id)


async def _naming_holders(context: Context, works: Sequence[Work], outcomes: Sequence[Outcome]) -> Sequence[Outcome]:
    """Complete refusals by the objects that have the values already.

    They are looked up once the block is over, since one that was itself undone would be no help to anybody.
    """
    if not any(isinstance(refusal, Duplicate) for outcome in outcomes for refusal in outcome.refusals):
        return outcomes
    async with context.database.write(spares_tenant=True) as transaction:
        return [
            dataclasses.replace(
                outcome, refusals=tuple([await _naming_holder(context, transaction, work, r) for r in outcome.refusals])
            )
            for work, outcome in zip(works, outcomes, strict=True)
        ]


async def _naming_holder(context: Context, transaction: Transaction, work: Work, refusal: Refusal) -> Refusal:
    is_own = isinstance(refusal, Duplicate) and constraints.place_of(refusal.constraint)[0] == work.entity.__tablename__
    if not isinstance(refusal, Duplicate) or not is_own:
        return refusal
    statement = constraints.holder(work.entity, context.shop.id, refusal.constraint, work.values, work.row_id)  # type: ignore[arg-type]
    found = (await transaction.execute(statement)).scalar()
    existing = None if found is None else encode_global_id(work.entity.__name__, found)
    return dataclasses.replace(refusal, existing_id=existing)


def _placed(outcome: Outcome, argument: str, number: int) -> Outcome:
    """Let the paths of refusals start at the list that the client gave."""
    if not outcome.refusals:
        return outcome
    return Outcome(refusals=tuple(_under(refusal, argument, number) for refusal in outcome.refusals))


def _under(refusal: Refusal, argument: str, number: int) -> Refusal:
    if refusal.path is None:
        return refusal
    # An element of `changes` has an input of its own; elements of the other lists are inputs, or ids, themselves.
    rest = refusal.path if argument == "changes" else refusal.path[1:]
    return dataclasses.replace(refusal, path=(argument, str(number), *rest))


async def _retried(attempt: Callable[[], Awaitable[T]]) -> T:
    """Run a write block again where it gave way to another."""
    for number in range(1, _ATTEMPTS):
        try:
            return await attempt()
        except Contended:
            longest = _PAUSE_SECONDS * 2**number
            await asyncio.sleep(random.uniform(longest / 2, longest))  # noqa: S311  (jitter is no secret)
    return await attempt()
