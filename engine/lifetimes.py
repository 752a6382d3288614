"""How long the answer to an operation lasts: as long as the least lasting of the fields that it asks for."""

from collections.abc import Callable

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLSchema,
    Node,
    OperationDefinitionNode,
    OperationType,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    visit,
)

SecondsOf = Callable[[GraphQLField], float | None]
"""Returns how long the value of a field lasts; None where the field does not say."""

_TYPENAME = "__typename"


def lifetime_of(
    schema: GraphQLSchema, tree: DocumentNode, operation: OperationDefinitionNode, seconds_of: SecondsOf
) -> float:
    """Return for how many seconds an answer lasts; 0 where it must not be kept at all.

    A field that does not say lasts as long as what is around it, and a root field that does not say lasts not at all.
    Directives are not looked at, so that the variables make no difference. Each fragment is read once.

    Args:
        schema: That the document was validated against.
        tree: The document.
        operation: One of its operations.
        seconds_of: See `SecondsOf`.
    """
    if operation.operation is not OperationType.QUERY:
        return 0
    fragments = {node.name.value: node for node in tree.definitions if isinstance(node, FragmentDefinitionNode)}
    found = _Lifetimes(TypeInfo(schema), seconds_of, schema.query_type)
    waiting: list[Node] = [operation]
    seen: set[str] = set()
    while waiting:
        visit(waiting.pop(), TypeInfoVisitor(found.types, found))
        new = found.spreads & fragments.keys() - seen
        seen |= new
        waiting += [fragments[name] for name in new]
    return min(found.seconds, default=0)


class _Lifetimes(Visitor):
    """Collects what the fields below a node say, and the names of the fragments that it spreads."""

    def __init__(self, types: TypeInfo, seconds_of: SecondsOf, root: object) -> None:
        super().__init__()
        self.types = types
        self.seconds: set[float] = set()
        self.spreads: set[str] = set()
        self._seconds_of = seconds_of
        self._root = root

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: object) -> None:
        self.spreads.add(node.name.value)

    def enter_field(self, node: FieldNode, *_: object) -> None:
        if node.name.value == _TYPENAME:
            return
        declared = self.types.get_field_def()
        seconds = None if declared is None else self._seconds_of(declared)
        is_root = self.types.get_parent_type() is self._root
        if seconds is not None:
            self.seconds.add(seconds)
        elif is_root or declared is None:
            self.seconds.add(0)
