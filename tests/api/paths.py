"""Ways through a schema: how each field is reached from a root field, and what is to be written to ask for it."""

import dataclasses
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLLeafType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_required_argument,
)

Step = tuple[str, str]
"""A type and one of its fields."""


@dataclasses.dataclass(frozen=True, slots=True)
class Way:
    """A chain of fields from the root to a field with fields of its own."""

    steps: tuple[Step, ...]

    @property
    def name(self) -> str:
        """Such as `Product.category`."""
        return ".".join(self.steps[-1])

    def query(self, schema: GraphQLSchema, arguments: Mapping[str, str]) -> str:
        """Return the query that asks for the field through this way.

        Args:
            schema: The schema.
            arguments: What is written behind a field, by its name.
        """
        text = leaves(get_named_type(field_of(schema, self.steps[-1]).type))
        for step in reversed(self.steps):
            text = f"{step[1]}{arguments.get('.'.join(step), '')} {{ {text} }}"
        return f"{{ {text} }}"

    def multiplies(self, schema: GraphQLSchema) -> bool:
        """Tell whether a list lies on the way, so that the last field has many parents."""
        return any(is_list_type(get_nullable_type(field_of(schema, step).type)) for step in self.steps[:-1])

    def parents(self, data: Any) -> list[Any]:
        """Return the objects of an answer that the last field was asked of."""
        return objects_at(data, [name for _, name in self.steps[:-1]])

    def children(self, data: Any) -> list[Any]:
        """Return the objects that the last field gave."""
        return objects_at(data, [name for _, name in self.steps])


def objects_at(data: Any, names: list[str]) -> list[Any]:
    """Return all objects of an answer that lie under this chain of fields, lists flattened and nulls left out."""
    found = [data]
    for name in names:
        found = [child for each in found for child in _flat(each[name])]
    return found


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, list):
        for each in value:
            yield from _flat(each)
    elif value is not None:
        yield value


def ways(schema: GraphQLSchema, *, first: tuple[str, ...]) -> dict[Step, Way]:
    """Return the shortest way to every field that has fields of its own, from any root field of queries.

    Args:
        schema: The schema.
        first: Root fields to be preferred, in this order, to ways through others, even shorter ones.
    """
    query = schema.query_type
    assert query is not None
    found: dict[Step, Way] = {}
    for names in (first, [name for name in query.fields if name not in first]):
        waiting = deque(Way(((query.name, name),)) for name in names if not _is_leaf(query.fields[name]))
        while waiting:
            way = waiting.popleft()
            if way.steps[-1] not in found:
                found[way.steps[-1]] = way
                reached = get_named_type(field_of(schema, way.steps[-1]).type)
                further = [name for name, field in _fields(reached).items() if not _is_leaf(field)]
                waiting.extend(Way((*way.steps, (reached.name, name))) for name in further)
    return found


def reachable(schema: GraphQLSchema) -> set[Step]:
    """Return every field with fields of its own that a query can reach, behind interfaces and unions too."""
    found: set[Step] = set()
    waiting: list[GraphQLNamedType] = [schema.query_type] if schema.query_type else []
    while waiting:
        of = waiting.pop()
        if is_abstract_type(of):
            waiting.extend(schema.get_possible_types(of))
        for name, field in _fields(of).items():
            if (of.name, name) not in found and not _is_leaf(field):
                found.add((of.name, name))
                waiting.append(get_named_type(field.type))
    return found


def field_of(schema: GraphQLSchema, step: Step) -> GraphQLField:
    """Return the field that a step names."""
    return _fields(schema.type_map[step[0]])[step[1]]


def leaves(of: GraphQLNamedType) -> str:
    """Return a selection of everything on a type that has no fields of its own and needs no argument."""
    names = [name for name, field in _fields(of).items() if _is_leaf(field) and not _needs_arguments(field)]
    return " ".join(["__typename", *names])


def selection(of: GraphQLNamedType, *, depth: int = 1) -> str:
    """Return a selection of a type: its leaves, and those of its fields to a depth."""
    parts = [leaves(of)]
    for name, field in _fields(of).items():
        if depth and not _is_leaf(field) and not _needs_arguments(field):
            parts.append(f"{name} {{ {selection(get_named_type(field.type), depth=depth - 1)} }}")
    return " ".join(parts)


def _fields(of: GraphQLNamedType) -> Mapping[str, GraphQLField]:
    if isinstance(of, GraphQLObjectType | GraphQLInterfaceType):
        return of.fields
    assert isinstance(of, GraphQLUnionType | GraphQLLeafType)
    return {}


def _is_leaf(field: GraphQLField) -> bool:
    return is_leaf_type(get_named_type(field.type))


def _needs_arguments(field: GraphQLField) -> bool:
    return any(is_required_argument(argument) for argument in field.args.values())
