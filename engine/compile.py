"""Makes the plan of an operation from its collected fields; graphql-core says which fields those are."""

from collections.abc import Callable
from typing import Any

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    get_named_type,
    is_leaf_type,
)
from graphql.execution.collect_fields import (
    FieldDetails,
    FragmentDetails,
    GroupedFieldSet,
    collect_fields,
    collect_subfields,
)
from graphql.execution.values import VariableValues

from engine.arguments import arguments_of
from engine.building import built, generated
from engine.fields import (
    GUARD,
    carries,
    is_of_rows,
    loaded_field_of,
    loading_arguments,
    plain_of,
    resolver_of,
    row_field_of,
)
from engine.folding import Fold, NotFolded
from engine.leaves import complete_leaf
from engine.plans import Arguments, Carrying, Field, Loading, Plan, Selection

MOST_FIELDS = 20_000
"""Fields of a plan; an operation beyond, whose fragments multiply, is left to graphql-core."""

TYPENAME = "__typename"


class NotCompiled(Exception):
    """The operation uses what the compiler leaves to graphql-core."""


class Compiler:
    """Compiles one operation for one set of values of the variables that `@skip` and `@include` depend on.

    Args:
        schema: What it is executed on.
        fragments: Of its document, by name.
        operation: A valid operation.
        variable_values: Those of the request that asked first.
        hide_suggestions: Whether errors may not name what else there is.
        folds: Whether root fields may carry what is below them.
    """

    def __init__(  # noqa: PLR0913  (see `Args`)
        self,
        schema: GraphQLSchema,
        fragments: dict[str, FragmentDetails],
        operation: OperationDefinitionNode,
        variable_values: VariableValues,
        *,
        hide_suggestions: bool,
        folds: bool = False,
    ) -> None:
        self.schema = schema
        self._fragments = fragments
        self._operation = operation
        self._variable_values = variable_values
        self.hide_suggestions = hide_suggestions
        self._fields_left = MOST_FIELDS
        self._uses: dict[int, list[Field]] = {}
        self._folds = folds
        self._fold: Fold | None = None
        self._unfinished: list[tuple[Selection, str]] = []
        self._resolvers = 0
        self._resolvers_seen: list[tuple[GraphQLField, Any]] = []
        self._carrying: list[Carrying] = []
        self._guards: list[Callable[[Any], None]] = []

    def plan(self) -> Plan:
        """Return the plan.

        Raises:
            NotCompiled: Something is left to graphql-core.
        """
        root_type = self.schema.get_root_type(self._operation.operation)
        if root_type is None:
            raise NotCompiled("the schema has no such operations")
        root = self.selection(root_type, self.root_fields(root_type), is_trusted=True)
        for fields in self._uses.values():
            fields[0].is_alone = len(fields) == 1
        is_whole = len(root.fields) == 1 and self._resolvers == 1 and not self._uses
        for carrying in self._carrying:
            carrying.is_whole = is_whole
        is_serial = self._operation.operation is OperationType.MUTATION
        if is_serial and len(root.fields) == 1 and self._resolvers == 1 and len(self._uses) == 1:
            ((field, *others),) = self._uses.values()
            field.is_last = not others
        return Plan(
            root,
            is_serial=is_serial,
            is_folded=bool(self._carrying),
            guards=tuple(dict.fromkeys(self._guards)),
            resolvers=self._resolvers_seen,
        )

    def root_fields(self, root_type: GraphQLObjectType) -> GroupedFieldSet:
        """Collect the fields of the operation."""
        return self._counted(
            collect_fields(
                self.schema, self._fragments, self._variable_values, root_type, self._operation, self.hide_suggestions
            ).grouped_field_set
        )

    def sub_fields(self, type_: GraphQLObjectType, details: list[FieldDetails]) -> GroupedFieldSet:
        """Collect the fields below a field whose value is of a type."""
        return self._counted(
            collect_subfields(
                self.schema,
                self._fragments,
                self._variable_values,
                self._operation,
                type_,
                details,
                self.hide_suggestions,
            ).grouped_field_set
        )

    def _counted(self, grouped: GroupedFieldSet) -> GroupedFieldSet:
        self._fields_left -= len(grouped)
        if self._fields_left < 0:
            raise NotCompiled("too many fields")
        return grouped

    def selection(self, type_: GraphQLObjectType, grouped: GroupedFieldSet, *, is_trusted: bool) -> Selection:
        """Return the plan of a selection set.

        Args:
            type_: The object type.
            grouped: Its collected fields.
            is_trusted: Whether objects need not be asked for their type.
        """
        if self._fold is not None and is_of_rows(type_):
            return self._carried_selection(self._fold, type_, grouped)
        typenames = [key for key, details in grouped.items() if details[0].node.name.value == TYPENAME]
        fields: list[Field] = []
        keys: list[str] = []
        for key, details in grouped.items():
            field = None if key in typenames else self.field(type_, key, details)
            if field is not None:
                fields.append(field)
            if field is not None or key in typenames:
                keys.append(key)
        later = [field for field in fields if not _is_at_once(field)]
        needs_paths = any(_asks_for_path(field) for field in fields)
        build = None if len(later) == len(fields) and not typenames else built(type_, keys, fields, later)
        return Selection(
            type_, fields, keys, typenames, later, needs_paths, is_trusted or type_.is_type_of is None, build
        )

    def field(self, parent: GraphQLObjectType, key: str, details: list[FieldDetails]) -> Field | None:
        """Return the plan of a field; None for one that the schema does not have, which answers nothing."""
        nodes = [each.node for each in details]
        name = nodes[0].name.value
        if name.startswith("__"):
            raise NotCompiled("introspection")
        definition = parent.fields.get(name)
        if definition is None:
            return None
        self._resolvers_seen.append((definition, definition.resolve))
        field = Field(key, name, nodes, parent, definition, guard=definition.extensions.get(GUARD))
        self._say_how_to_read(field)
        self._say_what_is_below(field, details)
        return field

    def _say_how_to_read(self, field: Field) -> None:
        parent, definition, node = field.parent, field.definition, field.nodes[0]
        loaded = loaded_field_of(definition)
        if loaded is not None:
            arguments = loading_arguments(self.schema, loaded, self.arguments(definition, node))
            field.loading = Loading(loaded.metadata["relation"], loaded.metadata["key"], arguments)
            self._uses.setdefault(id(field.loading.relation), []).append(field)
            return
        row = row_field_of(definition)
        plain = plain_of(parent, field.name, definition)
        if row is not None:
            field.read = lambda source: row.get_result(source, None, [], {})
            field.is_settled = is_of_rows(parent)
        elif plain is not None:
            field.read, field.is_settled = plain.read, plain.is_settled
        else:
            self._resolvers += 1
            field.resolve, field.arguments = resolver_of(self.schema, definition, self.arguments(definition, node))
            return
        field.arguments = self.arguments(definition, node)

    def arguments(self, definition: GraphQLField, node: FieldNode) -> Arguments:
        """Return what reads the arguments of a field."""
        return arguments_of(definition, node, hide_suggestions=self.hide_suggestions)

    def _say_what_is_below(self, field: Field, details: list[FieldDetails]) -> None:
        named = get_named_type(field.type)
        if is_leaf_type(named):
            field.complete_leaf = complete_leaf(named)
            return
        if isinstance(named, GraphQLObjectType):
            selection = self._folded(field, named, details) or self._selection_below(field, named, details)
            field.selection_of = lambda _: selection
            return
        field.abstract = True
        self._resolvers += 1
        field.selection_of = self._lazily(details)

    def _selection_below(self, field: Field, type_: GraphQLObjectType, details: list[FieldDetails]) -> Selection:
        is_trusted = field.loading is not None or is_of_rows(type_)
        fold = self._fold
        if field.read is None and field.carrying is None:
            # What a resolver below the root returns are rows of its own.
            self._fold = None
        try:
            return self.selection(type_, self.sub_fields(type_, details), is_trusted=is_trusted)
        finally:
            self._fold = fold

    def _folded(self, field: Field, type_: GraphQLObjectType, details: list[FieldDetails]) -> Selection | None:
        """Return the selection set below a root field whose statement brings it along; None where it cannot."""
        if not self._folds or self._fold is not None or not carries(field.definition):
            return None
        selection = self._whole(field, type_, details)
        if selection is not None:
            return selection
        fold = self._fold = Fold(self)
        field.carrying = Carrying(None, fold.slots)
        if not is_of_rows(type_):
            fold.begin_page()
        uses, resolvers = {each: list(fields) for each, fields in self._uses.items()}, self._resolvers
        try:
            selection = self._selection_below(field, type_, details)
            self._finish(fold)
        except NotFolded:
            self._uses, self._resolvers, field.carrying = uses, resolvers, None
            return None
        finally:
            self._fold, self._unfinished = None, []
        field.carrying.wanted = fold.layout.wanted()
        self._carrying.append(field.carrying)
        self._guards += fold.guards
        return selection

    def _whole(self, field: Field, type_: GraphQLObjectType, details: list[FieldDetails]) -> Selection | None:
        """Fold all that is below a root field into one expression; None where some part takes a step of its own."""
        fold = Fold(self)
        try:
            source = fold.source_of_whole(field.definition, self.sub_fields(type_, details))
        except NotFolded:
            return None
        complete = generated(source, fold.names)
        field.carrying = Carrying(fold.layout.wanted(), fold.slots, complete=complete)
        self._carrying.append(field.carrying)
        self._guards += fold.guards
        return Selection(type_, [], [], [], [], needs_paths=False, is_trusted=True)

    def _finish(self, fold: Fold) -> None:
        """Generate what makes objects of root rows, now that all that is wanted of them is known."""
        if fold.layout.is_empty or not self._unfinished:
            raise NotFolded
        for selection, literal in self._unfinished:
            selection.build = generated(fold.source(literal), fold.names)

    def _carried_selection(self, fold: Fold, type_: GraphQLObjectType, grouped: GroupedFieldSet) -> Selection:
        """Return the plan of a selection set on rows that a folded statement brings."""
        later: list[Field] = []
        parts = []
        for key, details in grouped.items():
            code = fold.field_or_none(type_, details)
            if code is None:
                code = "None"
                later.append(self._left_to_loader(fold, type_, key, details))
            parts.append(f"{key!r}: {code}")
        needs_paths = any(_asks_for_path(field) for field in later)
        selection = Selection(type_, later, [], [], later, needs_paths, is_trusted=True, is_carried=True)
        self._unfinished.append((selection, "{" + ", ".join(parts) + "}"))
        return selection

    def _left_to_loader(self, fold: Fold, type_: GraphQLObjectType, key: str, details: list[FieldDetails]) -> Field:
        """Return the plan of a field below carried rows that is not carried itself."""
        self._fold = None
        try:
            field = self.field(type_, key, details)
        finally:
            self._fold = fold
        if field is None or field.loading is None:
            raise NotFolded(key)
        fold.layout.column(field.loading.key)
        return field

    def _lazily(self, details: list[FieldDetails]) -> Callable[[GraphQLObjectType], Selection]:
        """Return what plans the selection set of an abstract field for a type when the first object of it is there."""
        known: dict[str, Selection] = {}

        def selection_of(type_: GraphQLObjectType) -> Selection:
            selection = known.get(type_.name)
            if selection is None:
                self._fields_left = max(self._fields_left, MOST_FIELDS // 2)
                grouped = self.sub_fields(type_, details)
                selection = known[type_.name] = self.selection(type_, grouped, is_trusted=False)
            return selection

        return selection_of


def _is_at_once(field: Field) -> bool:
    """Tell whether a field's response can be made together with its object."""
    return field.read is not None and field.selection_of is None and field.guard is None


def _asks_for_path(field: Field) -> bool:
    """Tell whether a resolver, or what the compiler has not seen, may ask where it is."""
    if field.resolve is not None or field.abstract or (field.read is not None and not field.is_settled):
        return True
    return field.selection_of is not None and field.selection_of(_object_type(field)).needs_paths


def _object_type(field: Field) -> GraphQLObjectType:
    named = get_named_type(field.type)
    assert isinstance(named, GraphQLObjectType)  # noqa: S101  (narrows the type: abstract fields never come here)
    return named
