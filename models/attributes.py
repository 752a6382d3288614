"""Product types, attributes and their values."""

import uuid
from datetime import date
from decimal import Decimal

from sqlalchemy import Boolean, Date, Index, Integer, Numeric, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import (
    Aggregate,
    Entity,
    Tenant,
    one_of,
    references,
    slug_check,
    unique_while,
)

ATTRIBUTE_KINDS = ("DROPDOWN", "MULTISELECT", "NUMERIC", "BOOLEAN", "DATE", "TEXT", "SWATCH", "REFERENCE")


class ProductType(Aggregate):
    """A kind of product and the attributes it has."""

    __tablename__ = "product_type"
    __table_args__ = (slug_check(), unique_while("product_type", "slug"))

    slug: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)


class Attribute(Aggregate):
    """A property that products or variants of a shop have."""

    __tablename__ = "attribute"
    __table_args__ = (slug_check(), unique_while("attribute", "slug"), one_of("kind", ATTRIBUTE_KINDS))

    slug: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    unit: Mapped[str | None] = mapped_column(Text)
    is_filterable: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    is_variant_selection: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    position: Mapped[int] = mapped_column(Integer, server_default="0")


class AttributeValue(Entity):
    """One of the values that a DROPDOWN, MULTISELECT, SWATCH or REFERENCE attribute offers."""

    __tablename__ = "attribute_value"
    __table_args__ = (
        slug_check(),
        references("attribute", "attribute_id"),
        Index("uq_attribute_value_slug", "shop_id", "attribute_id", "slug", unique=True),
    )

    attribute_id: Mapped[uuid.UUID]
    slug: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    color: Mapped[str | None] = mapped_column(Text)
    position: Mapped[int] = mapped_column(Integer, server_default="0")


class ProductTypeAttribute(Tenant):
    """An attribute of a product type."""

    __tablename__ = "product_type_attribute"
    __table_args__ = (references("product_type", "product_type_id"), references("attribute", "attribute_id"))

    product_type_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    attribute_id: Mapped[uuid.UUID] = mapped_column(primary_key=True, index=False)
    position: Mapped[int] = mapped_column(Integer, server_default="0")


class AttributeAssignment(Entity):
    """A value of an attribute on a product, or on one of its variants.

    Exactly one of the value columns is set, by the attribute's kind; a MULTISELECT has a row for each value.
    """

    __tablename__ = "attribute_assignment"
    __table_args__ = (
        references("product", "product_id"),
        references("variant", "variant_id"),
        references("attribute", "attribute_id"),
        references("attribute_value", "value_id"),
        Index("ix_attribute_assignment_product_id", "shop_id", "product_id", "position"),
        Index(
            "ix_attribute_assignment_variant_id",
            "shop_id",
            "variant_id",
            postgresql_where=text("variant_id IS NOT NULL"),
        ),
        Index("ix_attribute_assignment_value_id", "shop_id", "attribute_id", "value_id", "product_id"),
    )

    product_id: Mapped[uuid.UUID]
    variant_id: Mapped[uuid.UUID | None]
    attribute_id: Mapped[uuid.UUID]
    value_id: Mapped[uuid.UUID | None]
    text_value: Mapped[str | None] = mapped_column(Text)
    number_value: Mapped[Decimal | None] = mapped_column(Numeric)
    boolean_value: Mapped[bool | None] = mapped_column(Boolean)
    date_value: Mapped[date | None] = mapped_column(Date)
    position: Mapped[int] = mapped_column(Integer, server_default="0")
