"""Plans: what is known of an operation's execution before it runs, selection set by selection set."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graphql import FieldNode, GraphQLField, GraphQLObjectType, GraphQLOutputType

Read = Callable[[Any], Any]
"""Reads the value of a field from its parent, without side effects; what it raises is the field's error."""

Arguments = Callable[[Any], Mapping[str, Any]]
"""Takes the `engine.state.State` of a request and returns the arguments of a field, by their Python names."""


@dataclasses.dataclass(frozen=True, slots=True)
class Loading:
    """How a field that loads is read (`engine.loading.loads`).

    Attributes:
        relation: What the context's loaders know how to read.
        key: The attribute, or column, of the parent that is looked up.
        arguments: Of the relation.
    """

    relation: Any
    key: str
    arguments: Arguments


@dataclasses.dataclass(slots=True, eq=False)
class Carrying:
    """What is folded into the statement of a root field (`engine.folding`).

    Attributes:
        wanted: `engine.layouts.Wanted` of its rows.
        slots: What reads the arguments of each carried relation.
        is_whole: Whether the operation reads nothing else.
        complete: Makes the whole response of the root field from its value and those arguments; None where some part
            of it takes a step of its own.
    """

    wanted: Any
    slots: list[Arguments]
    is_whole: bool = False
    complete: Callable[[Any, Sequence[Any]], Any] | None = None


@dataclasses.dataclass(slots=True, eq=False)
class Field:
    """A field of a selection set, its merged nodes taken together.

    Exactly one of `read`, `loading` and `resolve` says how it is read.

    Attributes:
        key: Response key.
        name: Name in the schema.
        nodes: Where it stands in the document.
        parent: The object type.
        definition: In the schema.
        read: For plain fields: see `Read`.
        loading: For fields that load.
        resolve: For all others: graphql-core's resolver.
        arguments: For `resolve`, and for plain fields whose value may be a function.
        guard: Raises where the actor, read from the context, may not ask for the field.
        selection_of: Returns the selection set below for an object type; None for leaves.
        abstract: Whether the object type is known only when the value is.
        complete_leaf: For leaves: turns a value that is neither None nor a list into its response.
        is_settled: Whether values are known to be neither awaitable, nor functions, nor exceptions.
        is_alone: Of a field that loads: whether no other field of the operation reads the same.
        is_last: Of a field that loads: whether nothing else is read once the only mutation is done.
        carrying: Of a root field: what its statement brings along.
    """

    key: str
    name: str
    nodes: list[FieldNode]
    parent: GraphQLObjectType
    definition: GraphQLField
    read: Read | None = None
    loading: Loading | None = None
    resolve: Callable[..., Any] | None = None
    arguments: Arguments | None = None
    guard: Callable[[Any], None] | None = None
    selection_of: "Callable[[GraphQLObjectType], Selection] | None" = None
    abstract: bool = False
    complete_leaf: Callable[[Any], Any] | None = None
    is_settled: bool = False
    is_alone: bool = False
    is_last: bool = False
    carrying: Carrying | None = None

    @property
    def type(self) -> GraphQLOutputType:
        """Its type in the schema."""
        return self.definition.type


@dataclasses.dataclass(slots=True, eq=False)
class Selection:
    """A selection set on an object type, its fragments and directives already applied.

    Attributes:
        type: The object type.
        fields: In response order, without `__typename` where `build` knows it.
        build: Makes the response objects of all parents of a level, with the leaves that can be read at once, and None
            for each of `later`; None where nothing is gained by it. It raises when any value is out of the ordinary.
        later: Fields that take a step of their own for each level.
        typenames: Response keys of `__typename`.
        needs_paths: Whether somebody below may ask where he is.
        is_trusted: Whether the objects are known to be of the type.
        is_carried: Whether the parents are rows of a folded statement; `build` then takes the arguments of what they
            carry as well, and `fields` holds only what is left for loaders.
        misses: How often in a row `build` was no help; where that is the rule it is hardly tried.
    """

    type: GraphQLObjectType
    fields: list[Field]
    keys: list[str]
    typenames: list[str]
    later: list[Field]
    needs_paths: bool
    is_trusted: bool
    build: Callable[..., list[dict[str, Any]]] | None = None
    is_carried: bool = False
    misses: int = 0


@dataclasses.dataclass(slots=True, eq=False)
class Plan:
    """How one operation runs, for one set of values of the variables that `@skip` and `@include` depend on.

    Attributes:
        root: The selection set of the operation.
        is_serial: Whether the root fields run one after the other, as those of mutations.
        is_folded: Whether some root field carries; the plan may then give up where rows are not as expected.
        guards: Of all carried fields: raise where the actor may not ask for one.
        resolvers: Each field that the plan knows, with its resolver at that time.
    """

    root: Selection
    is_serial: bool
    is_folded: bool = False
    guards: tuple[Callable[[Any], None], ...] = ()
    resolvers: Sequence[tuple[GraphQLField, Any]] = ()

    @property
    def is_current(self) -> bool:
        """Whether the schema still has the resolvers that the plan was made of."""
        return all(field.resolve is resolve for field, resolve in self.resolvers)
