"""Finishes a response in which something has failed: nulls rise to where they may be, errors get their paths."""

from typing import Any

from graphql import GraphQLError, GraphQLList, GraphQLNonNull, GraphQLOutputType, get_named_type
from graphql.error import located_error

from engine.plans import Field, Plan, Selection
from engine.state import Failed, State

_NULL: Any = object()
"""Stands for a null that may not be where it is, and takes its parent along."""


def finished(plan: Plan, data: dict[str, Any], state: State) -> tuple[dict[str, Any] | None, list[GraphQLError]]:
    """Give failures their paths, let nulls rise to where they may be, and list the errors in the document's order."""
    errors: list[GraphQLError] = []
    walk = _Walk(state, errors)
    response = walk.selection(plan.root, data, [])
    return (None if response is _NULL else response), errors


def rises(field: Field, type_: GraphQLOutputType, value: Any, state: State) -> bool:
    """Tell whether a null rises out of a value of a field, which stays as it is."""
    own: Any = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    if own is type_:
        return False
    if value is None or type(value) is Failed:
        return True
    if isinstance(own, GraphQLList):
        return any(rises(field, own.of_type, each, state) for each in value)
    if field.selection_of is None:
        return False
    selection = state.chosen[id(value)] if field.abstract else field.selection_of(own)
    return any(rises(each, each.type, value[each.key], state) for each in selection.fields)


class _Walk:
    """One pass over a response in which something has failed."""

    def __init__(self, state: State, errors: list[GraphQLError]) -> None:
        self._state = state
        self._errors = errors

    def selection(self, selection: Selection, out: dict[str, Any], path: list[str | int]) -> Any:
        for field in selection.fields:
            value = self._value(field, field.type, out[field.key], [*path, field.key])
            if value is _NULL:
                return _NULL
            out[field.key] = value
        return out

    def _value(self, field: Field, type_: GraphQLOutputType, value: Any, path: list[str | int]) -> Any:
        own: Any = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
        response = self._nullable(field, own, value, path)
        if own is type_:
            return None if response is _NULL else response
        if response is None:
            if value is None:
                error = TypeError(f"Cannot return null for non-nullable field {field.parent}.{field.name}.")
                self._errors.append(located_error(error, field.nodes, path))
            return _NULL
        return response

    def _nullable(self, field: Field, type_: Any, value: Any, path: list[str | int]) -> Any:
        if value is None:
            return None
        if type(value) is Failed:
            self._errors.append(located_error(value.error, field.nodes, path))
            return None
        if isinstance(type_, GraphQLList):
            return self._list(field, type_.of_type, value, path)
        if field.selection_of is None:
            return value
        return self.selection(self._selection_of(field, type_, value), value, path)

    def _list(self, field: Field, type_: GraphQLOutputType, values: list[Any], path: list[str | int]) -> Any:
        for number, value in enumerate(values):
            response = self._value(field, type_, value, [*path, number])
            if response is _NULL:
                return _NULL
            values[number] = response
        return values

    def _selection_of(self, field: Field, type_: Any, out: dict[str, Any]) -> Selection:
        if field.abstract:
            return self._state.chosen[id(out)]
        assert field.selection_of is not None  # noqa: S101  (narrows the type)
        return field.selection_of(get_named_type(type_))
