"""Prices, declared beside what they are for, and printed with the schema.

`@cost` and `@listSize` are those of IBM's GraphQL Cost Directives, which tools read. `@bound` says what they have no
word for: the most that a list ever holds, and that it holds one element for each that the client brings.
"""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import strawberry
from graphql import (
    ArgumentNode,
    DirectiveNode,
    FieldDefinitionNode,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    InputValueDefinitionNode,
    NameNode,
    ObjectTypeDefinitionNode,
    ast_from_value,
    parse_type,
)
from strawberry.schema_directive import Location
from strawberry.types.field import StrawberryField

from core.pagination import DEFAULT_SIZE, LARGEST_SIZE
from engine.price_schema import unbounded

_NAMES = {"Cost": "cost", "ListSize": "listSize", "Bound": "bound"}


@strawberry.schema_directive(
    locations=[
        Location.OBJECT,
        Location.FIELD_DEFINITION,
        Location.ARGUMENT_DEFINITION,
        Location.INPUT_FIELD_DEFINITION,
    ],
    description="Points for each object of a type, for each time a field is asked, or for an argument that is given. "
    "Without it an object is 1, and everything else 0.",
)
class Cost:
    """See the specification, section Cost."""

    weight: str


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    description="How long a list gets: as one of the arguments says, or as assumed. With sizedFields it is the list in "
    "these fields of the field's type.",
)
class ListSize:
    """See the specification, section List Size."""

    assumed_size: int | None = None
    slicing_arguments: list[str] | None = None
    sized_fields: list[str] | None = None
    require_one_slicing_argument: bool | None = True


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    description="How long a list gets at most; with elementsOf it has one element for each of this argument, and the "
    "field's own weight counts once for each.",
)
class Bound:
    """Ours."""

    at_most: int
    elements_of: str | None = None


OBJECT_OF_NO_COST = (Cost(weight="0"),)
"""On types that only hold together what is counted in them."""

CONNECTION = (Cost(weight="2"),)
"""On connections: a page takes a statement of its own, and reads a row more than it shows."""

MUTATION = (Cost(weight="10"),)
"""On mutations: a transaction with its reads and writes, and what follows from it."""

OPENING = 10
SUBSCRIPTION = (Cost(weight=str(OPENING)),)
"""On subscriptions: to open one; each message then costs what it holds."""

COUNT = (Cost(weight="5"),)
"""On total counts, which read up to 10,001 index entries."""

FACETS = Cost(weight="10")
"""On facets, which are counted over the whole listing."""

SEARCH = (Cost(weight="10"),)
"""On words to search for."""

PAGED = (
    ListSize(
        assumed_size=DEFAULT_SIZE,
        slicing_arguments=["first", "last"],
        sized_fields=["edges", "nodes"],
        require_one_slicing_argument=False,
    ),
    Bound(at_most=LARGEST_SIZE),
)
"""On fields that return a connection."""


def sliced(default: int, at_most: int) -> tuple[ListSize, Bound]:
    """Return the directives of a list that takes `first`."""
    listed = ListSize(assumed_size=default, slicing_arguments=["first"], require_one_slicing_argument=False)
    return listed, Bound(at_most=at_most)


def at_most(size: int) -> tuple[ListSize, Bound]:
    """Return the directives of a list that takes no argument."""
    return ListSize(assumed_size=size), Bound(at_most=size)


def one_for_each(argument: str, size: int, *, within: str | None = None) -> tuple[ListSize, Bound]:
    """Return the directives of a field that answers each element of an argument.

    Args:
        argument: The list that the client brings.
        size: Its elements at most.
        within: The field of the field's type that holds the answers; None where the field itself does.
    """
    listed = ListSize(assumed_size=size, sized_fields=[within] if within else None)
    return listed, Bound(at_most=size, elements_of=argument)


def costs(*directives: object) -> Callable[[Any], Any]:
    """Put prices on a field; use it as a decorator, or call it with a field that is declared otherwise."""

    def declare(field: StrawberryField) -> StrawberryField:
        field.directives = [*field.directives, *directives]
        return field

    return declare


def apply(schema: GraphQLSchema) -> None:
    """Write the declared directives where tools and the engine look for them: on the definitions' nodes.

    Raises:
        LookupError: A list may get as long as it likes.
    """
    for element, node in _elements(schema):
        definition = element.extensions.get("strawberry-definition")
        nodes = tuple(_directive(schema, each) for each in getattr(definition, "directives", None) or ())
        if nodes:
            element.ast_node = dataclasses.replace(node, directives=nodes)
    if found := unbounded(schema):
        raise LookupError(
            f"{found[0]} is a list without a bound: declare it by loads_list or put schema.cost.at_most on it"
        )


def _elements(schema: GraphQLSchema) -> Iterator[tuple[Any, Any]]:
    """Return all that may have a price, with a node as if it had been defined by SDL."""
    for kind in schema.type_map.values():
        if kind.name.startswith("__"):
            continue
        if isinstance(kind, GraphQLObjectType):
            yield kind, ObjectTypeDefinitionNode(name=NameNode(value=kind.name))
            for name, field in kind.fields.items():
                yield field, FieldDefinitionNode(name=NameNode(value=name), type=parse_type(str(field.type)))
        elif isinstance(kind, GraphQLInputObjectType):
            for name, given in kind.fields.items():
                yield given, InputValueDefinitionNode(name=NameNode(value=name), type=parse_type(str(given.type)))


def _directive(schema: GraphQLSchema, declared: object) -> DirectiveNode:
    """Return a directive as it is written in SDL; arguments at their defaults are left out."""
    definition = schema.get_directive(_NAMES[type(declared).__name__])
    assert definition is not None  # noqa: S101 - Strawberry registers what is declared.
    values = {field.name: getattr(declared, field.name) for field in dataclasses.fields(declared)}  # type: ignore[arg-type]
    arguments = []
    for (name, argument), value in zip(definition.args.items(), values.values(), strict=True):
        if value not in (None, argument.default_value):
            literal: Any = ast_from_value(value, argument.type)
            arguments.append(ArgumentNode(name=NameNode(value=name), value=literal))
    return DirectiveNode(name=NameNode(value=definition.name), arguments=tuple(arguments))
