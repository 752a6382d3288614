"""Arguments and variables: what can be known of them before a request comes, and the rest by graphql-core."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from typing import Any

from graphql import (
    FieldNode,
    GraphQLArgument,
    GraphQLBoolean,
    GraphQLError,
    GraphQLField,
    GraphQLFloat,
    GraphQLID,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    GraphQLString,
    OperationDefinitionNode,
    ValueNode,
    VariableNode,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import (
    VariableValues,
    VariableValueSource,
    get_argument_values,
    get_variable_values,
)
from graphql.language.ast import ListValueNode, ObjectValueNode
from graphql.pyutils import Undefined
from graphql.utilities.coerce_input_value import coerce_default_value, coerce_input_literal

from engine.leaves import PLAIN
from engine.plans import Arguments

_MAX_COERCION_ERRORS = 50
"""As graphql-core's own default; where suggestions are hidden, as from strangers, ten are enough."""

_INVALID: Any = object()
"""Stands for a default that cannot be read."""

_COERCED: Mapping[Any, Callable[[Any], bool]] = {
    GraphQLString: lambda value: type(value) is str,
    GraphQLID: lambda value: type(value) is str,
    GraphQLBoolean: lambda value: type(value) is bool,
    GraphQLInt: lambda value: type(value) is int and -(2**31) <= value < 2**31,
    GraphQLFloat: lambda value: type(value) is float and isfinite(value),
}
"""When a value of a built-in scalar is coerced to itself (GraphQL specification, 3.5)."""


@dataclasses.dataclass(frozen=True, slots=True)
class _Variable:
    """A variable of a built-in scalar, or of a list of them: values stay as they are, or graphql-core says why not."""

    name: str
    signature: GraphQLVariableSignature
    is_coerced: Callable[[Any], bool]
    is_required: bool
    is_nullable: bool
    default: Any


Coerce = Callable[[Mapping[str, Any]], VariableValues | list[GraphQLError]]
"""Takes the variables of a request; returns them coerced, or why they cannot be."""


def variables_of(schema: GraphQLSchema, operation: OperationDefinitionNode, *, hide_suggestions: bool) -> Coerce:
    """Return what coerces the variables of an operation."""
    nodes = operation.variable_definitions or ()

    def coerce_by_library(given: Mapping[str, Any]) -> VariableValues | list[GraphQLError]:
        return get_variable_values(
            schema,
            nodes,
            dict(given),
            max_errors=10 if hide_suggestions else _MAX_COERCION_ERRORS,
            hide_suggestions=hide_suggestions,
        )

    simple = [_simple(get_variable_signature(schema, node)) for node in nodes]
    variables = [variable for variable in simple if variable is not None]
    if len(variables) < len(simple):
        return coerce_by_library

    def coerce(given: Mapping[str, Any]) -> VariableValues | list[GraphQLError]:
        values = _coerced(variables, given)
        return coerce_by_library(given) if values is None else values

    return coerce


def _coerced(variables: Sequence[_Variable], given: Mapping[str, Any]) -> VariableValues | None:
    """Return the values of simple variables; None where any is not plainly right."""
    sources: dict[str, VariableValueSource] = {}
    coerced: dict[str, Any] = {}
    for variable in variables:
        name, value = variable.name, given.get(variable.name, Undefined)
        if value is Undefined and not variable.is_required:
            sources[name] = VariableValueSource(variable.signature)
            value = variable.default
        elif (value is None and variable.is_nullable) or variable.is_coerced(value):
            sources[name] = VariableValueSource(variable.signature, value)
        else:
            return None
        if value is not Undefined:
            coerced[name] = value
    return VariableValues(sources, coerced)


def _coerced_list(type_: GraphQLList[Any]) -> Callable[[Any], bool] | None:
    """Return what tells whether a value is a list whose elements are plainly right."""
    element = type_.of_type
    takes_null = not isinstance(element, GraphQLNonNull)
    is_coerced = _COERCED.get(element if takes_null else element.of_type)
    if is_coerced is None:
        return None

    def is_coerced_list(value: Any) -> bool:
        return type(value) is list and all(is_coerced(each) or (takes_null and each is None) for each in value)

    return is_coerced_list


def _simple(signature: GraphQLVariableSignature | GraphQLError) -> _Variable | None:
    if isinstance(signature, GraphQLError):
        return None
    named = signature.type.of_type if isinstance(signature.type, GraphQLNonNull) else signature.type
    is_coerced = _coerced_list(named) if isinstance(named, GraphQLList) else _COERCED.get(named)
    if is_coerced is None:
        return None
    default = _default(signature)
    if default is not Undefined and type(default) not in PLAIN:
        return None
    is_nullable = not isinstance(signature.type, GraphQLNonNull)
    is_required = not is_nullable and default is Undefined
    return _Variable(
        signature.name, signature, is_coerced, is_required=is_required, is_nullable=is_nullable, default=default
    )


