"""How each field of a schema is read, as far as its declaration tells."""

import dataclasses
import keyword
import operator
from collections.abc import Callable, Mapping
from typing import Any

from graphql import GraphQLField, GraphQLObjectType
from strawberry.types.arguments import convert_argument
from strawberry.types.field import StrawberryField

from engine.leaves import Names
from engine.loading import ComputedField, LoadedField, RowField, same, shows_rows
from engine.plans import Arguments, Read

_DEFINITION = "strawberry-definition"
_STRAWBERRY = "strawberry.schema.schema_converter"

CARRIES = "carries"
"""Metadata of a root field whose statement can bring what is below it."""

GUARD = "guard"
"""Extension of a field whose resolver checks the actor first: a function of the context that raises."""


@dataclasses.dataclass(frozen=True, slots=True)
class Plain:
    """A field whose value follows from its parent alone.

    Attributes:
        columns: Attributes of the parent that it follows from; empty where it follows from all of it.
        function: Of the columns' values, or of the whole parent; None for the value of the one column.
        is_row: Whether the parent is a row, whose columns are read by subscript.
        is_settled: Whether the value is known to be neither awaitable, nor a function, nor an exception.
    """

    columns: tuple[str, ...]
    function: Callable[..., Any] | None
    is_row: bool = False
    is_settled: bool = False

    @property
    def read(self) -> Read:
        """The function that reads it."""
        if not self.columns:
            assert self.function is not None  # noqa: S101  (narrows the type)
            return self.function
        if self.function is None:
            return operator.attrgetter(self.columns[0])
        function, columns = self.function, self.columns
        return lambda parent: function(*[getattr(parent, column) for column in columns])

    def code(self, parent: str, names: Names) -> str:
        """Return an expression for the value."""
        return self.code_of(
            [f"{parent}[{each!r}]" if self.is_row else f"{parent}.{each}" for each in self.columns], parent, names
        )

    def code_of(self, columns: list[str], parent: str, names: Names) -> str:
        """Return an expression for the value from expressions for its columns."""
        if self.function is None:
            return columns[0]
        return f"{names.of(self.function)}({', '.join(columns) or parent})"


def definition_of(field: GraphQLField) -> StrawberryField | None:
    """Return the declaration of a field in Strawberry; None where there is none, or something else resolves it."""
    found = field.extensions.get(_DEFINITION)
    if not isinstance(found, StrawberryField) or found.extensions:
        return None
    is_own = getattr(field.resolve, "__module__", "") == _STRAWBERRY or GUARD in field.extensions
    return found if is_own else None


def is_of_rows(type_: GraphQLObjectType) -> bool:
    """Tell whether all objects of a type are rows."""
    definition = type_.extensions.get(_DEFINITION)
    return definition is not None and shows_rows(definition.origin)


def carries(field: GraphQLField) -> bool:
    """Tell whether a root field's resolver reads with what the context's `carried` holds for it."""
    definition = field.extensions.get(_DEFINITION)
    return isinstance(definition, StrawberryField) and bool(definition.metadata.get(CARRIES))


def plain_of(parent: GraphQLObjectType, name: str, field: GraphQLField) -> Plain | None:
    """Return how a field without a resolver is read; None for any other."""
    if field.resolve is None:
        return Plain((), _default(name))
    declared = definition_of(field)
    if declared is None or not declared.is_basic_field:
        return None
    if isinstance(declared, ComputedField):
        function = declared.metadata["function"]
        own = None if function is same else function
        return Plain(declared.metadata["columns"], own, is_of_rows(parent), is_settled=True)
    if type(declared) is StrawberryField and declared.default_resolver is getattr and _is_name(declared.python_name):
        is_row = is_of_rows(parent)
        return Plain((declared.python_name,), None, is_row, is_settled=is_row)
    # Some subclass of the field: it reads its own way, by the method that Strawberry calls.
    return Plain((), lambda source: declared.get_result(source, None, [], {}))


def row_field_of(field: GraphQLField) -> RowField | None:
    """Return the declaration of a field that shows its parent's row; None for any other."""
    declared = definition_of(field)
    return declared if isinstance(declared, RowField) else None


def loaded_field_of(field: GraphQLField) -> LoadedField | None:
    """Return the declaration of a field that loads; None for any other."""
    declared = definition_of(field)
    return declared if isinstance(declared, LoadedField) else None


def loading_arguments(schema: Any, declared: LoadedField, read: Arguments) -> Arguments:
    """Return what reads the arguments of a field that loads, as its relation takes them."""
    prepare = declared.metadata["prepare"]
    converter = schema._strawberry_schema.schema_converter  # noqa: SLF001  (Strawberry keeps it nowhere else)
    named = {converter.config.name_converter.from_argument(each): each for each in declared.arguments}

    def arguments(state: Any) -> Mapping[str, Any]:
        given = {}
        for name, value in read(state).items():
            argument = named[name]
            given[argument.python_name] = (
                convert_argument(value, argument.type, converter.scalar_registry, converter.config)
                if type(value) is list or type(value) is dict
                else value
            )
        return prepare(state.context, given) if prepare else given

    return arguments


def _is_name(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)


def _default(name: str) -> Read:
    """Return graphql-core's default resolver but for calling what it finds."""

    def read(parent: Any) -> Any:
        return parent.get(name) if isinstance(parent, Mapping) else getattr(parent, name, None)

    return read
