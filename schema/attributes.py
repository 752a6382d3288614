"""Product types, attributes and their values."""

import datetime as dt
from decimal import Decimal

from engine.loading import column, loads
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
    text: str | None = column("text_value", description="Of TEXT attributes.")
    number: Decimal | None = column("number_value", description="Of NUMERIC attributes.")
    boolean: bool | None = column("boolean_value", description="Of BOOLEAN attributes.")
    date: dt.date | None = column("date_value", description="Of DATE attributes.")
