"""The schema: Strawberry's types, made into a graphql-core schema with every policy and price in place."""

from collections.abc import Iterator

import strawberry
from graphql import (
    GraphQLArgument,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    Undefined,
)
from strawberry.schema.config import StrawberryConfig

from schema import cost, policies, subscriptions
from schema.mutations import Mutation
from schema.payloads import Duplicate, InputError, VersionConflict
from schema.root import Query
from schema.scalars import SCALARS
from schema.subscriptions import Subscription


def build() -> GraphQLSchema:
    """Return the schema.

    Raises:
        LookupError: A root field declares no policy, or a list no bound.
    """
    declared = strawberry.Schema(
        Query,
        Mutation,
        Subscription,
        types=[InputError, VersionConflict, Duplicate],
        config=StrawberryConfig(scalar_map=SCALARS),
    )
    schema = declared._schema  # noqa: SLF001  (Strawberry has no other way to its graphql-core schema)
    _leave_out_null_defaults(schema)
    policies.apply(schema)
    subscriptions.apply(schema)
    cost.apply(schema)
    return schema


def _leave_out_null_defaults(schema: GraphQLSchema) -> None:
    """Print `first: Int` and not `first: Int = null`: None in Python only means that it may be left out."""
    for value in _given(schema):
        if value.default_value is None:
            value.default_value = Undefined


def _given(schema: GraphQLSchema) -> Iterator[GraphQLArgument | GraphQLInputField]:
    """Return all that may be given a value: arguments and input fields."""
    for directive in schema.directives:
        yield from directive.args.values()
    for each in schema.type_map.values():
        if isinstance(each, GraphQLInputObjectType):
            yield from each.fields.values()
        elif isinstance(each, GraphQLObjectType):
            for declared in each.fields.values():
                yield from declared.args.values()
