"""How rows are written: statements that serve every table."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Delete, Insert, Table, delete, func, insert, or_, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.sql import Executable, literal, select

from models.attributes import AttributeValue
from models.base import Aggregate, Entity, Statement, Tenant
from models.inventory import StockLevel, Warehouse
from models.listings import ProductListing
from models.products import Variant
from models.shops import Channel
from models.translations import Translation


def inserted(entity: type[Tenant], shop_id: uuid.UUID, values: Mapping[str, Any]) -> Insert:
    """Insert a row."""
    return insert(table_of(entity)).values(shop_id=shop_id, **values)


def table_of(entity: type[Tenant]) -> Table:
    """Return the table of an entity: statements on it are made and run in half of the time of those on the class."""
    table = entity.__table__
    assert isinstance(table, Table)  # noqa: S101  (narrows the type)
    return table


def updated(entity: type[Entity], shop_id: uuid.UUID, row_id: uuid.UUID, values: Mapping[str, Any]) -> Executable:
    """Change a row that is locked, so that it is known to be there; its version grows."""
    table = table_of(entity)
    grown = {"version": table.c.version + 1} if issubclass(entity, Aggregate) else {}
    return update(table).where(table.c.shop_id == shop_id, table.c.id == row_id).values(**values, **grown)


def deleted(entity: type[Entity], shop_id: uuid.UUID, row_id: uuid.UUID) -> Executable:
    """Delete a row that is locked."""
    table = table_of(entity)
    return delete(table).where(table.c.shop_id == shop_id, table.c.id == row_id)


def translations_deleted(shop_id: uuid.UUID, entity_ids: Sequence[uuid.UUID] | Statement) -> Delete:
    """Delete all translations of rows."""
    return (
        delete(Translation)
        .where(Translation.shop_id == shop_id, Translation.entity_id.in_(entity_ids))
        .execution_options(synchronize_session=False)
    )


def values_of_attribute(shop_id: uuid.UUID, attribute_id: uuid.UUID) -> Statement:
    """Return the ids of the values of an attribute."""
    return select(AttributeValue.id).where(
        AttributeValue.shop_id == shop_id, AttributeValue.attribute_id == attribute_id
    )


def row(
    entity: type[Entity], shop_id: uuid.UUID, row_id: uuid.UUID, *, locked: bool = False, deleted: bool = False
) -> Statement:
    """Read all columns of a row.

    Args:
        entity: The table.
        shop_id: The tenant.
        row_id: The row.
        locked: Whether nobody else may change it before the block ends; rows may still refer to it.
        deleted: Whether it may be marked as deleted.
    """
    columns = entity.__table__.c
    statement = select(*columns).where(columns.shop_id == shop_id, columns.id == row_id)
    if "deleted_at" in columns and not deleted:
        statement = statement.where(columns.deleted_at.is_(None))
    return statement.with_for_update(key_share=True) if locked else statement


def slugs_like(entity: type[Entity], shop_id: uuid.UUID, slug: str, within: Mapping[str, Any]) -> Statement:
    """Return which of a slug and its numbered forms are taken, among the rows with the values of `within`."""
    columns = entity.__table__.c
    same = (columns[name] == value for name, value in within.items())
    taken = select(columns.slug).where(
        columns.shop_id == shop_id, *same, columns.slug.regexp_match(f"^{slug}(-[0-9]+)?$")
    )
    return taken.where(columns.deleted_at.is_(None)) if "deleted_at" in columns else taken


def rows_with(entity: type[Entity], shop_id: uuid.UUID, ids: Sequence[uuid.UUID], **values: Any) -> Statement:
    """Return which of these ids are rows with these values that are not deleted."""
    columns = entity.__table__.c
    same = (columns[name] == value for name, value in values.items())
    found = select(columns.id).where(columns.shop_id == shop_id, columns.id.in_(ids), *same)
    return found.where(columns.deleted_at.is_(None)) if "deleted_at" in columns else found


def stock_set(
    shop_id: uuid.UUID, place: Mapping[str, uuid.UUID], values: Mapping[str, int], expected: int
) -> Executable:
    """Change a stock row that has the version expected, or make it where that is 0, and return its new version."""
    if expected == 0:
        made = upsert(StockLevel).values(shop_id=shop_id, **place, **values)
        return made.on_conflict_do_nothing().returning(StockLevel.version)
    columns = StockLevel.__table__.c
    return (
        update(StockLevel)
        .where(columns.shop_id == shop_id, *(columns[name] == value for name, value in place.items()))
        .where(StockLevel.version == expected)
        .values(version=StockLevel.version + 1, **values)
        .returning(StockLevel.version)
        .execution_options(synchronize_session=False)
    )


def stock_version(shop_id: uuid.UUID, place: Mapping[str, uuid.UUID]) -> Statement:
    """Return the version of a stock row."""
    columns = StockLevel.__table__.c
    return select(StockLevel.version).where(
        columns.shop_id == shop_id, *(columns[name] == value for name, value in place.items())
    )


def products_of_variants(shop_id: uuid.UUID, ids: Sequence[uuid.UUID]) -> Statement:
    """Return the products of variants."""
    return select(Variant.product_id).where(Variant.shop_id == shop_id, Variant.id.in_(ids)).distinct()


def exists_with(entity: type[Tenant], shop_id: uuid.UUID, **values: Any) -> Statement:
    """Return a row where there is one with these values."""
    columns = entity.__table__.c
    return select(literal(1)).where(columns.shop_id == shop_id, *(columns[k] == v for k, v in values.items())).limit(1)


def siblings(entity: type[Tenant], shop_id: uuid.UUID, **values: Any) -> Statement:
    """Count the rows with these values; also return their greatest position, -1 where there is none."""
    columns = entity.__table__.c
    of_parent = [columns[name] == value for name, value in values.items()]
    if "deleted_at" in columns:
        of_parent.append(columns.deleted_at.is_(None))
    last = func.coalesce(func.max(columns.position), -1) if "position" in columns else literal(-1)
    return select(func.count().label("total"), last.label("last")).where(columns.shop_id == shop_id, *of_parent)


def variants_marked(shop_id: uuid.UUID, product_id: uuid.UUID, *, before: Any, now: Any) -> Executable:
    """Let the variants of a product that have one mark of deletion, or none, have another."""
    return (
        update(Variant)
        .where(
            Variant.shop_id == shop_id,
            Variant.product_id == product_id,
            Variant.deleted_at.is_not_distinct_from(before),
        )
        .values(deleted_at=now, version=Variant.version + 1)
        .execution_options(synchronize_session=False)
    )


def visible_listing(shop_id: uuid.UUID, product_id: uuid.UUID) -> Statement:
    """Return a row where shoppers see a product in some channel now."""
    return select(literal(1)).where(
        ProductListing.shop_id == shop_id,
        ProductListing.product_id == product_id,
        ProductListing.is_visible,
        or_(ProductListing.available_from.is_(None), ProductListing.available_from <= func.now()),
    )


def stock_in(shop_id: uuid.UUID, warehouse_id: uuid.UUID) -> Statement:
    """Return a row where anything lies in a warehouse, or is promised from it."""
    held = StockLevel.on_hand + StockLevel.allocated + StockLevel.reserved
    return select(literal(1)).where(StockLevel.shop_id == shop_id, StockLevel.warehouse_id == warehouse_id, held > 0)


def warehouses(shop_id: uuid.UUID) -> Statement:
    """Return the active warehouses, the oldest first."""
    active = select(Warehouse.id).where(Warehouse.shop_id == shop_id, Warehouse.is_active)
    return active.order_by(Warehouse.created_at, Warehouse.id)


def other_channels_demoted(shop_id: uuid.UUID, channel_id: uuid.UUID) -> Executable:
    """Make every other channel an ordinary one."""
    statement = update(Channel).where(Channel.shop_id == shop_id, Channel.id != channel_id, Channel.is_default)
    return statement.values(is_default=False).execution_options(synchronize_session=False)


one_at_a_time = text("SELECT pg_advisory_xact_lock(hashtextextended(:name || ' ' || app_shop()::text, 0))")
"""Wait until no other block of the shop holds `name`, and hold it until this one ends."""

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
