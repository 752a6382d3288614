"""How mutations are declared: one function for each thing that can be done to any kind of row."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, TypeVar

import strawberry
from strawberry.types import Info

from core.errors import BadUserInput
from resolvers import writing
from resolvers.arranging import Sequenced, reorder
from resolvers.blocks import MOST_IN_BULK, BulkErrorPolicy, together
from resolvers.context import Context, Permission
from resolvers.writing import Change, Writable
from schema.cost import MUTATION, costs, one_for_each
from schema.inputs import values_of
from schema.payloads import Bulk, DeleteBulkPayload, DeletePayload, Deletion
from schema.policies import Policy, field

strawberry.enum(BulkErrorPolicy, description="What becomes of the others where one of many is refused.")

T = TypeVar("T")

_WRITE = Permission.CATALOGUE_WRITE

_READ_VERSION = strawberry.argument(
    description="Version that you have read; the mutation is refused where the object has another by now."
)
ExpectedVersion = Annotated[int, _READ_VERSION]
OptionalVersion = Annotated[int | None, _READ_VERSION]
ErrorPolicy = Annotated[
    BulkErrorPolicy, strawberry.argument(description="What becomes of the others where one is refused.")
]


def declared(resolve: Any, payload: type[Any], policy: Policy, description: str, **arguments: Any) -> Any:
    """Make a mutation of a resolver whose types are only known at run time."""
    resolve.__annotations__ |= {**arguments, "return": payload}
    return costs(*MUTATION)(field(policy, description=description)(resolve))


def in_bulk(argument: str) -> Callable[[Any], Any]:
    """Price a mutation by the elements of an argument; it goes on top of what declares the mutation."""
    return costs(*one_for_each(argument, MOST_IN_BULK, within="results"))


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

    async def resolve_strictly(info: Info[Context, None], id: strawberry.ID, expected_version: Any, input: Any) -> Any:
        return await writing.update(info.context, what, Change(id, values_of(input), expected_version))

    async def resolve_unversioned(info: Info[Context, None], id: strawberry.ID, input: Any) -> Any:
        return await writing.update(info.context, what, Change(id, values_of(input)))

    description = f"Change {_a(what)}."
    if not what.is_versioned:
        return declared(resolve_unversioned, payload, policy, description, input=given)
    if must_know:
        return declared(resolve_strictly, payload, policy, description, input=given, expected_version=ExpectedVersion)
    return declared(resolve, payload, policy, description, input=given, expected_version=OptionalVersion)


def deletes(what: Writable, *, policy: Policy = _WRITE, note: str = "") -> Any:
    """Declare the mutation that deletes an object."""

    async def resolve(info: Info[Context, None], id: strawberry.ID, expected_version: OptionalVersion = None) -> Any:
        return Deletion(what.type_name, await writing.delete(info.context, what, id, expected_version))

    async def resolve_unversioned(info: Info[Context, None], id: strawberry.ID) -> Any:
        return Deletion(what.type_name, await writing.delete(info.context, what, id, None))

    chosen = resolve if what.is_versioned else resolve_unversioned
    return declared(chosen, DeletePayload, policy, f"Delete {_a(what)}.{note}")


def restores(what: Writable, payload: type[Any], note: str = "") -> Any:
    """Declare the mutation that brings a deleted object back."""

    async def resolve(info: Info[Context, None], id: strawberry.ID) -> Any:
        return await writing.restore(info.context, what, id)

    return declared(resolve, payload, _WRITE, f"Bring {_a(what)} back that was deleted.{note}")


def creates_many(what: Writable, given: type[Any], payload: type[Any]) -> Any:
    """Declare the mutation that makes many objects."""

    async def resolve(
        info: Info[Context, None], inputs: Any, error_policy: ErrorPolicy = BulkErrorPolicy.ALL_OR_NOTHING
    ) -> Any:
        works = [writing.creating(info.context, what, values_of(each)) for each in bounded(inputs, "inputs")]
        return Bulk(await together(info.context, works, error_policy, argument="inputs"))

    mutation = declared(resolve, payload, _WRITE, f"Make {_many(what)}.", inputs=list[given])  # type: ignore[valid-type]
    return in_bulk("inputs")(mutation)


def updates_many(
    what: Writable, given: type[Any], payload: type[Any], *, must_know: Literal[True] | None = None
) -> Any:
    """Declare the mutation that changes many objects; see `updates`."""
    change = _change_input(what, given, must_know=must_know)

    async def resolve(
        info: Info[Context, None], changes: Any, error_policy: ErrorPolicy = BulkErrorPolicy.ALL_OR_NOTHING
    ) -> Any:
        works = [
            writing.changing(
                info.context, what, Change(each.id, values_of(each.input), getattr(each, "expected_version", None))
            )
            for each in bounded(changes, "changes")
        ]
        return Bulk(await together(info.context, works, error_policy, argument="changes"))

    mutation = declared(resolve, payload, _WRITE, f"Change {_many(what)}.", changes=list[change])  # type: ignore[valid-type]
    return in_bulk("changes")(mutation)


def _change_input(what: Writable, given: type[Any], *, must_know: Literal[True] | None) -> type[Any]:
    body: dict[str, Any] = {"__annotations__": {"id": strawberry.ID, "input": given}}
    if what.is_versioned:
        body["__annotations__"]["expected_version"] = int if must_know else int | None
        default = dataclasses.MISSING if must_know else None
        body["expected_version"] = strawberry.field(description="As of the mutation of one.", default=default)
    made = type(f"{what.type_name}ChangeInput", (), body)
    return strawberry.input(made, description=f"A change of one {what.type_name}.")


def deletes_many(what: Writable) -> Any:
    """Declare the mutation that deletes many objects."""

    async def resolve(
        info: Info[Context, None],
        ids: list[strawberry.ID],
        error_policy: ErrorPolicy = BulkErrorPolicy.ALL_OR_NOTHING,
    ) -> Any:
        works = [writing.deleting(info.context, what, each, None) for each in bounded(ids, "ids")]
        outcomes = await together(info.context, works, error_policy, argument="ids")
        return Bulk([Deletion(what.type_name, outcome) for outcome in outcomes])

    return in_bulk("ids")(declared(resolve, DeleteBulkPayload, _WRITE, f"Delete {_many(what)}."))


def reorders(what: Sequenced, payload: type[Any], note: str) -> Any:
    """Declare the mutation that puts rows of a parent in order."""
    description = f"{note} The ones named come first, in this order; the others follow as they were."

    async def resolve(info: Info[Context, None], id: strawberry.ID, ids: list[strawberry.ID]) -> Any:
        return await reorder(info.context, what, id, ids)

    async def resolve_in_tree(
        info: Info[Context, None], ids: list[strawberry.ID], id: strawberry.ID | None = None
    ) -> Any:
        return await reorder(info.context, what, id, ids)

    is_tree = what.parent is what.entity
    return declared(resolve_in_tree if is_tree else resolve, payload, _WRITE, description)


def bounded(given: Sequence[T], name: str) -> Sequence[T]:
    """Return a list from the input.

    Raises:
        BadUserInput: It has more elements than a bulk mutation takes.
    """
    if len(given) > MOST_IN_BULK:
        raise BadUserInput(f"At most {MOST_IN_BULK} of these; send the others in another mutation.", argument=name)
    return given


def _many(what: Writable) -> str:
    return f"up to {MOST_IN_BULK} {what.type_name} objects, all in one transaction"


def _a(what: Writable) -> str:
    article = "an" if what.type_name[0] in "AEIOU" else "a"
    return f"{article} {what.type_name}"
