"""Facets: how many products of a listing have each value of each attribute."""

import dataclasses
import itertools
import uuid
from collections.abc import Sequence
from typing import Any, cast

import strawberry
from strawberry.types import Info

from core.statements import Row
from engine.loading import loads
from loaders import catalogue as relations
from resolvers import catalogue
from resolvers.context import Context
from schema.attributes import Attribute, AttributeValue
from schema.connections import Connection
from schema.products import Product

MOST_FACETS = 50
"""Attributes that facets are given for; in the order of the attributes' positions."""

MOST_VALUES = 100
"""Values of a facet, those with most products first."""


@strawberry.type(description="How many products of the listing have a value.")
class FacetValue:
    """View of a row of `models.product_pages.product_facets`."""

    value: AttributeValue = loads(relations.attribute_value, key="value_id")

    @strawberry.field(description="Products.")
    def count(self) -> int:
        return cast("int", cast("Row", self).total)


@dataclasses.dataclass(frozen=True, slots=True)
class _Facet:
    attribute_id: uuid.UUID
    values: Sequence[Row]


@strawberry.type(description="The values of an attribute within a listing, the attribute's own filter left out.")
class Facet:
    """View of `_Facet`."""

    attribute: Attribute = loads(relations.attribute, key="attribute_id")
    values: list[FacetValue] = strawberry.field(description=f"Most products first, at most {MOST_VALUES}.")


@strawberry.type(description="A page of a listing of products.")
class ProductSearchConnection(Connection[Product]):
    """View of `resolvers.catalogue.ProductListing`."""

    @strawberry.field(description=f"What the listing can be narrowed by; at most {MOST_FACETS} attributes.")
    async def facets(self, info: Info[Context, None]) -> list[Facet]:
        rows = await catalogue.facets(info.context, cast("catalogue.ProductListing", self))
        groups = itertools.groupby(rows, lambda row: row.attribute_id)
        facets: Any = [_Facet(attribute_id, list(values)[:MOST_VALUES]) for attribute_id, values in groups]
        return cast("list[Facet]", facets[:MOST_FACETS])
