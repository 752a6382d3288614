"""Leaves: how scalars and enums become JSON, and the code that does so for a whole level at once."""

import datetime as dt
import decimal
import uuid
from collections.abc import Callable
from math import isfinite
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLOutputType,
    GraphQLString,
)
from graphql.pyutils import Undefined, inspect

PLAIN = frozenset({str, int, float, bool, type(None), bytes, decimal.Decimal, uuid.UUID, dt.datetime, dt.date})
"""Types whose values are neither awaitable, nor functions, nor exceptions; the commonest ones."""

_GUARDS: dict[Any, str] = {
    GraphQLString: "type({v}) is str",
    GraphQLID: "type({v}) is str",
    GraphQLBoolean: "({v} is True or {v} is False)",
    GraphQLInt: "type({v}) is int and -2147483648 <= {v} <= 2147483647",
    GraphQLFloat: "type({v}) is float and isfinite({v})",
}
"""When a value of a built-in scalar is its own response (GraphQL specification, 3.5); a scalar of the same name that a
schema brings itself is another object and has no entry."""

_MOST_MEMBERS = 1_000
"""Values of an enum that are remembered with their names."""


class Unusual(Exception):
    """A value that only the careful way can complete: null where none may be, an exception, something to wait for.

    Attributes:
        value: What was read; whoever reads again may be given another one.
    """

    def __init__(self, value: Any = None) -> None:
        self.value = value


class Names:
    """The names that generated code refers to; the code itself holds nothing but such names and quoted keys."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {"isfinite": isfinite}
        self._known: dict[int, str] = {}

    def of(self, value: Any) -> str:
        """Return the name of a value, given on first sight."""
        known = self._known.get(id(value))
        if known is None:
            known = self._known[id(value)] = f"n{len(self.values)}"
            self.values[known] = value
        return known


def complete_leaf(type_: GraphQLLeafType) -> Callable[[Any], Any]:
    """Return what turns a value that is not null into its response, or raises.

    The rule is that of graphql-core's `complete_leaf_value`: a serialiser may not give null.
    """
    coerce = type_.coerce_output_value

    def complete(value: Any) -> Any:
        coerced = coerce(value)
        if coerced is None or coerced is Undefined:
            raise TypeError(
                f"Expected `{inspect(type_)}.coerce_output_value({inspect(value)})` to return non-nullable value, "
                f"returned: {inspect(coerced)}"
            )
        return coerced

    return _remembering(complete) if isinstance(type_, GraphQLEnumType) else complete


def _remembering(complete: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Look the name of an enum's value up once; only strings, since equal values of other types may differ."""
    known: dict[str, Any] = {}

    def complete_once(value: Any) -> Any:
        if type(value) is not str:
            return complete(value)
        name = known.get(value)
        if name is None:
            name = complete(value)
            if len(known) < _MOST_MEMBERS:
                known[value] = name
        return name

    return complete_once


def leaf_code(type_: GraphQLOutputType, value: str, names: Names, *, is_settled: bool) -> str:
    """Return an expression for the response of a leaf, or of a list of leaves.

    It raises `Unusual`, or what a serialiser raises, where the value is not an ordinary one.

    Args:
        type_: Type of the field.
        value: Expression for the value; a name, since it is repeated, or anything that is worth a name of its own.
        names: Where names for functions come from.
        is_settled: Whether the value is known to be neither awaitable, nor a function, nor an exception.
    """
    own = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    strict = names.of(_strict(type_, is_settled=is_settled))
    guard = _GUARDS.get(own) or _guard_of_text(own)
    if guard is None:
        return f"{strict}({value})"
    if own is type_:
        guard = f"{guard} or {{v}} is None"
    if value.isidentifier():
        return f"({value} if {guard.format(v=value)} else {strict}({value}))"
    first, _, rest = guard.partition("{v}")
    return f"(w if {first}(w := {value}){rest.format(v='w')} else {strict}(w))"


def _guard_of_text(type_: Any) -> str | None:
    """Return the guard of a scalar of a schema's own that is written by `str`: a text stays as it is."""
    return "type({v}) is str" if getattr(type_, "coerce_output_value", None) is str else None


def _strict(type_: GraphQLOutputType, *, is_settled: bool) -> Callable[[Any], Any]:
    """Return what completes a value of a type of leaves, or raises."""
    if isinstance(type_, GraphQLNonNull):
        return _strict_value(type_.of_type, nullable=False, is_settled=is_settled)
    return _strict_value(type_, nullable=True, is_settled=is_settled)


def _strict_value(type_: Any, *, nullable: bool, is_settled: bool) -> Callable[[Any], Any]:
    if isinstance(type_, GraphQLList):
        return _strict_list(_strict(type_.of_type, is_settled=is_settled), nullable=nullable)
    leaf = complete_leaf(type_)

    def complete(value: Any) -> Any:
        if value is None or value is Undefined:
            if nullable:
                return None
            raise Unusual
        if not is_settled and type(value) not in PLAIN and not is_ordinary(value):
            raise Unusual(value)
        return leaf(value)

    return complete


def _strict_list(item: Callable[[Any], Any], *, nullable: bool) -> Callable[[Any], Any]:
    def complete(values: Any) -> Any:
        if values is None and nullable:
            return None
        if type(values) is not list and type(values) is not tuple:
            raise Unusual(values)
        try:
            return [item(value) for value in values]
        except Exception as error:
            raise Unusual(values) from error

    return complete


def is_ordinary(value: Any) -> bool:
    """Tell whether a value is neither awaitable, nor a function, nor an exception."""
    return not (hasattr(value, "__await__") or callable(value) or isinstance(value, Exception))
