"""Folding: what lies below a root field is brought by the root's own statement, and made into one expression.

A relation says whether it `carries`, that is whether its rows can travel inside those of their parent. The plan asks
only for the columns that the selection needs; the rows come back as records, which the generated code reads by
position. Whatever is not as the code expects it raises, and the operation is run again without folding, which finds
the paths and the errors.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from graphql import (
    GraphQLField,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    get_named_type,
    is_leaf_type,
)
from graphql.execution.collect_fields import FieldDetails, GroupedFieldSet

from engine.fields import (
    GUARD,
    is_of_rows,
    loaded_field_of,
    loading_arguments,
    names_place,
    plain_of,
    row_field_of,
)
from engine.layouts import MARK, Layout
from engine.leaves import Names, leaf_code
from engine.loading import LoadedField
from engine.plans import Arguments

TYPENAME = "__typename"

_PLACE = ("id", "sort_key")
"""Columns that cursors are made from."""


class NotFolded(Exception):
    """A field cannot be carried: it is read by its loader, or resolver, instead."""


class Bail(Exception):
    """Rows are not as a folded plan expects them: the plan without folding has to run."""


class Collecting(Protocol):
    """What folding needs of the compiler."""

    schema: Any

    def sub_fields(self, type_: GraphQLObjectType, details: list[FieldDetails]) -> GroupedFieldSet:
        """Collect the fields below a field."""
        ...

    def arguments(self, definition: GraphQLField, node: Any) -> Arguments:
        """Return what reads the arguments of a field."""
        ...


class Fold:
    """The folded part below one root field.

    Attributes:
        layout: Of the root's rows.
        slots: What reads the arguments of each carried relation.
        guards: Of carried fields.
        names: Of the functions that the generated code calls.
    """

    def __init__(self, compiler: Collecting) -> None:
        self._compiler = compiler
        self._layouts: list[Layout] = []
        self._functions: list[str] = []
        self.layout = self._new_layout()
        self.slots: list[Arguments] = []
        self.guards: list[Callable[[Any], None]] = []
        self.names = Names()
        self._bail = self.names.of(_bail)

    def source(self, literal: str) -> str:
        """Return the text of the function `build` that makes the objects of root rows."""
        return self._rendered(f"def build(rows, a):\n    return [{literal} for {self.layout.target} in rows]\n")

    def _rendered(self, build: str) -> str:
        targets = {layout.target: layout.targets() for layout in self._layouts}
        return re.sub(rf"{MARK}\d+t", lambda found: targets[found[0]], "".join([*self._functions, build]))

    def source_of_whole(self, definition: GraphQLField, grouped: GroupedFieldSet) -> str:
        """Return the text of the function `build` that makes the response of a root field from its value.

        Raises:
            NotFolded: Some part of it takes a step of its own.
        """
        type_, target = _object_type(definition.type), self.layout.target
        if not is_of_rows(type_):
            return self._rendered(f"def build(v, a):\n    return {self._page(type_, grouped, self.layout)}\n")
        literal = self.row(type_, grouped, self.layout, {})
        if self.layout.is_empty:
            raise NotFolded(definition)
        if _is_list(definition.type):
            return self._rendered(f"def build(v, a):\n    return [{literal} for {target} in v]\n")
        return self._rendered(f"def build(v, a):\n    {target} = v\n    return {literal}\n")

    def begin_page(self) -> None:
        """Ask for what a page makes its cursors from."""
        self.layout.begin_with(*_PLACE)

    def row(
        self, type_: GraphQLObjectType, grouped: GroupedFieldSet, layout: Layout, renamed: Mapping[str, str]
    ) -> str:
        """Return an expression for the object that shows a row.

        Args:
            type_: A type of rows.
            grouped: Its collected fields.
            layout: Of the row.
            renamed: The row's own name for those that the type's fields use.

        Raises:
            NotFolded: Some field below cannot be carried.
        """
        parts = [f"{key!r}: {self.field(type_, details, layout, renamed)}" for key, details in grouped.items()]
        return "{" + ", ".join(parts) + "}"

    def field(
        self, parent: GraphQLObjectType, details: list[FieldDetails], layout: Layout, renamed: Mapping[str, str]
    ) -> str:
        """Return an expression for a field of a row; see `row`."""
        name = details[0].node.name.value
        if name == TYPENAME:
            return repr(parent.name)
        definition = parent.fields.get(name)
        if definition is None:
            raise NotFolded(name)
        self._guard(definition)
        loaded = loaded_field_of(definition)
        if loaded is not None:
            return self._carried(loaded, definition, details, layout, renamed)
        if row_field_of(definition) is not None:
            return self._same_row(definition, details, layout, renamed)
        plain = plain_of(parent, name, definition)
        if plain is None or not plain.is_row or not plain.columns or not is_leaf_type(get_named_type(definition.type)):
            raise NotFolded(name)
        columns = [layout.column(renamed.get(each, each)) for each in plain.columns]
        return leaf_code(definition.type, plain.code_of(columns, "", self.names), self.names, is_settled=True)

    def field_or_none(self, parent: GraphQLObjectType, details: list[FieldDetails]) -> str | None:
        """Return an expression for a field of a root row; None where it cannot be carried."""
        slots, guards = len(self.slots), len(self.guards)
        try:
            return self.field(parent, details, self.layout, {})
        except NotFolded:
            del self.slots[slots:], self.guards[guards:]
            return None

    def _new_layout(self) -> Layout:
        layout = Layout(len(self._layouts))
        self._layouts.append(layout)
        return layout

    def _guard(self, definition: GraphQLField) -> None:
        guard = definition.extensions.get(GUARD)
        if guard is not None:
            self.guards.append(guard)

    def _same_row(
        self, definition: GraphQLField, details: list[FieldDetails], layout: Layout, renamed: Mapping[str, str]
    ) -> str:
        declared = row_field_of(definition)
        named = _object_type(definition.type)
        assert declared is not None  # noqa: S101  (narrows the type)
        own = {name: renamed.get(column, column) for name, column in declared.metadata["renamed"].items()}
        literal = self.row(named, self._compiler.sub_fields(named, details), layout, {**renamed, **own})
        absent = declared.metadata["absent"]
        if absent is None:
            return literal
        return f"(None if {layout.column(renamed.get(absent, absent))} is None else {literal})"

    def _carried(
        self,
        loaded: LoadedField,
        definition: GraphQLField,
        details: list[FieldDetails],
        layout: Layout,
        renamed: Mapping[str, str],
    ) -> str:
        relation, key = loaded.metadata["relation"], loaded.metadata["key"]
        if not getattr(relation, "carries", False):
            raise NotFolded(definition)
        slot = len(self.slots)
        read = self._compiler.arguments(definition, details[0].node)
        self.slots.append(loading_arguments(self._compiler.schema, loaded, read))
        below = self._new_layout()
        named = _object_type(definition.type)
        grouped = self._compiler.sub_fields(named, details)
        if relation.finish is not None:
            function = self._page_of_child(named, grouped, below, relation, slot)
            return f"{function}({layout.child(relation, renamed.get(key, key), slot, below)}, a)"
        literal = self.row(named, grouped, below, {})
        if below.is_empty and _is_list(definition.type):
            raise NotFolded(definition)
        is_list = _is_list(definition.type)
        name = layout.child(relation, renamed.get(key, key), slot, below, is_joined=not is_list)
        if is_list:
            return f"[{literal} for {below.target} in {name}]"
        absent = f"{self._bail}()" if isinstance(definition.type, GraphQLNonNull) else "None"
        return f"({absent} if {name} is None else {literal})"

    def _page_of_child(
        self, type_: GraphQLObjectType, grouped: GroupedFieldSet, layout: Layout, relation: Any, slot: int
    ) -> str:
        """Generate the function that makes a page of carried rows, and return its name."""
        literal = self._page(type_, grouped, layout)
        return self._function("p", f"v = {self.names.of(relation.finish)}(p, a[{slot}])", literal)

    def _page(self, type_: GraphQLObjectType, grouped: GroupedFieldSet, layout: Layout) -> str:
        """Return an expression for a page `v`."""
        literal = self._object(type_, grouped, "v", layout)
        if layout.is_empty:
            # How many rows there are still tells what follows the page.
            layout.column(_PLACE[0])
        return literal

    def _function(self, parameter: str, first: str, literal: str) -> str:
        name = f"f{len(self._functions)}"
        self._functions.append(f"def {name}({parameter}, a):\n    {first}\n    return {literal}\n")
        return name

    def _object(self, type_: GraphQLObjectType, grouped: GroupedFieldSet, value: str, layout: Layout) -> str:
        """Return an expression for an object that is no row itself but leads to rows, as a page does."""
        parts = []
        for key, details in grouped.items():
            name = details[0].node.name.value
            definition = type_.fields.get(name)
            if name == TYPENAME:
                parts.append(f"{key!r}: {type_.name!r}")
                continue
            plain = None if definition is None else plain_of(type_, name, definition)
            if definition is None or plain is None or (plain.function is not None and not plain.is_settled):
                raise NotFolded(name)
            self._guard(definition)
            if names_place(definition):
                layout.begin_with(*_PLACE)
            code = plain.code(value, self.names)
            if is_leaf_type(get_named_type(definition.type)):
                parts.append(f"{key!r}: {leaf_code(definition.type, code, self.names, is_settled=True)}")
            else:
                parts.append(f"{key!r}: {self._below(definition, details, code, layout)}")
        return "{" + ", ".join(parts) + "}"

    def _below(self, definition: GraphQLField, details: list[FieldDetails], value: str, layout: Layout) -> str:
        named = _object_type(definition.type)
        grouped = self._compiler.sub_fields(named, details)
        if is_of_rows(named):
            literal = self.row(named, grouped, layout, {})
            if _is_list(definition.type):
                return f"[{literal} for {layout.target} in {value}]"
            return f"{self._function('r', f'{layout.target} = r', literal)}({value}, a)"
        function = self._function("v", "pass", self._object(named, grouped, "v", layout))
        return f"[{function}(e, a) for e in {value}]" if _is_list(definition.type) else f"{function}({value}, a)"


def _object_type(type_: GraphQLOutputType) -> GraphQLObjectType:
    named = get_named_type(type_)
    if not isinstance(named, GraphQLObjectType):
        raise NotFolded(named)
    return named


def _is_list(type_: GraphQLOutputType) -> bool:
    return isinstance(type_.of_type if isinstance(type_, GraphQLNonNull) else type_, GraphQLList)


def _bail() -> Any:
    raise Bail
