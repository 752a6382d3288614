"""How rows are put together and in order: members of collections, parts of products, texts in other locales."""

import functools
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, func, update
from sqlalchemy.dialects.postgresql import ARRAY, Insert
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.sql import Executable, bindparam, column, select
from sqlalchemy.sql.sqltypes import Text

from core.statements import Bound
from models.base import SHOP, Tenant, of_shop
from models.collections import CollectionProduct
from models.forms import IDS, OWN, Form, form_of, given, having, kept, table_of
from models.translations import Translation


def reordered(
    entity: type[Tenant],
    shop_id: uuid.UUID,
    within: Mapping[str, uuid.UUID | None],
    column: str,
    ids: Sequence[uuid.UUID],
) -> Bound:
    """Put rows in the order of `ids`, the others behind them as they were, and return all of them.

    Args:
        entity: The table; it has a column `position`.
        shop_id: The tenant.
        within: Columns and values that all of the rows share: the parent.
        column: The column that `ids` are of.
        ids: In the order wanted.
    """
    values = {"shop": shop_id, "ids": list(ids), **given(within)}
    return Bound(_reordered(entity, form_of(within), column), values)


@functools.cache
def _reordered(entity: type[Tenant], within: Form, column: str) -> Executable:
    columns = entity.__table__.c
    key = columns[column]
    of_parent = (of_shop(entity), *having(entity, within), *kept(entity))
    place = func.row_number().over(order_by=(func.array_position(IDS, key).nulls_last(), columns.position, key))
    places = select(key.label("key"), (place - 1).label("place")).where(*of_parent).subquery("places")
    changed = update(entity).where(*of_parent, key == places.c.key).values(position=places.c.place)
    return changed.returning(key)


def rows_replaced(
    entity: type[Tenant], shop_id: uuid.UUID, within: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> Sequence[Bound]:
    """Delete the rows with the values of `within`, and insert others with those values."""
    gone = Bound(_removed(entity, form_of(within)), {"shop": shop_id, **given(within)})
    if not rows:
        return [gone]
    added = _added(entity, tuple(within), tuple(rows[0]))
    return [gone, Bound(added, _of_rows(shop_id, within, rows))]


@functools.cache
def _removed(entity: type[Tenant], within: Form) -> Executable:
    return delete(entity).where(of_shop(entity), *having(entity, within))


@functools.cache
def _added(entity: type[Tenant], shared: tuple[str, ...], own: tuple[str, ...]) -> Insert:
    """Insert rows that have the values of `shared` in common; those of `own` come as one list a column."""
    table = table_of(entity)
    lists = (bindparam(f"all_{name}", type_=ARRAY(table.c[name].type)) for name in own)
    rows = func.unnest(*lists).table_valued(*(column(name, table.c[name].type) for name in own))
    rows = rows.render_derived(name="rows")
    constants = (bindparam(f"of_{name}", type_=table.c[name].type) for name in shared)
    values = select(SHOP, *constants, *(rows.c[name] for name in own))
    return upsert(table).from_select(["shop_id", *shared, *own], values)


def _of_rows(shop_id: uuid.UUID, shared: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the parameters of `_added`."""
    lists = {f"all_{name}": [row[name] for row in rows] for name in rows[0]}
    return {"shop": shop_id, **{f"of_{name}": value for name, value in shared.items()}, **lists}


def members_added(shop_id: uuid.UUID, collection_id: uuid.UUID, products: Sequence[uuid.UUID], first: int) -> Bound:
    """Put products, one at least, at the end of a collection, those that are in it aside."""
    rows = [{"product_id": product, "position": first + number} for number, product in enumerate(products)]
    return Bound(_members_added(), _of_rows(shop_id, {"collection_id": collection_id}, rows))


@functools.cache
def _members_added() -> Executable:
    return _added(CollectionProduct, ("collection_id",), ("product_id", "position")).on_conflict_do_nothing()


def members_removed(shop_id: uuid.UUID, collection_id: uuid.UUID, products: Sequence[uuid.UUID]) -> Bound:
    """Take products out of a collection."""
    return Bound(_members_removed, {"shop": shop_id, "own": collection_id, "ids": list(products)})


_members_removed = delete(CollectionProduct).where(
    of_shop(CollectionProduct),
    CollectionProduct.collection_id == OWN,
    CollectionProduct.product_id == func.any(IDS),
)


def translation_set(
    shop_id: uuid.UUID, entity: str, entity_id: uuid.UUID, locale: str, texts: Mapping[str, str]
) -> Bound:
    """Write texts, one at least, of a row in a locale, over those that are there."""
    shared = {"entity": entity, "entity_id": entity_id, "locale": locale}
    rows = [{"field": field, "value": value} for field, value in texts.items()]
    return Bound(_translation_set(), _of_rows(shop_id, shared, rows))


@functools.cache
def _translation_set() -> Executable:
    statement = _added(Translation, ("entity", "entity_id", "locale"), ("field", "value"))
    return statement.on_conflict_do_update(constraint="pk_translation", set_={"value": statement.excluded.value})


def translation_cleared(shop_id: uuid.UUID, entity_id: uuid.UUID, locale: str, fields: Sequence[str]) -> Bound:
    """Delete texts of a row in a locale."""
    values = {"shop": shop_id, "own": entity_id, "locale": locale, "fields": list(fields)}
    return Bound(_translation_cleared, values)


_translation_cleared = delete(Translation).where(
    of_shop(Translation),
    Translation.entity_id == OWN,
    Translation.locale == bindparam("locale"),
    Translation.field == func.any(bindparam("fields", type_=ARRAY(Text()))),
)
