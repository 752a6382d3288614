"""What a schema says of its prices: the directives `@cost`, `@listSize` and `@bound` on its types and fields.

`@cost` and `@listSize` are those of IBM's GraphQL Cost Directives; `@bound` says what they have no word for.
"""

import dataclasses
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from graphql import (
    DirectiveNode,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    value_from_ast_untyped,
)

ASSUMED_SIZE = 10
"""Elements of a list of which the schema says nothing."""


@dataclasses.dataclass(frozen=True, slots=True)
class Size:
    """How many elements a list has.

    Attributes:
        assumed: Where the client does not say.
        at_most: Whatever the client says; None where nobody knows.
        slicing_arguments: Those by which the client says it; the greatest one counts.
        sized_fields: The fields of the field's own type that hold the list; empty where the field itself does.
        elements_of: The argument that brings one element for each element of the list; None where none does.
    """

    assumed: int = ASSUMED_SIZE
    at_most: int | None = None
    slicing_arguments: tuple[str, ...] = ()
    sized_fields: frozenset[str] = frozenset()
    elements_of: str | None = None


class Tariff:
    """The prices that a schema declares, each read once.

    Prices are whole numbers; a fraction is rounded up.
    """

    def __init__(self, schema: GraphQLSchema) -> None:
        self.schema = schema
        self._sizes: dict[int, Size | None] = {}
        self._weights: dict[int, int | None] = {}
        self._weighted: dict[str, bool] = {}

    def object_weight(self, kind: GraphQLNamedType) -> int:
        """Return what one object of a type costs by itself: 1 where nothing is said."""
        weight = self.weight(kind)
        return 1 if weight is None else weight

    def weight(self, element: Any) -> int | None:
        """Return the weight on a type, field, argument or input field; None where it has none."""
        if id(element) not in self._weights:
            given = _arguments(element, "cost").get("weight")
            self._weights[id(element)] = None if given is None else max(0, math.ceil(float(given)))
        return self._weights[id(element)]

    def size(self, field: GraphQLField) -> Size | None:
        """Return what a field says of the length of a list; None where it says nothing."""
        if id(field) not in self._sizes:
            self._sizes[id(field)] = _size(field)
        return self._sizes[id(field)]

    def is_weighted(self, kind: GraphQLInputType) -> bool:
        """Tell whether values of an input type may cost something."""
        named = get_named_type(kind)
        if named.name not in self._weighted:
            self._weighted[named.name] = any(
                self.weight(field) for each in _reached(named) for field in each.fields.values()
            )
        return self._weighted[named.name]


def _reached(kind: GraphQLNamedType) -> list[GraphQLInputObjectType]:
    """Return the input objects that values of a type may hold, itself included."""
    reached: dict[str, GraphQLInputObjectType] = {}
    waiting = [kind]
    while waiting:
        each = waiting.pop()
        if isinstance(each, GraphQLInputObjectType) and each.name not in reached:
            reached[each.name] = each
            waiting += [get_named_type(field.type) for field in each.fields.values()]
    return list(reached.values())


def unbounded(schema: GraphQLSchema) -> list[str]:
    """Return the coordinates (`Type.field`) of lists of objects whose length the schema leaves open.

    A list is bounded by its own field, or by all fields that lead to the type that it is part of.
    """
    tariff = Tariff(schema)
    leading: dict[str, list[GraphQLField]] = {}
    for _, _, field in _fields(schema):
        held = get_named_type(field.type)
        for possible in schema.get_possible_types(held) if is_abstract_type(held) else [held]:
            leading.setdefault(possible.name, []).append(field)

    def is_bounded(parent: GraphQLObjectType, name: str, field: GraphQLField) -> bool:
        if is_leaf_type(get_named_type(field.type)) or not is_list(field.type):
            return True
        if (size := tariff.size(field)) is not None and not size.sized_fields:
            return True
        sizes = [tariff.size(each) for each in leading.get(parent.name, ())]
        return bool(sizes) and all(size is not None and name in size.sized_fields for size in sizes)

    return [f"{parent.name}.{name}" for parent, name, field in _fields(schema) if not is_bounded(parent, name, field)]


def is_list(kind: GraphQLOutputType) -> bool:
    """Tell whether a type is a list, null or not."""
    return is_list_type(get_nullable_type(kind))


def _fields(schema: GraphQLSchema) -> Iterator[tuple[GraphQLObjectType, str, GraphQLField]]:
    for each in schema.type_map.values():
        if isinstance(each, GraphQLObjectType) and not each.name.startswith("__"):
            for name, field in each.fields.items():
                yield each, name, field


def _size(field: GraphQLField) -> Size | None:
    listed, bound = _arguments(field, "listSize"), _arguments(field, "bound")
    if not listed and not bound:
        return None
    at_most = bound.get("atMost")
    assumed = listed.get("assumedSize", at_most)
    return Size(
        assumed=ASSUMED_SIZE if assumed is None else assumed,
        at_most=at_most,
        slicing_arguments=tuple(listed.get("slicingArguments") or ()),
        sized_fields=frozenset(listed.get("sizedFields") or ()),
        elements_of=bound.get("elementsOf"),
    )


def _arguments(element: Any, directive: str) -> Mapping[str, Any]:
    """Return the arguments of a directive where an element of the schema was defined."""
    node = element.ast_node
    directives: Sequence[DirectiveNode] = (node.directives if node is not None else None) or ()
    for each in directives:
        if each.name.value == directive:
            return {argument.name.value: value_from_ast_untyped(argument.value) for argument in each.arguments or ()}
    return {}
