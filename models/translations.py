"""Texts in other locales than the shop's own."""

import uuid

from sqlalchemy import CheckConstraint, Text, func
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql import ColumnElement, bindparam, select

from models.base import LIMIT, Entity, Key, Statement, Tenant, columns_of, of_shop, one_of, rows_of
from models.scopes import Shape

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


_LOCALE = bindparam("locale", type_=Text())


def translated(entity: type[Entity], shape: Shape) -> Statement:
    """Return a select of an entity's columns, with texts in the locale wanted where there is a translation.

    A regional locale falls back to its language, and that to the shop's own text.
    """
    if not shape.translated:
        return rows_of(entity)
    fields = TRANSLATED[entity.__tablename__]
    columns = [_text(entity, column) if column.name in fields else column for column in columns_of(entity)]
    return select(*columns).execution_options(entity=entity.__tablename__)


def _text(entity: type[Entity], column: ColumnElement[str]) -> ColumnElement[str]:
    translation = (
        select(Translation.value)
        .where(
            of_shop(Translation),
            Translation.entity_id == entity.id,
            Translation.field == column.key,
            Translation.locale.in_([_LOCALE, func.split_part(_LOCALE, "-", 1)]),
        )
        .order_by(func.length(Translation.locale).desc())
        .limit(1)
        .scalar_subquery()
    )
    return func.coalesce(translation, column).label(column.key)


def translations_of_entities(_: Shape, key: Key) -> Statement:
    """Return up to `first` translations of an entity, as staff edit them."""
    return (
        rows_of(Translation)
        .where(of_shop(Translation), Translation.entity_id == key)
        .order_by(Translation.locale, Translation.field)
        .limit(LIMIT)
    )
