"""The schema: Strawberry's types, made into a graphql-core schema with every policy in place."""

import strawberry
from graphql import GraphQLSchema
from strawberry.schema.config import StrawberryConfig

from schema import policies
from schema.root import Query
from schema.scalars import SCALARS
from schema.selling import Listing


def build() -> GraphQLSchema:
    """Return the schema.

    Raises:
        LookupError: A root field declares no policy.
    """
    declared = strawberry.Schema(Query, types=[Listing], config=StrawberryConfig(scalar_map=SCALARS))
    schema = declared._schema  # noqa: SLF001  (Strawberry has no other way to its graphql-core schema)
    policies.apply(schema)
    return schema
