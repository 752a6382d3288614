"""How rows are put together and in order: members of collections, parts of products, texts in other locales."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, insert, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.sql import Executable, literal, select
from sqlalchemy.sql.sqltypes import Uuid

from models.base import Tenant
from models.collections import CollectionProduct
from models.translations import Translation


def reordered(
    entity: type[Tenant],
    shop_id: uuid.UUID,
    within: Mapping[str, uuid.UUID | None],
    column: str,
    ids: Sequence[uuid.UUID],
) -> Executable:
    """Put rows in the order of `ids`, the others behind them as they were, and return all of them.

    Args:
        entity: The table; it has a column `position`.
        shop_id: The tenant.
        within: Columns and values that all of the rows share: the parent.
        column: The column that `ids` are of.
        ids: In the order wanted.
    """
    columns = entity.__table__.c
    key = columns[column]
    named = func.array_position(literal(list(ids), ARRAY(Uuid())), key)
    of_parent = [columns.shop_id == shop_id, *(columns[name] == value for name, value in within.items())]
    if "deleted_at" in columns:
        of_parent.append(columns.deleted_at.is_(None))
    place = func.row_number().over(order_by=(named.nulls_last(), columns.position, key))
    places = select(key.label("key"), (place - 1).label("place")).where(*of_parent).subquery("places")
    return (
        update(entity)
        .where(*of_parent, key == places.c.key)
        .values(position=places.c.place)
        .returning(key)
        .execution_options(synchronize_session=False)
    )


def rows_replaced(
    entity: type[Tenant], shop_id: uuid.UUID, within: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> Sequence[Executable]:
    """Delete the rows with the values of `within`, and insert others with those values."""
    columns = entity.__table__.c
    of_parent = (columns[name] == value for name, value in within.items())
    gone = delete(entity).where(columns.shop_id == shop_id, *of_parent).execution_options(synchronize_session=False)
    if not rows:
        return [gone]
    return [gone, insert(entity).values([{"shop_id": shop_id, **within, **row} for row in rows])]


def members_added(
    shop_id: uuid.UUID, collection_id: uuid.UUID, products: Sequence[uuid.UUID], first: int
) -> Executable:
    """Put products at the end of a collection, those that are in it aside."""
    rows = [
        {"shop_id": shop_id, "collection_id": collection_id, "product_id": product, "position": first + number}
        for number, product in enumerate(products)
    ]
    return upsert(CollectionProduct).values(rows).on_conflict_do_nothing()


def members_removed(shop_id: uuid.UUID, collection_id: uuid.UUID, products: Sequence[uuid.UUID]) -> Executable:
    """Take products out of a collection."""
    return (
        delete(CollectionProduct)
        .where(
            CollectionProduct.shop_id == shop_id,
            CollectionProduct.collection_id == collection_id,
            CollectionProduct.product_id.in_(products),
        )
        .execution_options(synchronize_session=False)
    )


def translation_set(
    shop_id: uuid.UUID, entity: str, entity_id: uuid.UUID, locale: str, texts: Mapping[str, str]
) -> Executable:
    """Write texts of a row in a locale, over those that are there."""
    rows = [
        {"shop_id": shop_id, "entity": entity, "entity_id": entity_id, "locale": locale, "field": field, "value": value}
        for field, value in texts.items()
    ]
    statement = upsert(Translation).values(rows)
    return statement.on_conflict_do_update(constraint="pk_translation", set_={"value": statement.excluded.value})


def translation_cleared(shop_id: uuid.UUID, entity_id: uuid.UUID, locale: str, fields: Sequence[str]) -> Executable:
    """Delete texts of a row in a locale."""
    return (
        delete(Translation)
        .where(
            Translation.shop_id == shop_id,
            Translation.entity_id == entity_id,
            Translation.locale == locale,
            Translation.field.in_(fields),
        )
        .execution_options(synchronize_session=False)
    )
