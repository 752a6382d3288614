"""What an operation asks for, as a tree of what has a price; fields that cost nothing are left out."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from graphql import (
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    OperationDefinitionNode,
    VariableNode,
    get_named_type,
    is_abstract_type,
    is_leaf_type,
)
from graphql.execution.collect_fields import (
    CollectedFields,
    FieldDetails,
    FragmentDetails,
    collect_fields,
    collect_subfields,
)
from graphql.execution.values import VariableValues

from engine.limits import LimitReached
from engine.price_amounts import Amount, elements, length, product, weight_of
from engine.price_schema import ASSUMED_SIZE, Size, Tariff

INTROSPECTION = 100
"""Points for `__schema` and `__type` with all that is below them: they cost no statement, and milliseconds."""

FIELDS_VISITED = 4_000
"""Fields that are looked at for the price of one operation. Open types multiply them: a selection is looked at once for
each type that it may apply to. A page without open types has 2,000 at most."""

_INTROSPECTION_ROOTS = frozenset({"__schema", "__type"})


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A selection set on one of the types that it may apply to.

    Attributes:
        keys: Response keys of all its fields, those that cost nothing among them.
        weight: Of one object.
        fields: Those that may cost something.
    """

    keys: frozenset[str]
    weight: int
    fields: tuple["Priced", ...]


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Priced:
    """A field that may cost something, wherever it is asked with the same selection.

    Attributes:
        key: In the response.
        weight: Each time that the field is asked.
        size: Objects it holds at most; 1 where it is no list.
        shape: Whether each level of its type may be null, the lists from the outermost and last what they hold.
        cases: By possible type; no two with the same content, and none where the field holds leaves.
    """

    key: str
    weight: Amount
    size: Amount
    shape: tuple[bool, ...]
    cases: tuple[Case, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """An operation together with what its price depends on.

    Attributes:
        tariff: Of the schema.
        operation: The operation, valid.
        fragments: Of its document, by name.
    """

    tariff: Tariff
    operation: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]

    @property
    def schema(self) -> GraphQLSchema:
        """The schema."""
        return self.tariff.schema


def priced_tree(asked: Asked, conditions: Mapping[str, bool]) -> Case:
    """Return what an operation asks of its root.

    Fields are merged as at execution, by the reference's own functions. A field with the same selection is looked at
    once, however many ways lead to it, and stands in the tree once.

    Args:
        asked: The operation.
        conditions: Values of the variables that `@skip` and `@include` depend on.

    Raises:
        LimitReached: There are too many fields to look at.
    """
    return _Walk(asked, conditions).root()


