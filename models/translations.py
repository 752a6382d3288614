"""Texts in other locales than the shop's own."""

import uuid

from sqlalchemy import CheckConstraint, Text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Tenant, one_of

TRANSLATED = {
    "product": ("name", "description", "seo_title", "seo_description"),
    "variant": ("name",),
    "category": ("name", "description", "seo_title", "seo_description"),
    "collection": ("name", "description", "seo_title", "seo_description"),
    "attribute": ("name",),
    "attribute_value": ("name",),
    "product_type": ("name",),
}
"""Which columns of which table can be translated."""


class Translation(Tenant):
    """A column's text in a locale; the statements that delete an entity take its translations along."""

    __tablename__ = "translation"
    __table_args__ = (
        one_of("entity", tuple(TRANSLATED)),
        CheckConstraint("locale ~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$'", name="locale"),
    )

    entity_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    locale: Mapped[str] = mapped_column(Text, primary_key=True)
    field: Mapped[str] = mapped_column(Text, primary_key=True)
    entity: Mapped[str] = mapped_column(Text)
    value: Mapped[str] = mapped_column(Text)
