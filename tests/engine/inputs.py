"""Random values for arguments and variables, written as literals, as variables or as both."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    Undefined,
)

DEPTH = 3
"""How deep inputs nest; types that contain themselves have no end of their own."""

SCALARS: Mapping[str, tuple[Any, ...]] = {
    "Int": (0, 1, 2, 3, -7, 2**31 - 1),
    "Float": (0.5, 1, -2.25, 1e10),
    "String": ("", "text", 'qu"ote', "é\n", "$v0", "{a}"),
    "Boolean": (True, False),
    "ID": ("1", 2, "abc", ""),
}
"""What the scalars of GraphQL itself are drawn from; `Wishes.values` adds others."""


@dataclasses.dataclass(frozen=True, slots=True)
class Name:
    """A value of an enum, as literals have it."""

    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class Variable:
    """A reference to a variable."""

    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class Declared:
    """A variable: its type as a document has it, its default and a value that may be sent."""

    type: str
    default: str
    sent: Any
    is_required: bool


class Inputs:
    """Draws values, and remembers the variables that they refer to.

    Attributes:
        used: Names of the variables that were referred to since somebody emptied it.
    """

    def __init__(
        self, random: Random, values: Mapping[str, Sequence[Any]], always: frozenset[str], seldom: frozenset[str]
    ) -> None:
        self.random = random
        self.values = {**SCALARS, **values}
        self.always = always
        self.seldom = seldom
        self.variables: dict[str, Declared] = {}
        self.used: set[str] = set()

    def arguments(self, coordinate: str, declared: Mapping[str, GraphQLArgument]) -> str:
        """Return the arguments of a field as they are written; the coordinate is "Type.field"."""
        written = []
        for name, argument in declared.items():
            if self._left_out(name, argument):
                continue
            value = self._value(argument.type, f"{coordinate}.{name}", 0, has_default=_has_default(argument))
            written.append(f"{name}: {literal(value)}")
        self.random.shuffle(written)
        return f"({', '.join(written)})" if written else ""

    def condition(self) -> str:
        """Return what `@skip` and `@include` take."""
        if self.random.randrange(2):
            return self.random.choice(("true", "false"))
        return literal(self._variable("Boolean!", self.random.choice((True, False)), is_required=True))

    def declarations(self, names: set[str]) -> str:
        """Return the declarations of variables, as an operation has them."""
        written = [f"${name}: {self.variables[name].type}{self.variables[name].default}" for name in sorted(names)]
        return f"({', '.join(written)})" if written else ""

    def given(self, names: set[str], *, spoilt: bool) -> dict[str, Any]:
        """Return values for variables; optional ones are left out at times, and a spoilt one is of no use."""
        given: dict[str, Any] = {}
        for name in sorted(names):
            declared = self.variables[name]
            if declared.is_required or self.random.randrange(3):
                given[name] = declared.sent
        if spoilt and names:
            name = self.random.choice(sorted(names))
            given.pop(name, None)
            if self.random.randrange(2):
                given[name] = self.random.choice(({"no": [{"such": "value"}]}, None))
        return given

    def _left_out(self, name: str, declared: GraphQLArgument | GraphQLInputField) -> bool:
        if name in self.seldom and self.random.randrange(20):
            return True
        if name in self.always or (isinstance(declared.type, GraphQLNonNull) and not _has_default(declared)):
            return False
        return self.random.randrange(100) < 45

    def _value(self, declared: Any, coordinate: str, depth: int, *, has_default: bool = False) -> Any:
        if coordinate not in self.values and self.random.randrange(100) < 25:
            return self._as_variable(declared, coordinate, depth, has_default=has_default)
        return self._constant(declared, coordinate, depth, nesting=True)

    def _as_variable(self, declared: Any, coordinate: str, depth: int, *, has_default: bool) -> Variable:
        """Refer to a variable of the declared type, of one that takes no null, or of one with a default."""
        sent = self._constant(declared, coordinate, depth, nesting=False)
        if not isinstance(declared, GraphQLNonNull):
            if sent is not None and self.random.randrange(3) == 0:
                return self._variable(f"{declared}!", sent, is_required=True)
            default = (
                self._constant(declared, coordinate, depth, nesting=False) if self.random.randrange(2) else Undefined
            )
            return self._variable(str(declared), sent, default=default)
        drawn = self.random.randrange(3)
        if drawn == 0:
            default = self._constant(declared, coordinate, depth, nesting=False)
            return self._variable(str(declared.of_type), sent, default=default)
        if drawn == 1 and has_default:
            return self._variable(str(declared.of_type), sent)
        if drawn == 2 and self.random.randrange(2):
            return self._variable(
                str(declared), sent, default=self._constant(declared, coordinate, depth, nesting=False)
            )
        return self._variable(str(declared), sent, is_required=True)

    def _variable(self, type_text: str, sent: Any, *, default: Any = Undefined, is_required: bool = False) -> Variable:
        same = [name for name, each in self.variables.items() if each.type == type_text and not each.default]
        if same and default is Undefined and self.random.randrange(2):
            name = self.random.choice(same)
        else:
            name = f"v{len(self.variables)}"
            written = "" if default is Undefined else f" = {literal(default)}"
            self.variables[name] = Declared(type_text, written, plain(sent), is_required)
        self.used.add(name)
        return Variable(name)

    def _constant(self, declared: Any, coordinate: str, depth: int, *, nesting: bool) -> Any:
        """Return a value; where it nests, variables may stand within."""
        if isinstance(declared, GraphQLNonNull):
            return self._solid(declared.of_type, coordinate, depth, nesting=nesting)
        if depth >= DEPTH or self.random.randrange(10) == 0:
            return None
        return self._solid(declared, coordinate, depth, nesting=nesting)

    def _solid(self, declared: Any, coordinate: str, depth: int, *, nesting: bool) -> Any:
        if coordinate in self.values:
            return self.random.choice(self.values[coordinate])
        if isinstance(declared, GraphQLList):
            return self._list(declared.of_type, coordinate, depth, nesting=nesting)
        if isinstance(declared, GraphQLInputObjectType):
            return self._object(declared, depth + 1, nesting=nesting)
        if isinstance(declared, GraphQLEnumType):
            return Name(self.random.choice(list(declared.values)))
        return self.random.choice(self.values[declared.name])

    def _list(self, item: Any, coordinate: str, depth: int, *, nesting: bool) -> Any:
        count = self.random.randrange(4)
        if count == 3:
            # A single value stands for a list of it.
            single = self._constant(item, coordinate, depth + 1, nesting=nesting)
            return [] if single is None else [single] if isinstance(single, list) else single
        draw = self._value if nesting else self._constant_within
        return [draw(item, coordinate, depth + 1) for _ in range(count)]

    def _constant_within(self, declared: Any, coordinate: str, depth: int) -> Any:
        return self._constant(declared, coordinate, depth, nesting=False)

    def _object(self, declared: GraphQLInputObjectType, depth: int, *, nesting: bool) -> dict[str, Any]:
        if declared.is_one_of:
            name, field = self.random.choice(list(declared.fields.items()))
            return {name: self._solid(field.type, f"{declared.name}.{name}", depth, nesting=False)}
        draw = self._value if nesting else self._constant_within
        return {
            name: draw(field.type, f"{declared.name}.{name}", depth)
            for name, field in declared.fields.items()
            if not self._left_out(name, field)
        }


def _has_default(declared: GraphQLArgument | GraphQLInputField) -> bool:
    return declared.default_value is not Undefined or declared.default is not None


def literal(value: Any) -> str:
    """Write a value as documents have it."""
    if isinstance(value, Variable):
        return f"${value.name}"
    if isinstance(value, Name):
        return value.name
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{name}: {literal(each)}' for name, each in value.items())}}}"
    return json.dumps(value, ensure_ascii=False)


def plain(value: Any) -> Any:
    """Write a value as JSON has it."""
    if isinstance(value, Name):
        return value.name
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    return value
