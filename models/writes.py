"""How rows are written: statements that serve every table, built once for each shape (decision 0003)."""

import functools
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, insert, or_, text, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.sql import Executable, bindparam, literal, select

from core.statements import Bound
from models.attributes import AttributeValue
from models.base import SHOP, Aggregate, Entity, Tenant, of_shop
from models.forms import IDS, OWN, Form, form_of, given, having, kept, new, table_of, to_new
from models.inventory import StockLevel, Warehouse
from models.listings import ProductListing
from models.products import Variant
from models.shops import Channel
from models.translations import Translation


def inserted(entity: type[Tenant], shop_id: uuid.UUID, values: Mapping[str, Any]) -> Bound:
    """Insert a row."""
    return Bound(_inserting(entity, frozenset(values)), {"shop": shop_id, **new(values)})


@functools.cache
def _inserting(entity: type[Tenant], columns: frozenset[str]) -> Executable:
    return insert(table_of(entity)).values(shop_id=SHOP, **to_new(columns))


def updated(entity: type[Entity], shop_id: uuid.UUID, row_id: uuid.UUID, values: Mapping[str, Any]) -> Bound:
    """Change a row that is locked, so that it is known to be there; its version grows."""
    return Bound(_updating(entity, frozenset(values)), {"shop": shop_id, "own": row_id, **new(values)})


@functools.cache
def _updating(entity: type[Entity], columns: frozenset[str]) -> Executable:
    table = table_of(entity)
    grown = {"version": table.c.version + 1} if issubclass(entity, Aggregate) else {}
    return update(table).where(table.c.shop_id == SHOP, table.c.id == OWN).values(**to_new(columns), **grown)


def deleted(entity: type[Entity], shop_id: uuid.UUID, row_id: uuid.UUID) -> Bound:
    """Delete a row that is locked."""
    return Bound(_deleting(entity), {"shop": shop_id, "own": row_id})


@functools.cache
def _deleting(entity: type[Entity]) -> Executable:
    table = table_of(entity)
    return delete(table).where(table.c.shop_id == SHOP, table.c.id == OWN)


def translations_deleted(shop_id: uuid.UUID, row_id: uuid.UUID) -> Bound:
    """Delete all translations of a row."""
    return Bound(_translations_deleted, {"shop": shop_id, "own": row_id})


_translations_deleted = delete(Translation).where(of_shop(Translation), Translation.entity_id == OWN)


def translations_of_values_deleted(shop_id: uuid.UUID, attribute_id: uuid.UUID) -> Bound:
    """Delete all translations of the values of an attribute."""
    return Bound(_translations_of_values_deleted, {"shop": shop_id, "own": attribute_id})


_translations_of_values_deleted = delete(Translation).where(
    of_shop(Translation),
    Translation.entity_id.in_(
        select(AttributeValue.id).where(of_shop(AttributeValue), AttributeValue.attribute_id == OWN)
    ),
)


def row(
    entity: type[Entity], shop_id: uuid.UUID, row_id: uuid.UUID, *, locked: bool = False, deleted: bool = False
) -> Bound:
    """Read all columns of a row.

    Args:
        entity: The table.
        shop_id: The tenant.
        row_id: The row.
        locked: Whether nobody else may change it before the block ends; rows may still refer to it.
        deleted: Whether it may be marked as deleted.
    """
    return Bound(_row(entity, locked=locked, deleted=deleted), {"shop": shop_id, "own": row_id})


@functools.cache
def _row(entity: type[Entity], *, locked: bool, deleted: bool) -> Executable:
    columns = entity.__table__.c
    statement = select(*columns).where(columns.shop_id == SHOP, columns.id == OWN, *(() if deleted else kept(entity)))
    return statement.with_for_update(key_share=True) if locked else statement


def slugs_like(entity: type[Entity], shop_id: uuid.UUID, slug: str, within: Mapping[str, Any]) -> Bound:
    """Return which of a slug and its numbered forms are taken, among the rows with the values of `within`."""
    values = {"shop": shop_id, "pattern": f"^{slug}(-[0-9]+)?$", **given(within)}
    return Bound(_slugs_like(entity, form_of(within)), values)


@functools.cache
def _slugs_like(entity: type[Entity], form: Form) -> Executable:
    columns = entity.__table__.c
    matches = columns.slug.regexp_match(bindparam("pattern"))
    return select(columns.slug).where(columns.shop_id == SHOP, *having(entity, form), matches, *kept(entity))


def rows_with(entity: type[Entity], shop_id: uuid.UUID, ids: Sequence[uuid.UUID], **values: Any) -> Bound:
    """Return which of these ids are rows with these values that are not deleted."""
    return Bound(_rows_with(entity, form_of(values)), {"shop": shop_id, "ids": list(ids), **given(values)})


@functools.cache
def _rows_with(entity: type[Entity], form: Form) -> Executable:
    columns = entity.__table__.c
    found = select(columns.id).where(columns.shop_id == SHOP, columns.id == func.any(IDS))
    return found.where(*having(entity, form), *kept(entity))


