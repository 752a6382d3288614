"""Turns values of input types into what Strawberry gives to resolvers, with names and types looked up once a field."""

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

from strawberry.relay import GlobalID
from strawberry.types.arguments import convert_argument
from strawberry.types.base import StrawberryList, StrawberryMaybe, StrawberryOptional, has_object_definition
from strawberry.types.enum import StrawberryEnumDefinition

from engine.leaves import PLAIN

Convert = Callable[[Any], Any]


def converting(type_: Any, converter: Any) -> Convert:
    """Return what converts values of a type as Strawberry's `convert_argument` does.

    Args:
        type_: As Strawberry has it.
        converter: Of Strawberry's schema.
    """
    return _converting(type_, converter, {})


def _converting(type_: Any, converter: Any, known: dict[Any, Convert]) -> Convert:
    """Return the same, where those of input types above are known: types may recur."""

    def by_library(value: Any) -> Any:
        return convert_argument(value, type_, converter.scalar_registry, converter.config)

    own = _without_null(type_)
    if isinstance(own, StrawberryMaybe) or own is GlobalID:
        return by_library
    if isinstance(own, StrawberryEnumDefinition):
        return _same
    if isinstance(own, StrawberryList):
        return _of_list(_converting(own.of_type, converter, known), by_library)
    if not _is_plain_input(own):
        return lambda value: value if type(value) in PLAIN else by_library(value)
    if own not in known:
        # Found when there is a value, since an input type may have members of its own type.
        known[own] = functools.partial(_by_known, known, own)
        known[own] = _of_object(own, converter, by_library, known)
    return known[own]


def _by_known(known: dict[Any, Convert], type_: Any, value: Any) -> Any:
    return known[type_](value)


def _of_list(convert_element: Convert, by_library: Convert) -> Convert:
    return lambda value: [convert_element(each) for each in value] if type(value) is list else by_library(value)


def _same(value: Any) -> Any:
    return value


def _without_null(type_: Any) -> Any:
    while isinstance(type_, StrawberryOptional) and not isinstance(type_, StrawberryMaybe):
        type_ = type_.of_type
    return type_


def _is_plain_input(type_: Any) -> bool:
    if not has_object_definition(type_):
        return False
    definition = type_.__strawberry_definition__
    return definition.is_input and definition.from_input is None


def _of_object(type_: Any, converter: Any, by_library: Convert, known: dict[Any, Convert]) -> Convert:
    """Return what makes an object of an input type."""
    definition = type_.__strawberry_definition__
    # Strawberry says so too: a field without a default that the client left out is one that may be null.
    absent = {
        field.python_name: None
        for field in definition.fields
        if field.default_value is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    members: dict[str, tuple[str, Convert]] = {}
    for field in definition.fields:
        field_type = field.resolve_type(type_definition=definition)
        members[converter.config.name_converter.from_field(field)] = (
            field.python_name,
            _converting(field_type, converter, known),
        )

    def convert(value: Any) -> Any:
        if not isinstance(value, Mapping) or not value.keys() <= members.keys():
            return by_library(value)
        given = dict(absent)
        for name, each in value.items():
            python_name, convert_member = members[name]
            given[python_name] = convert_member(each)
        return type_(**given)

    return convert
