"""How much a document asks for, counted in one walk before it is validated."""

import dataclasses
from collections.abc import Sequence

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
)

from engine.limits import LimitReached, Limits

INTROSPECTION_ROOTS = frozenset({"__schema", "__type"})


@dataclasses.dataclass(slots=True)
class Figures:
    """What a selection set asks for, its fragments expanded.

    Attributes:
        fields: Fields of the selection set's own level.
    """

    selections: int = 0
    fields: int = 0
    depth: int = 0
    introspection_depth: int = 0
    nesting: int = 0
    aliases: int = 0
    directives: int = 0


def check(document: DocumentNode, limits: Limits) -> frozenset[str]:
    """Refuse a document that asks for too much.

    Every fragment is walked once, so the time is linear in the text however the fragments multiply. A fragment that
    contains itself counts as empty where it closes the circle; validation names the circle afterwards.

    Returns:
        Names of the operations that ask about the schema; an anonymous one by the empty name.

    Raises:
        LimitReached: The first limit that is exceeded.
    """
    if len(document.definitions) > limits.definitions:
        raise LimitReached("definitions", limits.definitions)
    walk = _Walk(document, limits)
    introspecting = set()
    for definition in document.definitions:
        if isinstance(definition, OperationDefinitionNode):
            if walk.check_operation(definition).introspection_depth:
                introspecting.add(definition.name.value if definition.name else "")
        elif isinstance(definition, FragmentDefinitionNode):
            walk.fragment(definition.name.value, 0)
    return frozenset(introspecting)


class _Walk:
    """One pass over a document that remembers the figures of each fragment."""

    def __init__(self, document: DocumentNode, limits: Limits) -> None:
        self._limits = limits
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        self._known: dict[str, Figures] = {}

    def check_operation(self, operation: OperationDefinitionNode) -> Figures:
        figures = self._selection_set(operation.selection_set.selections, 0)
        figures.directives += self._directives(operation.directives)
        for variable in operation.variable_definitions or ():
            figures.directives += self._directives(variable.directives)
        self._check("directives", figures.directives)
        self._check("depth", figures.depth)
        self._check("introspection_depth", figures.introspection_depth)
        self._check("aliases", figures.aliases)
        mutates = operation.operation is OperationType.MUTATION
        self._check("root_mutations" if mutates else "root_fields", figures.fields)
        return figures

    def fragment(self, name: str, level: int) -> Figures:
        known = self._known.get(name)
        if known is not None:
            return known
        definition = self._fragments.get(name)
        if definition is None:
            return Figures()
        self._known[name] = Figures()
        figures = self._selection_set(definition.selection_set.selections, level)
        figures.directives += self._directives(definition.directives)
        self._known[name] = figures
        return figures

    def _selection_set(self, selections: Sequence[SelectionNode], level: int) -> Figures:
        if level > self._limits.nesting:
            raise LimitReached("nesting", self._limits.nesting)
        total = Figures()
        for selection in selections:
            total.selections += 1
            total.directives += self._directives(selection.directives)
            if isinstance(selection, FieldNode):
                self._add_field(total, selection, level)
            elif isinstance(selection, FragmentSpreadNode):
                _add_level(total, self.fragment(selection.name.value, level + 1))
            elif isinstance(selection, InlineFragmentNode):
                _add_level(total, self._selection_set(selection.selection_set.selections, level + 1))
        self._check("selections", total.selections)
        self._check("nesting", total.nesting)
        return total

    def _add_field(self, total: Figures, field: FieldNode, level: int) -> None:
        total.fields += 1
        total.aliases += field.alias is not None
        below = Figures()
        if field.selection_set is not None:
            below = self._selection_set(field.selection_set.selections, level + 1)
        if field.name.value in INTROSPECTION_ROOTS:
            below.introspection_depth = max(below.introspection_depth, below.depth) + 1
            below.depth = 0
        below.depth += 1
        below.fields = 0
        _add_level(total, below)

    def _directives(self, directives: Sequence[DirectiveNode] | None) -> int:
        count = len(directives or ())
        self._check("directives_a_node", count)
        return count

    def _check(self, which: str, count: int) -> None:
        limit: int = getattr(self._limits, which)
        if count > limit:
            raise LimitReached(which, limit)


def _add_level(total: Figures, part: Figures) -> None:
    """Count what a part of the same level asks for."""
    total.selections += part.selections
    total.fields += part.fields
    total.aliases += part.aliases
    total.directives += part.directives
    total.depth = max(total.depth, part.depth)
    total.introspection_depth = max(total.introspection_depth, part.introspection_depth)
    total.nesting = max(total.nesting, part.nesting + 1)