def stock_set(shop_id: uuid.UUID, place: Mapping[str, uuid.UUID], values: Mapping[str, int], expected: int) -> Bound:
    """Change a stock row that has the version expected, or make it where that is 0, and return its new version."""
    columns = frozenset(values)
    if expected == 0:
        return Bound(_stock_made(columns.union(place)), {"shop": shop_id, **new(place), **new(values)})
    parameters = {"shop": shop_id, "expected": expected, **given(place), **new(values)}
    return Bound(_stock_changed(form_of(place), columns), parameters)


@functools.cache
def _stock_made(columns: frozenset[str]) -> Executable:
    made = upsert(StockLevel).values(shop_id=SHOP, **to_new(columns))
    return made.on_conflict_do_nothing().returning(StockLevel.version)


@functools.cache
def _stock_changed(place: Form, columns: frozenset[str]) -> Executable:
    return (
        update(StockLevel)
        .where(of_shop(StockLevel), *having(StockLevel, place), StockLevel.version == bindparam("expected"))
        .values(version=StockLevel.version + 1, **to_new(columns))
        .returning(StockLevel.version)
    )


def stock_version(shop_id: uuid.UUID, place: Mapping[str, uuid.UUID]) -> Bound:
    """Return the version of a stock row."""
    return Bound(_stock_version(form_of(place)), {"shop": shop_id, **given(place)})


@functools.cache
def _stock_version(place: Form) -> Executable:
    return select(StockLevel.version).where(of_shop(StockLevel), *having(StockLevel, place))


def product_of_variant(shop_id: uuid.UUID, variant_id: uuid.UUID) -> Bound:
    """Return the product of a variant."""
    return Bound(_product_of_variant, {"shop": shop_id, "own": variant_id})


_product_of_variant = select(Variant.product_id).where(of_shop(Variant), Variant.id == OWN)


def exists_with(entity: type[Tenant], shop_id: uuid.UUID, **values: Any) -> Bound:
    """Return a row where there is one with these values."""
    return Bound(_exists_with(entity, form_of(values)), {"shop": shop_id, **given(values)})


@functools.cache
def _exists_with(entity: type[Tenant], form: Form) -> Executable:
    return select(literal(1)).where(of_shop(entity), *having(entity, form)).limit(1)


def siblings(entity: type[Tenant], shop_id: uuid.UUID, **values: Any) -> Bound:
    """Count the rows with these values; also return their greatest position, -1 where there is none."""
    return Bound(_siblings(entity, form_of(values)), {"shop": shop_id, **given(values)})


@functools.cache
def _siblings(entity: type[Tenant], form: Form) -> Executable:
    columns = entity.__table__.c
    last = func.coalesce(func.max(columns.position), -1) if "position" in columns else literal(-1)
    counted = select(func.count().label("total"), last.label("last"))
    return counted.where(of_shop(entity), *having(entity, form), *kept(entity))


def variants_marked(shop_id: uuid.UUID, product_id: uuid.UUID, *, before: Any, now: Any) -> Bound:
    """Let the variants of a product that have one mark of deletion, or none, have another."""
    return Bound(_variants_marked, {"shop": shop_id, "own": product_id, "before": before, "now": now})


_variants_marked = (
    update(Variant)
    .where(of_shop(Variant), Variant.product_id == OWN, Variant.deleted_at.is_not_distinct_from(bindparam("before")))
    .values(deleted_at=bindparam("now"), version=Variant.version + 1)
)


def visible_listing(shop_id: uuid.UUID, product_id: uuid.UUID) -> Bound:
    """Return a row where shoppers see a product in some channel now."""
    return Bound(_visible_listing, {"shop": shop_id, "own": product_id})


_visible_listing = select(literal(1)).where(
    of_shop(ProductListing),
    ProductListing.product_id == OWN,
    ProductListing.is_visible,
    or_(ProductListing.available_from.is_(None), ProductListing.available_from <= func.now()),
)


def stock_in(shop_id: uuid.UUID, warehouse_id: uuid.UUID) -> Bound:
    """Return a row where anything lies in a warehouse, or is promised from it."""
    return Bound(_stock_in, {"shop": shop_id, "own": warehouse_id})


_stock_in = select(literal(1)).where(
    of_shop(StockLevel),
    StockLevel.warehouse_id == OWN,
    StockLevel.on_hand + StockLevel.allocated + StockLevel.reserved > 0,
)


def warehouses(shop_id: uuid.UUID) -> Bound:
    """Return the active warehouses, the oldest first."""
    return Bound(_warehouses, {"shop": shop_id})


_warehouses = (
    select(Warehouse.id).where(of_shop(Warehouse), Warehouse.is_active).order_by(Warehouse.created_at, Warehouse.id)
)


def other_channels_demoted(shop_id: uuid.UUID, channel_id: uuid.UUID) -> Bound:
    """Make every other channel an ordinary one."""
    return Bound(_other_channels_demoted, {"shop": shop_id, "own": channel_id})


_other_channels_demoted = (
    update(Channel).where(of_shop(Channel), Channel.id != OWN, Channel.is_default).values(is_default=False)
)


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
