"""How many objects an operation may ask for at most, counted in one walk over its document once that is valid."""

from collections.abc import Iterator, Mapping

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NullValueNode,
    OperationDefinitionNode,
    SelectionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
)

PAGE_AT_MOST = 100
"""Elements of the longest page; what a variable may ask for, and what a figure beyond it is answered with at most."""

PAGE_BY_DEFAULT = 20
"""Elements of a page that nobody gave a length."""

LIST = 10
"""Elements of a list that cannot be cut: translations, prices by channel, values of a facet."""

GIVEN_AT_MOST = 250
"""Elements that one argument may bring, such as ids to look up or objects to write."""

_PAGE_ARGUMENTS = ("first", "last")
_GIVING_ARGUMENTS = ("ids", "inputs", "changes")
_PAGE_TYPES = ("Connection", "BulkPayload")
_WRAPPERS = (*_PAGE_TYPES, "Edge", "PageInfo")
"""Ends of the names of types that hold a page together and cost next to nothing themselves."""


def objects_of(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, object] | None = None,
) -> int:
    """Return how many objects an operation may be answered with at most.

    A field counts what it holds as often as its list may be long: by its page argument, by what its arguments bring,
    or by a guess. Where the type is open, the greatest of the possible ones counts. Fields that are merged at execution
    count each, so that the figure is never too low on their account. Introspection is not counted.

    Each selection set is walked once for each type that it may apply to, so the time is linear in the text.

    Args:
        schema: What the document was validated against.
        document: A valid document, so without circles of fragments.
        operation: One of its operations.
        variables: As the client sent them; None for the most that any values can ask for.
    """
    if variables is not None:
        variables = {**dict(_declared(operation)), **variables}
    walk = _Walk(schema, document, variables)
    return walk.operation(operation)


def _declared(operation: OperationDefinitionNode) -> Iterator[tuple[str, object]]:
    """Return the default of each variable, as far as it counts; None where it has none."""
    for definition in operation.variable_definitions or ():
        default = definition.default_value
        yield definition.variable.name.value, None if default is None else _constant(default)


def _constant(value: ValueNode) -> object:
    """Return a literal as far as it counts: a number, a list, None, or else the literal itself, which is one thing."""
    if isinstance(value, NullValueNode):
        return None
    if isinstance(value, IntValueNode):
        return int(value.value)
    return value.values if isinstance(value, ListValueNode) else value


class _Walk:
    """One pass over a document that remembers the figure of each selection set for each type."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, object] | None) -> None:
        self._schema = schema
        self._variables = variables
        self._fragments = {
            definition.name.value: definition
            for definition in document.definitions
            if isinstance(definition, FragmentDefinitionNode)
        }
        # By identity: nodes compare by their whole content, and all of them live as long as the walk.
        self._known: dict[tuple[int, str], int] = {}

    def operation(self, operation: OperationDefinitionNode) -> int:
        root = self._schema.get_root_type(operation.operation)
        return 0 if root is None else self._selection_set(operation.selection_set, root)

    def _selection_set(self, selection_set: SelectionSetNode, parent: GraphQLNamedType) -> int:
        key = (id(selection_set), parent.name)
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = self._count(selection_set, parent)
        return known

    def _count(self, selection_set: SelectionSetNode, parent: GraphQLNamedType) -> int:
        if is_abstract_type(parent):
            possible = self._schema.get_possible_types(parent)
            return max((self._selection_set(selection_set, each) for each in possible), default=0)
        return sum(self._selection(selection, parent) for selection in selection_set.selections)

    def _selection(self, selection: SelectionNode, parent: GraphQLNamedType) -> int:
        if isinstance(selection, FieldNode):
            return self._field(selection, parent)
        if isinstance(selection, FragmentSpreadNode):
            definition = self._fragments[selection.name.value]
            return self._fragment(definition.type_condition.name.value, definition.selection_set, parent)
        if isinstance(selection, InlineFragmentNode):
            condition = selection.type_condition
            return self._fragment(condition.name.value if condition else None, selection.selection_set, parent)
        return 0

    def _fragment(self, condition: str | None, selection_set: SelectionSetNode, parent: GraphQLNamedType) -> int:
        if condition is not None and condition != parent.name:
            wanted = self._schema.get_type(condition)
            is_possible = is_abstract_type(wanted) and self._schema.is_sub_type(wanted, parent)
            if not is_possible:
                return 0
        return self._selection_set(selection_set, parent)

    def _field(self, node: FieldNode, parent: GraphQLNamedType) -> int:
        if node.selection_set is None or not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
            return 0
        field = parent.fields.get(node.name.value)
        if field is None:
            # `__schema` and `__type` belong to no type.
            return 0
        held = get_named_type(field.type)
        own = 0 if is_leaf_type(held) or held.name.endswith(_WRAPPERS) else 1
        return self._length(field, node, parent) * (own + self._selection_set(node.selection_set, held))

    def _length(self, field: GraphQLField, node: FieldNode, parent: GraphQLNamedType) -> int:
        """Return how many elements a field holds at most."""
        is_list = is_list_type(get_nullable_type(field.type))
        if not is_list and not get_named_type(field.type).name.endswith(_PAGE_TYPES):
            return 1
        given = {argument.name.value: self._given(argument.value) for argument in node.arguments or ()}
        if any(name in field.args for name in _PAGE_ARGUMENTS):
            wanted = [_elements(given[name]) for name in _PAGE_ARGUMENTS if given.get(name) is not None]
            return max(wanted) if wanted else next(_defaults(field), PAGE_BY_DEFAULT)
        brought = [_items(given[name]) for name in _GIVING_ARGUMENTS if given.get(name) is not None]
        if brought:
            return max(brought)
        return LIST if is_list and not parent.name.endswith(_PAGE_TYPES) else 1

    def _given(self, value: ValueNode) -> object:
        """Return what an argument holds, as far as it counts; see `_constant`."""
        if not isinstance(value, VariableNode):
            return _constant(value)
        return _ANYTHING if self._variables is None else self._variables.get(value.name.value)


_ANYTHING = object()
"""What a variable holds that is not known yet."""


def _defaults(field: GraphQLField) -> Iterator[int]:
    for name in _PAGE_ARGUMENTS:
        argument = field.args.get(name)
        default = None if argument is None else argument.default
        if default is not None and isinstance(default.literal, IntValueNode):
            yield _elements(int(default.literal.value))
        elif argument is not None and isinstance(argument.default_value, int):
            # How Strawberry gives it.
            yield argument.default_value


def _elements(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value <= PAGE_AT_MOST else PAGE_AT_MOST


def _items(value: object) -> int:
    if value is _ANYTHING:
        return GIVEN_AT_MOST
    return len(value) if isinstance(value, list | tuple) else 1
