"""How rows are written: statements that serve every table."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Delete, Insert, delete, func, insert, text, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.sql import Executable, literal, select
from sqlalchemy.sql.sqltypes import Uuid

from models.base import Aggregate, Entity, Statement, Tenant
from models.collections import CollectionProduct
from models.inventory import StockLevel, Warehouse
from models.listings import Listing
from models.products import Product, Review, Variant
from models.shops import Channel
from models.translations import Translation


def inserted(entity: type[Tenant], shop_id: uuid.UUID, values: Mapping[str, Any]) -> Insert:
    """Insert a row."""
    return insert(entity).values(shop_id=shop_id, **values)


def updated(
    entity: type[Entity], shop_id: uuid.UUID, row_id: uuid.UUID, values: Mapping[str, Any], *, expected: int | None
) -> Executable:
    """Change a row, if it still has the version expected, and return its id."""
    statement = (
        update(entity).where(entity.shop_id == shop_id, entity.id == row_id).values(**values).returning(entity.id)
    )
    if issubclass(entity, Aggregate):
        version: Any = entity.__table__.c.version
        statement = statement.values(version=version + 1)
        if expected is not None:
            statement = statement.where(version == expected)
    if "deleted_at" in entity.__table__.c and "deleted_at" not in values:
        statement = statement.where(entity.__table__.c.deleted_at.is_(None))
    return statement.execution_options(synchronize_session=False)


def deleted(entity: type[Entity], shop_id: uuid.UUID, row_id: uuid.UUID, *, expected: int | None) -> Executable:
    """Delete a row, if it still has the version expected, and return its id."""
    statement = delete(entity).where(entity.shop_id == shop_id, entity.id == row_id).returning(entity.id)
    if expected is not None:
        statement = statement.where(entity.__table__.c.version == expected)
    return statement.execution_options(synchronize_session=False)


def translations_deleted(shop_id: uuid.UUID, entity_id: uuid.UUID) -> Delete:
    """Delete all translations of a row."""
    return (
        delete(Translation)
        .where(Translation.shop_id == shop_id, Translation.entity_id == entity_id)
        .execution_options(synchronize_session=False)
    )


def row(entity: type[Entity], shop_id: uuid.UUID, row_id: uuid.UUID, *, locked: bool = False) -> Statement:
    """Read all columns of a row that is not deleted, and lock it where it is to be changed by what it says."""
    statement = select(*entity.__table__.c).where(entity.shop_id == shop_id, entity.id == row_id)
    if "deleted_at" in entity.__table__.c:
        statement = statement.where(entity.__table__.c.deleted_at.is_(None))
    return statement.with_for_update() if locked else statement


def id_with(entity: type[Entity], shop_id: uuid.UUID, column: str, value: Any) -> Statement:
    """Find the row that has a value in a column that is unique."""
    columns = entity.__table__.c
    statement = select(columns.id).where(columns.shop_id == shop_id, columns[column] == value)
    return statement.where(columns.deleted_at.is_(None)) if "deleted_at" in columns else statement


def slugs_like(entity: type[Entity], shop_id: uuid.UUID, slug: str) -> Statement:
    """Return which of a slug and its numbered forms are taken."""
    columns = entity.__table__.c
    taken = select(columns.slug).where(columns.shop_id == shop_id, columns.slug.regexp_match(f"^{slug}(-[0-9]+)?$"))
    return taken.where(columns.deleted_at.is_(None)) if "deleted_at" in columns else taken


def reordered(
    entity: type[Tenant], shop_id: uuid.UUID, within: Mapping[str, uuid.UUID], column: str, ids: Sequence[uuid.UUID]
) -> Executable:
    """Give rows their places in `ids`, and return those that are there.

    Args:
        entity: The table; it has a column `position`.
        shop_id: The tenant.
        within: Columns and values that all of the rows share: the parent.
        column: The column that `ids` are of.
        ids: In the order wanted.
    """
    columns = entity.__table__.c
    listed = literal(list(ids), ARRAY(Uuid()))
    return (
        update(entity)
        .where(
            columns.shop_id == shop_id,
            *(columns[name] == value for name, value in within.items()),
            columns[column] == func.any(listed),
        )
        .values(position=func.array_position(listed, columns[column]) - 1)
        .returning(columns[column])
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


def live_products(shop_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> Statement:
    """Return which of these ids are products that are not deleted."""
    return select(Product.id).where(Product.shop_id == shop_id, Product.id.in_(ids), Product.deleted_at.is_(None))


def stock_level(shop_id: uuid.UUID, variant_id: uuid.UUID, warehouse_id: uuid.UUID) -> Statement:
    """Read a stock row, and lock it."""
    return (
        select(*StockLevel.__table__.c)
        .where(
            StockLevel.shop_id == shop_id,
            StockLevel.variant_id == variant_id,
            StockLevel.warehouse_id == warehouse_id,
        )
        .with_for_update()
    )


def stock_updated(shop_id: uuid.UUID, place: Mapping[str, uuid.UUID], values: Mapping[str, int]) -> Executable:
    """Change a stock row."""
    columns = StockLevel.__table__.c
    return (
        update(StockLevel)
        .where(columns.shop_id == shop_id, *(columns[name] == value for name, value in place.items()))
        .values(version=StockLevel.version + 1, **values)
        .execution_options(synchronize_session=False)
    )


def products_with(shop_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> Statement:
    """Return the products with these ids."""
    return select(Product.id).where(Product.shop_id == shop_id, Product.id.in_(ids))


def products_of_variants(shop_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> Statement:
    """Return the products of variants."""
    return select(Variant.product_id).where(Variant.shop_id == shop_id, Variant.id.in_(ids)).distinct()


def products_of_listings(shop_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> Statement:
    """Return the products of listings."""
    return (
        select(Variant.product_id)
        .join(Listing, (Listing.shop_id == Variant.shop_id) & (Listing.variant_id == Variant.id))
        .where(Listing.shop_id == shop_id, Listing.id.in_(ids))
        .distinct()
    )


def products_of_reviews(shop_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> Statement:
    """Return the products of reviews."""
    return select(Review.product_id).where(Review.shop_id == shop_id, Review.id.in_(ids)).distinct()


def exists_with(entity: type[Tenant], shop_id: uuid.UUID, **values: Any) -> Statement:
    """Return a row where there is one with these values."""
    columns = entity.__table__.c
    return select(literal(1)).where(columns.shop_id == shop_id, *(columns[k] == v for k, v in values.items())).limit(1)


def last_position(entity: type[Tenant], shop_id: uuid.UUID, **values: Any) -> Statement:
    """Return the greatest position of the rows with these values, -1 where there is none."""
    columns = entity.__table__.c
    of_parent = (columns[name] == value for name, value in values.items())
    return select(func.coalesce(func.max(columns.position), -1)).where(columns.shop_id == shop_id, *of_parent)


def warehouses(shop_id: uuid.UUID) -> Statement:
    """Return the active warehouses, the oldest first."""
    active = select(Warehouse.id).where(Warehouse.shop_id == shop_id, Warehouse.is_active)
    return active.order_by(Warehouse.created_at, Warehouse.id)


def other_channels_demoted(shop_id: uuid.UUID, channel_id: uuid.UUID) -> Executable:
    """Make every other channel an ordinary one."""
    statement = update(Channel).where(Channel.shop_id == shop_id, Channel.id != channel_id, Channel.is_default)
    return statement.values(is_default=False).execution_options(synchronize_session=False)


subtree_moved = text(
    """
    UPDATE category SET path = :new || substr(path, length(:old) + 1)
    WHERE shop_id = app_shop() AND path >= :old AND path < :old || 'g'
    """
)
"""Give a category and everything below it a new place: `old` and `new` are its paths."""

deepest_below = text(
    "SELECT max(length(path)) FROM category WHERE shop_id = app_shop() AND path >= :old AND path < :old || 'g'"
)
"""Return the length of the longest path in a subtree."""

ratings_recounted = text(
    """
    UPDATE product p SET rating_average = r.average, rating_count = r.count
    FROM (SELECT round(avg(rating), 2) AS average, count(*) AS count FROM review
          WHERE shop_id = app_shop() AND product_id = :product AND status = 'APPROVED') r
    WHERE p.shop_id = app_shop() AND p.id = :product
    """
)
"""Count a product's approved reviews again."""
