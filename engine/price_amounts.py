"""Figures of a price: whole numbers, or functions of an operation's variables where these matter."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from graphql import (
    ConstValueNode,
    FieldNode,
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    Undefined,
    ValueNode,
    VariableNode,
    get_named_type,
    value_from_ast_untyped,
)

from engine.price_schema import Size, Tariff

Variables = Mapping[str, Any]
"""As the client sent them."""

Amount = int | Callable[[Variables], int]


def value_of(amount: Amount, variables: Variables) -> int:
    """Return an amount as a number."""
    return amount if isinstance(amount, int) else amount(variables)


def total(amounts: Iterable[Amount]) -> Amount:
    """Add amounts."""
    fixed, read = 0, []
    for amount in amounts:
        if isinstance(amount, int):
            fixed += amount
        else:
            read.append(amount)
    if not read:
        return fixed
    if len(read) == 1 and not fixed:
        return read[0]
    return lambda variables: fixed + sum(each(variables) for each in read)


def product(one: Amount, other: Amount) -> Amount:
    """Multiply two amounts."""
    if isinstance(one, int) and isinstance(other, int):
        return one * other
    if 0 in (one, other):
        return 0
    if one == 1:
        return other
    if other == 1:
        return one
    return lambda variables: value_of(one, variables) * value_of(other, variables)


def length(node: FieldNode, field: GraphQLField, size: Size, operation: OperationDefinitionNode) -> Amount:
    """Return how long a list may get by what its field is given.

    No figure makes it cheaper than leaving it out, unless it is a length that is answered: zero, less than that, null
    and nothing count as the assumed length, and what is beyond the greatest length counts as that.
    """
    given = [_given(node, name, field.args[name], operation) for name in size.slicing_arguments if name in field.args]
    if not any(isinstance(each, _Reading) for each in given):
        return _longest(given, size)
    return lambda variables: _longest([each(variables) if isinstance(each, _Reading) else each for each in given], size)


def elements(node: FieldNode, field: GraphQLField, size: Size, operation: OperationDefinitionNode) -> Amount:
    """Return how many elements an argument brings: one at least, and no more than are taken."""
    name = size.elements_of
    if name is None or name not in field.args:
        return size.assumed
    literal = _argument(node, name)
    if isinstance(literal, ListValueNode):
        return _taken(literal.values, size)
    given = _given(node, name, field.args[name], operation)
    if isinstance(given, _Reading):
        return lambda variables: _taken(given(variables), size)
    return _taken(given, size)


def weight_of(node: FieldNode, field: GraphQLField, tariff: Tariff, operation: OperationDefinitionNode) -> Amount:
    """Return what a field costs each time it is asked: its own weight, and those of what it is given."""
    weights: list[Amount] = [tariff.weight(field) or 0]
    weighing = _Weighing(tariff, operation)
    weights += [weighing.given(argument, _argument(node, name)) for name, argument in field.args.items()]
    return total(weights)


class _Reading:
    """Reads a variable, or its default, or that of the place where it stands."""

    __slots__ = ("_default", "_name")

    def __init__(self, name: str, default: object) -> None:
        self._name = name
        self._default = default

    def __call__(self, variables: Variables) -> Any:
        return variables.get(self._name, self._default)


class _Weighing:
    """Adds up the weights of arguments and input fields that are given."""

    def __init__(self, tariff: Tariff, operation: OperationDefinitionNode) -> None:
        self._tariff = tariff
        self._operation = operation

    def given(self, declared: GraphQLArgument | GraphQLInputField, literal: ValueNode | None) -> Amount:
        """Return the weight of an argument or input field, by the literal that it is given."""
        own, kind = self._tariff.weight(declared) or 0, declared.type
        if not own and not self._tariff.is_weighted(kind):
            return 0
        if literal is None:
            return self._value(own, kind, _default_of(declared))
        if isinstance(literal, VariableNode):
            reading = _reading(literal, _default_of(declared), self._operation)
            return lambda variables: self._value(own, kind, reading(variables))
        if isinstance(literal, NullValueNode):
            return 0
        return total([own, self._literal(kind, literal)])

    def _literal(self, kind: GraphQLInputType, literal: ValueNode) -> Amount:
        named = get_named_type(kind)
        if isinstance(literal, VariableNode):
            reading = _reading(literal, None, self._operation)
            return lambda variables: self._value(0, kind, reading(variables))
        if isinstance(literal, ListValueNode):
            return total(self._literal(kind, each) for each in literal.values)
        if not isinstance(literal, ObjectValueNode) or not isinstance(named, GraphQLInputObjectType):
            return 0
        given = {field.name.value: field.value for field in literal.fields}
        return total(self.given(declared, given.get(name)) for name, declared in named.fields.items())

    def _value(self, own: int, kind: GraphQLInputType, value: Any) -> int:
        """Return the weight of a value as JSON has it."""
        if value is None:
            return 0
        named = get_named_type(kind)
        if isinstance(value, list):
            return own + sum(self._value(0, kind, each) for each in value)
        if not isinstance(value, dict) or not isinstance(named, GraphQLInputObjectType):
            return own
        return own + sum(
            self._value(self._tariff.weight(declared) or 0, declared.type, value.get(name, _default_of(declared)))
            for name, declared in named.fields.items()
        )


def _given(node: FieldNode, name: str, declared: GraphQLArgument, operation: OperationDefinitionNode) -> Any:
    """Return what an argument is given: a value, or a `_Reading` of a variable."""
    literal = _argument(node, name)
    if literal is None:
        return _default_of(declared)
    if isinstance(literal, VariableNode):
        return _reading(literal, _default_of(declared), operation)
    return value_from_ast_untyped(literal)


def _argument(node: FieldNode, name: str) -> ValueNode | None:
    return next((each.value for each in node.arguments or () if each.name.value == name), None)


def _reading(variable: VariableNode, otherwise: object, operation: OperationDefinitionNode) -> _Reading:
    name = variable.name.value
    for each in operation.variable_definitions or ():
        if each.variable.name.value == name and each.default_value is not None:
            otherwise = value_from_ast_untyped(each.default_value)
    return _Reading(name, otherwise)


def _default_of(declared: GraphQLArgument | GraphQLInputField) -> object:
    """Return the default of an argument or input field; None where it has none."""
    default = declared.default
    if default is None:
        return None if declared.default_value is Undefined else declared.default_value
    literal: ConstValueNode | None = default.literal
    return default.value if literal is None else value_from_ast_untyped(literal)


def _longest(given: Sequence[object], size: Size) -> int:
    return max((_counted(each, size) for each in given if each is not None), default=size.assumed)


def _counted(value: object, size: Size) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        # Not a length: nothing will be answered.
        return size.at_most or size.assumed
    if value <= 0:
        return size.assumed
    return value if size.at_most is None else min(value, size.at_most)


def _taken(given: object, size: Size) -> int:
    count = len(given) if isinstance(given, list | tuple) else 1
    return max(1, count if size.at_most is None else min(count, size.at_most))
