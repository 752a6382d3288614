"""What of a document decides who shares its messages."""

import dataclasses
from collections import OrderedDict
from typing import Any

from graphql import (
    SKIP,
    ArgumentNode,
    FieldNode,
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    visit,
)

from engine.documents import Document
from schema.policies import is_personal

DOCUMENTS_KNOWN = 2_000

AFTER = "after"
"""The argument of every root field by which a client resumes."""


@dataclasses.dataclass(frozen=True, slots=True)
class Traits:
    """What of a document decides who shares its messages.

    Attributes:
        cursors: Variables that say where to resume, and nothing else.
        choices: Variables that say what is to be heard of, and nothing else: arguments of root fields.
        is_personal: Whether answers depend on who exactly asks.
    """

    cursors: frozenset[str]
    choices: frozenset[str]
    is_personal: bool


class KnownTraits:
    """The traits of documents, each looked for once.

    Args:
        schema: That the documents are valid against.
    """

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._known: OrderedDict[str, Traits] = OrderedDict()

    def of(self, document: Document) -> Traits:
        """Return the traits of a document without failures."""
        traits = self._known.get(document.sha256)
        if traits is None:
            traits = self._known[document.sha256] = _traits(self._schema, document)
            if len(self._known) > DOCUMENTS_KNOWN:
                self._known.popitem(last=False)
        return traits


def _traits(schema: GraphQLSchema, document: Document) -> Traits:
    assert document.tree is not None  # noqa: S101  (narrows the type: it has no failures)
    found = _Search(TypeInfo(schema), schema.subscription_type)
    visit(document.tree, TypeInfoVisitor(found.types, found))
    cursors = frozenset(found.cursors - found.choices - found.others)
    return Traits(cursors, frozenset((found.cursors | found.choices) - found.others), found.is_personal)


class _Search(Visitor):
    """Looks at all definitions of a document."""

    def __init__(self, types: TypeInfo, root: object) -> None:
        super().__init__()
        self.types = types
        self.cursors: set[str] = set()
        self.choices: set[str] = set()
        self.others: set[str] = set()
        self.is_personal = False
        self._found = self.others
        self._root = root

    def enter_variable_definition(self, _node: VariableDefinitionNode, *_: object) -> Any:
        return SKIP

    def enter_argument(self, node: ArgumentNode, *_: object) -> None:
        if self.types.get_parent_type() is not self._root or self.types.get_directive() is not None:
            return
        is_cursor = node.name.value == AFTER and isinstance(node.value, VariableNode)
        self._found = self.cursors if is_cursor else self.choices

    def leave_argument(self, *_: object) -> None:
        self._found = self.others

    def enter_variable(self, node: VariableNode, *_: object) -> None:
        self._found.add(node.name.value)

    def enter_field(self, _node: FieldNode, *_: object) -> None:
        declared = self.types.get_field_def()
        self.is_personal |= declared is not None and is_personal(declared)
