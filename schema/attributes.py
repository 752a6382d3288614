"""Product types, attributes and their values."""

from datetime import date
from decimal import Decimal
from typing import cast

import strawberry

from core.statements import Row
from engine.loading import loads
from loaders import catalogue
from models import attributes as rows
from schema.enums import AttributeKind
from schema.lists import loads_list
from schema.views import Node, view_of


@view_of(rows.AttributeValue)
class AttributeValue(Node):
    """One of the values that an attribute offers."""

    slug: str
    name: str
    color: str | None
    position: int


@view_of(rows.Attribute)
class Attribute(Node):
    """A property that products or variants have."""

    slug: str
    name: str
    kind: AttributeKind
    unit: str | None
    is_filterable: bool
    is_variant_selection: bool
    position: int
    version: int
    values: list[AttributeValue] = loads_list(catalogue.values_of_attribute, 20, 250, description="Values in order.")


@view_of(rows.ProductType)
class ProductType(Node):
    """A kind of product and the attributes it has."""

    slug: str
    name: str
    version: int
    attributes: list[Attribute] = loads_list(catalogue.attributes_of_product_type, 20, 100)


@view_of(rows.AttributeAssignment)
class AssignedAttribute:
    """A value of an attribute on a product or variant: the field that suits the attribute's kind is set."""

    attribute: Attribute = loads(catalogue.attribute, key="attribute_id")
    value: AttributeValue | None = loads(catalogue.attribute_value, key="value_id")

    @strawberry.field(description="Of TEXT attributes.")
    def text(self) -> str | None:
        return cast("str | None", cast("Row", self).text_value)

    @strawberry.field(description="Of NUMERIC attributes.")
    def number(self) -> Decimal | None:
        return cast("Decimal | None", cast("Row", self).number_value)

    @strawberry.field(description="Of BOOLEAN attributes.")
    def boolean(self) -> bool | None:
        return cast("bool | None", cast("Row", self).boolean_value)

    @strawberry.field(description="Of DATE attributes.")
    def date(self) -> date | None:
        return cast("date | None", cast("Row", self).date_value)