def arguments_of(definition: GraphQLField, node: FieldNode, *, hide_suggestions: bool) -> Arguments:
    """Return what reads the arguments of a field, by the names that its resolver knows.

    Constants are read once, variables are looked up; for lists and errors graphql-core is asked each time.
    """
    if not definition.args and not node.arguments:
        return _NONE

    def ask_library(state: Any) -> Mapping[str, Any]:
        return get_argument_values(definition, node, state.variable_values, None, hide_suggestions)

    members = _members(definition.args, {argument.name.value: argument.value for argument in node.arguments or ()})
    if members is None:
        return ask_library
    if members.is_fixed:
        return Fixed(members.template)

    def read(state: Any) -> Mapping[str, Any]:
        values = members.values(state.variables)
        return ask_library(state) if values is None else values

    return read


@dataclasses.dataclass(frozen=True, slots=True)
class _LookedUp:
    """A member whose value is a variable."""

    own: str
    variable: str
    default: Any
    is_required: bool


@dataclasses.dataclass(frozen=True, slots=True)
class _Members:
    """How the arguments of a field, or the fields of an object literal, are read.

    Attributes:
        template: All that may be there, in the declared order; constants are in place.
        looked_up: Those that are variables.
        objects: Those that are object literals with variables.
    """

    template: dict[str, Any]
    looked_up: "Sequence[_LookedUp]"
    objects: "Sequence[tuple[str, _Members]]"

    @property
    def is_fixed(self) -> bool:
        """Whether no variable has a say."""
        return not self.looked_up and not self.objects

    def values(self, variables: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return what is there; None where graphql-core has to say what is wrong."""
        values = dict(self.template)
        for member in self.looked_up:
            value = variables.get(member.variable, Undefined)
            if value is Undefined:
                value = member.default
            if member.is_required and (value is None or value is Undefined):
                return None
            if value is Undefined:
                del values[member.own]
            else:
                values[member.own] = value
        for own, members in self.objects:
            found = members.values(variables)
            if found is None:
                return None
            values[own] = found
        return values


def _members(
    declared: Mapping[str, GraphQLArgument] | Mapping[str, GraphQLInputField], given: Mapping[str, ValueNode]
) -> _Members | None:
    """Return how members are read; None where graphql-core reads them."""
    template: dict[str, Any] = {}
    looked_up: list[_LookedUp] = []
    objects: list[tuple[str, _Members]] = []
    for name, each in declared.items():
        own, node, default = each.out_name or name, given.get(name), _default(each)
        is_required = isinstance(each.type, GraphQLNonNull)
        constant: Any = default
        if isinstance(node, VariableNode):
            looked_up.append(_LookedUp(own, node.name.value, default, is_required))
            template[own] = None
        elif isinstance(node, ObjectValueNode):
            members = _members_of_object(node, each.type)
            if members is None:
                return None
            objects.append((own, members))
            template[own] = None
        else:
            constant = default if node is None else _constant(node, each.type)
            if constant is not Undefined:
                template[own] = constant
            elif node is not None or is_required:
                return None
        if constant is not Undefined and not _is_immutable(constant):
            return None
    return _Members(template, looked_up, objects)


def _members_of_object(node: ObjectValueNode, type_: Any) -> _Members | None:
    own = type_.of_type if isinstance(type_, GraphQLNonNull) else type_
    if not isinstance(own, GraphQLInputObjectType) or own.is_one_of:
        return None
    if own.out_type is not GraphQLInputObjectType.out_type:
        return None
    given = {field.name.value: field.value for field in node.fields}
    return _members(own.fields, given) if given.keys() <= own.fields.keys() else None


@dataclasses.dataclass(frozen=True, slots=True)
class Fixed:
    """Arguments that are the same in every request."""

    values: Mapping[str, Any]

    def __call__(self, _: Any) -> Mapping[str, Any]:
        """Return them, in a dictionary of the caller's own."""
        return dict(self.values)


_NONE = Fixed({})


def _default(declared: GraphQLVariableSignature | GraphQLArgument | GraphQLInputField) -> Any:
    """Return a default's value; what is not immutable, and so left to graphql-core, where it is not of its type."""
    try:
        return coerce_default_value(declared)
    except (TypeError, ValueError, GraphQLError):
        return _INVALID


def _constant(value: ValueNode, type_: Any) -> Any:
    """Return a literal's value; undefined where it is not an immutable constant, or not a value of the type."""
    if isinstance(value, ListValueNode | ObjectValueNode):
        return Undefined
    return coerce_input_literal(value, type_)


def _is_immutable(value: Any) -> bool:
    """Tell whether a value can be given to many requests; members of enums can."""
    return type(value) in PLAIN or getattr(type(value), "__members__", None) is not None
