"""Facets: how many products of a listing have each value of each attribute."""

import dataclasses
import itertools
import uuid
from collections.abc import Sequence
from typing import Annotated, Any, cast

import strawberry
from strawberry.types import Info

from core.statements import Row
from engine.loading import column, loads, of_rows
from loaders import catalogue as relations
from resolvers import catalogue
from resolvers.context import Context
from schema.attributes import Attribute, AttributeValue
from schema.connections import Connection
from schema.cost import CONNECTION, FACETS, sliced
from schema.lists import bounded
from schema.products import Product

MOST_FACETS = 50
"""Attributes that facets are given for; in the order of the attributes' positions."""

FACETS_BY_DEFAULT = 10

MOST_VALUES = 100
"""Values of a facet, those with most products first."""

VALUES_BY_DEFAULT = 20
"""A page of facets by default costs as much as a page of products with what a listing shows of them."""


@of_rows
@strawberry.type(description="How many products of the listing have a value.")
class FacetValue:
    """View of a row of `models.product_pages.product_facets`."""

    value: AttributeValue = loads(relations.attribute_value, key="value_id")
    count: int = column("total", description="Products.")


@dataclasses.dataclass(frozen=True, slots=True)
class _Facet:
    attribute_id: uuid.UUID
    values: Sequence[Row]


_ValuesArgument = Annotated[int, strawberry.argument(description=f"Elements at most, to {MOST_VALUES}.")]
_FacetsArgument = Annotated[int, strawberry.argument(description=f"Elements at most, to {MOST_FACETS}.")]


@strawberry.type(description="The values of an attribute within a listing, the attribute's own filter left out.")
class Facet:
    """View of `_Facet`."""

    attribute: Attribute = loads(relations.attribute, key="attribute_id")

    @strawberry.field(description="Most products first.", directives=sliced(VALUES_BY_DEFAULT, MOST_VALUES))
    def values(self, first: _ValuesArgument = VALUES_BY_DEFAULT) -> list[FacetValue]:
        facet: Any = self
        return cast("list[FacetValue]", facet.values[: bounded(first, MOST_VALUES)])


@strawberry.type(description="A page of a listing of products.", directives=CONNECTION)
class ProductSearchConnection(Connection[Product]):
    """View of `resolvers.catalogue.ProductListing`."""

    @strawberry.field(
        description="What the listing can be narrowed by, in the order of the attributes' positions.",
        directives=(FACETS, *sliced(FACETS_BY_DEFAULT, MOST_FACETS)),
    )
    async def facets(self, info: Info[Context, None], first: _FacetsArgument = FACETS_BY_DEFAULT) -> list[Facet]:
        wanted = bounded(first, MOST_FACETS)
        rows = await catalogue.facets(info.context, cast("catalogue.ProductListing", self))
        groups = itertools.groupby(rows, lambda row: row.attribute_id)
        facets: Any = [_Facet(attribute_id, list(values)) for attribute_id, values in groups]
        return cast("list[Facet]", facets[:wanted])
