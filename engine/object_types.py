"""Finds out of which object type values are, and makes sure of it."""

from collections.abc import Sequence
from typing import Any

from graphql import GraphQLAbstractType, GraphQLError, GraphQLObjectType, GraphQLSchema
from graphql.execution.executor import default_type_resolver, invalid_return_type_error
from graphql.pyutils import Path, inspect

from engine.plans import Field
from engine.reading import Paths, settled
from engine.state import Failed, State


async def by_type(  # noqa: PLR0913, PLR0917  (see `complete`)
    abstract: GraphQLAbstractType,
    values: Sequence[Any],
    positions: Sequence[int],
    completed: list[Any],
    field: Field,
    state: State,
    paths: Paths,
) -> list[tuple[GraphQLObjectType, list[int]]]:
    """Group values of an abstract type by the object type that each one is of."""
    resolve_type = abstract.resolve_type or default_type_resolver
    found: list[Any] = []
    for position in positions:
        try:
            found.append(resolve_type(values[position], _info_of_value(field, state, paths, position), abstract))
        except Exception as error:  # noqa: BLE001  (it is the field's error, whatever it is)
            found.append(state.fail(error))
    groups: dict[str, tuple[GraphQLObjectType, list[int]]] = {}
    for position, name in zip(positions, await settled(found, state), strict=True):
        if type(name) is Failed:
            completed[position] = name
            continue
        try:
            object_type = _valid_type(state.schema, name, abstract, field, values[position])
        except GraphQLError as error:
            completed[position] = state.fail(error)
            continue
        groups.setdefault(object_type.name, (object_type, []))[1].append(position)
    return list(groups.values())


async def checked_types(  # noqa: PLR0913, PLR0917  (see `complete`)
    type_: GraphQLObjectType,
    values: Sequence[Any],
    positions: Sequence[int],
    completed: list[Any],
    field: Field,
    state: State,
    paths: Paths,
) -> list[int]:
    """Ask a type for each object whether it is of the type, and return the positions of those that are."""
    assert type_.is_type_of is not None  # noqa: S101  (narrows the type: others are trusted)
    answers: list[Any] = []
    for position in positions:
        try:
            answers.append(type_.is_type_of(values[position], _info_of_value(field, state, paths, position)))
        except Exception as error:  # noqa: BLE001  (it is the field's error, whatever it is)
            answers.append(state.fail(error))
    kept = []
    for position, answer in zip(positions, await settled(answers, state), strict=True):
        if type(answer) is Failed:
            completed[position] = answer
        elif not answer:
            completed[position] = state.fail(invalid_return_type_error(type_, values[position], _details(field)))
        else:
            kept.append(position)
    return kept


def _details(field: Field) -> Any:
    """Return the field's nodes in the form that graphql-core's errors take them."""
    return [_Node(node) for node in field.nodes]


class _Node:
    __slots__ = ("node",)

    def __init__(self, node: Any) -> None:
        self.node = node


def _info_of_value(field: Field, state: State, paths: Paths, position: int) -> Any:
    """Return what is told of a field to those who judge its values, elements of its list included."""
    path = paths[position] if paths is not None else None
    while path is not None and isinstance(path.key, int):
        path = path.prev
    return state.info(field, path or Path(None, field.key, field.parent.name))


def _valid_type(
    schema: GraphQLSchema, name: Any, abstract: GraphQLAbstractType, field: Field, value: Any
) -> GraphQLObjectType:
    """Return the object type that a resolver of types has named; what is asked, and in which order, is graphql-core's.

    Raises:
        GraphQLError: It named none, or one that is not possible here.
    """
    place = f"'{field.parent}.{field.name}'"
    if name is None:
        raise GraphQLError(
            f"Abstract type '{abstract}' must resolve to an Object type at runtime for field {place}. Either the "
            f"'{abstract}' type should provide a 'resolve_type' function or each possible type should provide an "
            "'is_type_of' function.",
            field.nodes,
        )
    if not isinstance(name, str):
        raise GraphQLError(
            f"Abstract type '{abstract}' must resolve to an Object type at runtime for field {place} with value "
            f"{inspect(value)}, received '{inspect(name)}', which is not a valid Object type name.",
            field.nodes,
        )
    found = schema.get_type(name)
    if found is None:
        raise GraphQLError(
            f"Abstract type '{abstract}' was resolved to a type '{name}' that does not exist inside the schema.",
            field.nodes,
        )
    if not isinstance(found, GraphQLObjectType):
        raise GraphQLError(f"Abstract type '{abstract}' was resolved to a non-object type '{name}'.", field.nodes)
    if not schema.is_sub_type(abstract, found):
        raise GraphQLError(f"Runtime Object type '{found}' is not a possible type for '{abstract}'.", field.nodes)
    return found
