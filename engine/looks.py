"""Looks at an operation before it is executed: what its plan depends on, and whether there can be one."""

from collections.abc import Mapping
from typing import Any

from graphql import (
    DirectiveNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    VariableNode,
    Visitor,
    visit,
)

INTROSPECTION = frozenset({"__schema", "__type"})
"""Root fields about the schema."""

_SWITCHES = frozenset({"skip", "include"})
_LEFT_TO_LIBRARY = frozenset({"defer", "stream", "experimental_disableErrorPropagation"})


class Look(Visitor):
    """Finds out on which variables the selection depends, and what graphql-core must execute.

    Attributes:
        switches: Variables of `@skip` and `@include`.
        spreads: Fragments that are spread.
        is_left: Whether graphql-core must execute.
    """

    def __init__(self) -> None:
        super().__init__()
        self.switches: set[str] = set()
        self.spreads: set[str] = set()
        self.is_left = False

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        if node.name.value in _LEFT_TO_LIBRARY:
            self.is_left = True
        if node.name.value in _SWITCHES:
            self.switches |= {
                each.value.name.value for each in node.arguments or () if isinstance(each.value, VariableNode)
            }

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> None:
        self.spreads.add(node.name.value)

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        self.is_left |= node.name.value in INTROSPECTION


def looked(operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]) -> Look:
    """Look at an operation and at the fragments that its spreads lead to, each of them once."""
    look = Look()
    visit(operation, look)
    seen: set[str] = set()
    while new := look.spreads - seen:
        seen |= new
        for name in new & fragments.keys():
            visit(fragments[name], look)
    return look
