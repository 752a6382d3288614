"""Executes an operation by two executors, and says what is different about the outcomes.

Both must bring the same data, byte for byte, and the same errors: path, class, message, places in the document and
extensions. One difference is allowed. Where an error nulls a position, the rest below that position is not looked at
any more, and which of several errors comes first depends on who executes. So the errors may be others, provided that

- each of them is found when nothing propagates (graphql-core's `@experimental_disableErrorPropagation`);
- each is at or below a position that is null in the response, and no two have the same path;
- the same positions have been nulled by an error on both sides: one at the position itself, or one below it with no
  position in between that takes a null.
"""

import dataclasses
import inspect
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson
from graphql import (
    ConstDirectiveNode,
    DocumentNode,
    ExecutionResult,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLNonNull,
    GraphQLSchema,
    NameNode,
    OperationDefinitionNode,
    SelectionSetNode,
    execute,
    get_named_type,
    is_abstract_type,
)

Path = tuple[str | int, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """An error, as far as clients and logs can tell it from others."""

    path: Path
    kind: str
    message: str
    locations: tuple[tuple[int, int], ...]
    extensions: str

    @classmethod
    def of(cls, error: GraphQLError) -> "Seen":
        """Return what is seen of an error."""
        cause: BaseException | None = error
        while isinstance(cause, GraphQLError):
            cause = cause.original_error
        return cls(
            tuple(error.path or ()),
            type(cause).__name__,
            error.message,
            tuple((each.line, each.column) for each in error.locations or ()),
            repr(error.extensions),
        )


@dataclasses.dataclass(frozen=True, slots=True)
class Outcome:
    """What an execution came to."""

    data: bytes
    value: Any
    errors: Counter[Seen]
    log: tuple[str, ...]

    @classmethod
    def of(cls, result: ExecutionResult, log: Iterable[str] = ()) -> "Outcome":
        """Return the outcome that a result tells."""
        data = orjson.dumps(result.data, option=orjson.OPT_NON_STR_KEYS)
        return cls(data, result.data, Counter(map(Seen.of, result.errors or ())), tuple(log))


def difference(
    expected: Outcome,
    actual: Outcome,
    *,
    all_errors: Callable[[], Counter[Seen]],
    shapes: Callable[[], Mapping[tuple[str, ...], Any]],
) -> str | None:
    """Say how an outcome differs from the reference's in a way that is not allowed; None where it does not.

    Args:
        expected: The reference's.
        actual: The other.
        all_errors: Returns what fails when nothing propagates; called only where errors differ.
        shapes: Returns `shapes_of` the operation; called only where errors differ.
    """
    if expected.data != actual.data:
        return f"data: {expected.data.decode()}\n not {actual.data.decode()}\n with {list(actual.errors)}"
    if expected.log != actual.log:
        return f"order: {expected.log}\n not {actual.log}"
    if expected.errors == actual.errors:
        return None
    told = f"{list(actual.errors)}\n expected {list(expected.errors)}"
    if actual.errors - all_errors() or len({each.path for each in actual.errors}) < actual.errors.total():
        return f"errors from nowhere: {told}"
    if not all(_is_null(actual.value, error.path) for error in actual.errors):
        return f"errors at what is not null: {told}"
    first, second = _nulled_positions(expected, shapes()), _nulled_positions(actual, shapes())
    return None if first == second else f"errors null {second} instead of {first}: {told}"


def nulled(data: Any, path: Path) -> Path:
    """Return the position on a path that is null in the response."""
    for depth, key in enumerate(path):
        if data is None:
            return path[:depth]
        data = data[key]
    return path


def _is_null(data: Any, path: Path) -> bool:
    for key in nulled(data, path):
        data = data[key]
    return data is None


def _nulled_positions(outcome: Outcome, shapes: Mapping[tuple[str, ...], Any]) -> set[Path]:
    """Return the positions that were nulled by an error that can do so."""
    positions = set()
    for error in outcome.errors:
        position = nulled(outcome.value, error.path)
        between = range(len(position) + 1, len(error.path) + 1)
        if all(_takes_no_null(shapes, error.path[:end]) for end in between):
            positions.add(position)
    return positions


def _takes_no_null(shapes: Mapping[tuple[str, ...], Any], path: Path) -> bool:
    keys = tuple(key for key in path if isinstance(key, str))
    depth = next(depth for depth, key in enumerate(reversed(path)) if isinstance(key, str))
    return any(isinstance(_within(declared, depth), GraphQLNonNull) for declared in shapes[keys])


def _within(declared: Any, depth: int) -> Any:
    """Return the type of the elements of a list, of those of its elements, and so on."""
    for _ in range(depth):
        declared = declared.of_type if isinstance(declared, GraphQLNonNull) else declared
        declared = declared.of_type
    return declared


def shapes_of(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> dict[Any, set[Any]]:
    """Return the types of each position of the response, by the response keys down to it.

    A position below an interface has the interface's type, and those that the objects behind it have instead.
    """
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
    shapes: dict[tuple[str, ...], set[Any]] = {}

    def walk(selections: SelectionSetNode | None, parent: Any, path: tuple[str, ...]) -> None:
        for each in selections.selections if selections else ():
            node: Any = each
            if isinstance(node, FieldNode):
                here = (*path, node.alias.value if node.alias else node.name.value)
                declared = schema.get_field(parent, node.name.value)
                assert declared is not None
                members = schema.get_possible_types(parent) if is_abstract_type(parent) else [parent]
                fields = [schema.get_field(member, node.name.value) for member in members]
                shapes.setdefault(here, set()).update(field.type for field in fields if field)
                walk(node.selection_set, get_named_type(declared.type), here)
                continue
            if isinstance(node, FragmentSpreadNode):
                node = fragments[node.name.value]
            condition = node.type_condition
            walk(node.selection_set, schema.type_map[condition.name.value] if condition else parent, path)

    walk(operation.selection_set, schema.get_root_type(operation.operation), ())
    return shapes


def operation_of(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """Return the operation with a name, or the only one."""
    for each in document.definitions:
        if isinstance(each, OperationDefinitionNode) and (name is None or (each.name and each.name.value == name)):
            return each
    raise LookupError(name)


async def errors_without_propagation(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    **arguments: Any,
) -> Counter[Seen]:
    """Return all that fails, above and below each other."""
    directive = ConstDirectiveNode(name=NameNode(value="experimental_disableErrorPropagation"), arguments=())
    changed = OperationDefinitionNode(
        operation=operation.operation,
        name=operation.name,
        variable_definitions=operation.variable_definitions,
        directives=(*(operation.directives or ()), directive),
        selection_set=operation.selection_set,
        loc=operation.loc,
    )
    definitions = tuple(changed if each is operation else each for each in document.definitions)
    outcome = execute(
        schema,
        DocumentNode(definitions=definitions, loc=document.loc),
        operation_name=operation.name.value if operation.name else None,
        **arguments,
    )
    result = await outcome if inspect.isawaitable(outcome) else outcome
    return Outcome.of(result).errors