class _Walk:
    """One pass over the merged selections of an operation."""

    def __init__(self, asked: Asked, conditions: Mapping[str, bool]) -> None:
        self._asked = asked
        self._schema = asked.schema
        self._tariff = asked.tariff
        self._fragments = {name: FragmentDetails(each) for name, each in asked.fragments.items()}
        self._values = VariableValues({}, dict(conditions))
        self._known: dict[tuple[Any, ...], Priced | None] = {}
        self._visited = 0

    def root(self) -> Case:
        operation = self._asked.operation
        kind = self._schema.get_root_type(operation.operation)
        assert kind is not None  # noqa: S101 - the document is valid.
        collected = collect_fields(self._schema, self._fragments, self._values, kind, operation)
        return self._case(collected, kind, {}, weight=0)

    def _case(
        self, collected: CollectedFields, kind: GraphQLObjectType, sized: Mapping[str, Amount], *, weight: int
    ) -> Case:
        grouped = collected.grouped_field_set
        self._visited += sum(map(len, grouped.values()))
        if self._visited > FIELDS_VISITED:
            raise LimitReached("possible_types", FIELDS_VISITED)
        fields = [self._field(key, details, kind, sized) for key, details in grouped.items()]
        return Case(frozenset(grouped), weight, tuple(field for field in fields if field is not None))

    def _field(
        self, key: str, details: Sequence[FieldDetails], parent: GraphQLObjectType, sized: Mapping[str, Amount]
    ) -> Priced | None:
        node = details[0].node
        name = node.name.value
        field = parent.fields.get(name)
        if field is None:
            # A meta field, which belongs to no type.
            return Priced(key, INTROSPECTION, 1, (), ()) if name in _INTROSPECTION_ROOTS else None
        own = sized.get(name)
        known = (id(field), own, *(id(each.node) for each in details))
        if known not in self._known:
            self._known[known] = self._priced(key, details, field, own)
        return self._known[known]

    def _priced(
        self, key: str, details: Sequence[FieldDetails], field: GraphQLField, sized: Amount | None
    ) -> Priced | None:
        node, operation, size = details[0].node, self._asked.operation, self._tariff.size(field)
        brought: Amount = 1
        if size is not None and size.elements_of is not None:
            brought = elements(node, field, size, operation)
        weight = product(brought, weight_of(node, field, self._tariff, operation))
        named = get_named_type(field.type)
        if is_leaf_type(named):
            return None if weight == 0 else Priced(key, weight, 1, (), ())
        shape = _shape(field.type)
        held: dict[str, Amount] = {}
        own: Amount = 1
        if size is not None and size.sized_fields:
            held = dict.fromkeys(size.sized_fields, _listed(node, field, size, operation))
        lists = len(shape) - 1
        if lists:
            own = _listed(node, field, size or Size(), operation) if sized is None else sized
            own = product(own, ASSUMED_SIZE ** (lists - 1))
        cases = self._cases(details, field.type, held)
        is_free = weight == 0 and all(case.weight == 0 and not case.fields for case in cases)
        return None if is_free else Priced(key, weight, own, shape, cases)

    def _cases(
        self, details: Sequence[FieldDetails], held: GraphQLOutputType, sized: Mapping[str, Amount]
    ) -> tuple[Case, ...]:
        named = get_named_type(held)
        possible: Any = self._schema.get_possible_types(named) if is_abstract_type(named) else [named]
        found: dict[tuple[Any, ...], Case] = {}
        for kind in possible:
            collected = collect_subfields(
                self._schema, self._fragments, self._values, self._asked.operation, kind, list(details)
            )
            case = self._case(collected, kind, sized, weight=self._tariff.object_weight(kind))
            found.setdefault((case.keys, case.weight, case.fields), case)
        return tuple(found.values())


def _listed(node: FieldNode, field: GraphQLField, size: Size, operation: OperationDefinitionNode) -> Amount:
    if size.elements_of is not None:
        return elements(node, field, size, operation)
    return length(node, field, size, operation)


def _shape(kind: GraphQLOutputType) -> tuple[bool, ...]:
    shape = []
    while True:
        is_nullable = not isinstance(kind, GraphQLNonNull)
        inner: Any = kind if is_nullable else kind.of_type  # type: ignore[union-attr]
        shape.append(is_nullable)
        if not isinstance(inner, GraphQLList):
            return tuple(shape)
        kind = inner.of_type


def condition_names(asked: Asked) -> tuple[str, ...]:
    """Return the variables that directives within an operation's selections are given, sorted."""
    declared = {each.variable.name.value for each in asked.operation.variable_definitions or ()}
    if not declared:
        return ()
    waiting = [asked.operation.selection_set, *(each.selection_set for each in asked.fragments.values())]
    named: set[str] = set()
    while waiting:
        for selection in waiting.pop().selections:
            named |= set(_variables_of(selection.directives or ()))
            below = getattr(selection, "selection_set", None)
            if below is not None:
                waiting.append(below)
    return tuple(sorted(named & declared))


def _variables_of(directives: Sequence[DirectiveNode]) -> Iterator[str]:
    for directive in directives:
        for argument in directive.arguments or ():
            if isinstance(argument.value, VariableNode):
                yield argument.value.name.value
