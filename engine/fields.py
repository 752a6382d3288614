"""How each field of a schema is read, as far as its declaration tells."""

import contextlib
import dataclasses
import keyword
import operator
from collections.abc import Callable, Mapping
from typing import Any, cast

from graphql import GraphQLField, GraphQLObjectType
from graphql.execution.executor import default_field_resolver
from strawberry.types.field import StrawberryField
from strawberry.types.fields.resolver import StrawberryResolver

from engine.arguments import Fixed
from engine.inputs import converting
from engine.leaves import Names
from engine.loading import CURSOR, ComputedField, LoadedField, RowField, same, shows_rows
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
    if not isinstance(found, StrawberryField) or found.extensions or field.subscribe is not None:
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


def names_place(field: GraphQLField) -> bool:
    """Tell whether a field is a cursor (`engine.loading.cursor`)."""
    definition = field.extensions.get(_DEFINITION)
    return isinstance(definition, StrawberryField) and bool(definition.metadata.get(CURSOR))


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
    convert = _converting(schema, declared)
    if isinstance(read, Fixed) and (prepare is None or declared.metadata["ignores_context"]):
        given = convert(read.values)
        with contextlib.suppress(Exception):
            # What it refuses now it refuses again, in each request, where the client gets to hear of it.
            fixed = prepare(None, given) if prepare else given
            return lambda _: fixed

    def arguments(state: Any) -> Mapping[str, Any]:
        given = convert(read(state))
        return prepare(state.context, given) if prepare else given

    return arguments


def resolver_of(schema: Any, field: GraphQLField, read: Arguments) -> tuple[Callable[..., Any], Arguments]:
    """Return how a field with a resolver is called: the function itself where nothing of Strawberry stands before it.

    Strawberry looks the names and types of all arguments up for each call; here that is done once.
    """
    declared = definition_of(field)
    resolver = declared.base_resolver if declared is not None else None
    if declared is None or resolver is None or not _is_simple(resolver) or _handles_exceptions(schema):
        return field.resolve or default_field_resolver, read
    function: Callable[..., Any] = cast("Any", resolver.wrapped_func)
    convert = _converting(schema, declared)
    info_class = schema._strawberry_schema.config.info_class  # noqa: SLF001  (Strawberry keeps it nowhere else)
    takes_self, info_parameter = resolver.self_parameter is not None, resolver.info_parameter
    if info_parameter is None:
        return (_calling(function, takes_self=takes_self)), lambda state: convert(read(state))
    name = info_parameter.name

    def call(source: Any, info: Any, /, **arguments: Any) -> Any:
        arguments[name] = info_class(_raw_info=info, _field=declared)
        return function(source, **arguments) if takes_self else function(**arguments)

    return call, lambda state: convert(read(state))


def _calling(function: Callable[..., Any], *, takes_self: bool) -> Callable[..., Any]:
    # By position alone, since arguments may have any name.
    def call(source: Any, _: Any, /, **arguments: Any) -> Any:
        return function(source, **arguments) if takes_self else function(**arguments)

    return call


def _is_simple(resolver: StrawberryResolver[Any]) -> bool:
    """Tell whether a resolver takes nothing but itself, the info and its arguments."""
    return resolver.parent_parameter is None and resolver.root_parameter is None


def _handles_exceptions(schema: Any) -> bool:
    return bool(schema._strawberry_schema.schema_converter.exception_handlers)  # noqa: SLF001  (see above)


def _converting(schema: Any, declared: StrawberryField) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """Return what turns arguments as graphql-core has them into those that Strawberry gives to resolvers."""
    converter = schema._strawberry_schema.schema_converter  # noqa: SLF001  (Strawberry keeps it nowhere else)
    named = {
        converter.config.name_converter.from_argument(each): (each.python_name, converting(each.type, converter))
        for each in declared.arguments
    }

    def convert(given: Mapping[str, Any]) -> dict[str, Any]:
        converted = {}
        for name, value in given.items():
            python_name, convert_value = named[name]
            converted[python_name] = convert_value(value)
        return converted

    return convert


def _is_name(name: str) -> bool:
    return name.isidentifier() and not keyword.iskeyword(name)


def _default(name: str) -> Read:
    """Return graphql-core's default resolver but for calling what it finds."""

    def read(parent: Any) -> Any:
        return parent.get(name) if isinstance(parent, Mapping) else getattr(parent, name, None)

    return read
