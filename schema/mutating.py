"""How mutations are declared: one function for each thing that can be done to any kind of row."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeVar

import strawberry
from strawberry.types import Info

from core.errors import BadUserInput
from models.base import Aggregate
from resolvers import writing
from resolvers.arranging import Sequenced, reorder
from resolvers.context import Context, Permission
from resolvers.writing import BulkErrorPolicy, Change, Writable
from schema.inputs import values_of
from schema.payloads import Bulk, DeleteBulkPayload, DeletePayload, Deletion
from schema.policies import Policy, field

strawberry.enum(BulkErrorPolicy, description="What becomes of the others where one of many is refused.")

T = TypeVar("T")

_WRITE = Permission.CATALOGUE_WRITE


def declared(resolve: Any, payload: type[Any], policy: Policy, description: str, **arguments: Any) -> Any:
    """Make a mutation of a resolver whose types are only known at run time."""
    resolve.__annotations__ |= {**arguments, "return": payload}
    return field(policy, description=description)(resolve)


def returning(payload: type[Any], policy: Policy, description: str) -> Callable[[Any], Any]:
    """Declare a mutation by its resolver."""

    def declare(resolve: Any) -> Any:
        return declared(resolve, payload, policy, description)

    return declare


def creates(what: Writable, given: type[Any], payload: type[Any], *, policy: Policy = _WRITE) -> Any:
    """Declare the mutation that makes an object."""

    async def resolve(info: Info[Context, None], input: Any) -> Any:
        return await writing.create(info.context, what, values_of(input))

    return declared(resolve, payload, policy, f"Make {_a(what)}.", input=given)


def updates(
    what: Writable,
    given: type[Any],
    payload: type[Any],
    *,
    policy: Policy = _WRITE,
    must_know: Literal[True] | None = None,
) -> Any:
    """Declare the mutation that changes an object.

    Args:
        what: The kind of row.
        given: The input.
        payload: The payload.
        policy: Who may.
        must_know: Whether the client has to say which version it has read; given where a lost update costs money.
    """

    async def resolve(info: Info[Context, None], id: strawberry.ID, input: Any, expected_version: Any = None) -> Any:
        return await writing.update(info.context, what, Change(id, values_of(input), expected_version))

    async def resolve_strictly(info: Info[Context, None], id: strawberry.ID, expected_version: int, input: Any) -> Any:
        return await writing.update(info.context, what, Change(id, values_of(input), expected_version))

    async def resolve_unversioned(info: Info[Context, None], id: strawberry.ID, input: Any) -> Any:
        return await writing.update(info.context, what, Change(id, values_of(input)))

    description = f"Change {_a(what)}."
    if not issubclass(what.entity, Aggregate):
        return declared(resolve_unversioned, payload, policy, description, input=given)
    if must_know:
        return declared(resolve_strictly, payload, policy, description, input=given)
    return declared(resolve, payload, policy, description, input=given, expected_version=int | None)


def deletes(what: Writable, *, policy: Policy = _WRITE, note: str = "") -> Any:
    """Declare the mutation that deletes an object."""

    async def resolve(info: Info[Context, None], id: strawberry.ID) -> Any:
        return Deletion(what.type_name, await writing.delete(info.context, what, id, None))

    return declared(resolve, DeletePayload, policy, f"Delete {_a(what)}.{note}")


def creates_many(what: Writable, given: type[Any], payload: type[Any]) -> Any:
    """Declare the mutation that makes many objects."""

    async def resolve(
        info: Info[Context, None], inputs: Any, error_policy: BulkErrorPolicy = BulkErrorPolicy.ALL_OR_NOTHING
    ) -> Any:
        works = [writing.creating(info.context, what, values_of(each)) for each in _bounded(inputs, "inputs")]
        return Bulk(await writing.bulk(info.context, what, works, error_policy))

    description = f"Make up to {writing.MOST_IN_BULK} {what.type_name} objects."
    return declared(resolve, payload, _WRITE, description, inputs=list[given])  # type: ignore[valid-type]


def updates_many(
    what: Writable, given: type[Any], payload: type[Any], *, must_know: Literal[True] | None = None
) -> Any:
    """Declare the mutation that changes many objects; see `updates`."""
    version = int if must_know else int | None
    body = {
        "__annotations__": {"id": strawberry.ID, "input": given, "expected_version": version},
        **({} if must_know else {"expected_version": None}),
    }
    change = strawberry.input(type(f"{what.type_name}ChangeInput", (), body), description="A change of one object.")

    async def resolve(
        info: Info[Context, None], changes: Any, error_policy: BulkErrorPolicy = BulkErrorPolicy.ALL_OR_NOTHING
    ) -> Any:
        works = [
            writing.changing(info.context, what, Change(each.id, values_of(each.input), each.expected_version))
            for each in _bounded(changes, "changes")
        ]
        return Bulk(await writing.bulk(info.context, what, works, error_policy))

    description = f"Change up to {writing.MOST_IN_BULK} {what.type_name} objects."
    return declared(resolve, payload, _WRITE, description, changes=list[change])  # type: ignore[valid-type]


def deletes_many(what: Writable) -> Any:
    """Declare the mutation that deletes many objects."""

    async def resolve(
        info: Info[Context, None],
        ids: list[strawberry.ID],
        error_policy: BulkErrorPolicy = BulkErrorPolicy.ALL_OR_NOTHING,
    ) -> Any:
        works = [writing.deleting(info.context, what, each, None) for each in _bounded(ids, "ids")]
        outcomes = await writing.bulk(info.context, what, works, error_policy)
        return Bulk([Deletion(what.type_name, outcome) for outcome in outcomes])

    description = f"Delete up to {writing.MOST_IN_BULK} {what.type_name} objects."
    return declared(resolve, DeleteBulkPayload, _WRITE, description)


def reorders(what: Sequenced, payload: type[Any], note: str) -> Any:
    """Declare the mutation that puts rows of a parent in order."""

    async def resolve(info: Info[Context, None], id: strawberry.ID, ids: list[strawberry.ID]) -> Any:
        return await reorder(info.context, what, id, ids)

    return declared(resolve, payload, _WRITE, note)


def _bounded(given: Sequence[T], name: str) -> Sequence[T]:
    if len(given) > writing.MOST_IN_BULK:
        raise BadUserInput(f"At most {writing.MOST_IN_BULK} of these.", argument=name)
    return given


def _a(what: Writable) -> str:
    article = "an" if what.type_name[0] in "AEIOU" else "a"
    return f"{article} {what.type_name}"
