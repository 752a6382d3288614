"""What all tables share: names of constraints, the tenant in every key, times from the database clock."""

import uuid
from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, ForeignKeyConstraint, Index, MetaData, func
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column
from sqlalchemy.sql import ColumnElement, Select, bindparam, column, literal_column, select, true
from sqlalchemy.sql.sqltypes import ARRAY, Integer, Uuid

# Constraint names carry the column behind the tenant: refusals are read off them (resolvers.refusals).
_NAMES = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_1_name)s",
    "uq": "uq_%(table_name)s_%(column_1_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "ix": "ix_%(table_name)s_%(column_1_name)s",
}

SLUG_PATTERN = "^[a-z0-9]+(-[a-z0-9]+)*$"
LONGEST_SLUG = 120


Statement = Select[*tuple[Any, ...]]
"""A select of whatever columns."""


class Base(DeclarativeBase):
    """Every table."""

    metadata = MetaData(naming_convention=_NAMES)
    type_annotation_map = {datetime: DateTime(timezone=True)}  # noqa: RUF012  (SQLAlchemy reads it from the class)


class Tenant(Base):
    """A table whose rows belong to a shop: the shop is the first column of its key and of every other one."""

    __abstract__ = True

    shop_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("shop.id", ondelete="CASCADE"), primary_key=True, sort_order=-3
    )


class Entity(Tenant):
    """A tenant table with an id made by the application and the times of its making and last change."""

    __abstract__ = True

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, sort_order=-2)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now(), sort_order=98)
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now(), sort_order=99)


class Aggregate(Entity):
    """An entity that clients change; `version` grows with each change (optimistic locking)."""

    __abstract__ = True

    @declared_attr
    @classmethod
    def version(cls) -> Mapped[int]:
        """Number of the row's state, from 1."""
        return mapped_column(server_default="1", sort_order=97)


def references(table: str, column: str, *, on_delete: str = "CASCADE") -> ForeignKeyConstraint:
    """Return a foreign key within the shop.

    Args:
        table: The table referred to, by (shop_id, id).
        column: The referring column.
        on_delete: CASCADE, RESTRICT, or SET NULL, which then empties this column alone and not the shop.
    """
    action = f"SET NULL ({column})" if on_delete == "SET NULL" else on_delete
    return ForeignKeyConstraint(["shop_id", column], [f"{table}.shop_id", f"{table}.id"], ondelete=action)


def unique_while(table: str, column: str, condition: str | None = None) -> Index:
    """Return a unique index within the shop, over the rows that meet a condition."""
    where: dict[str, Any] = {"postgresql_where": condition} if condition else {}
    return Index(f"uq_{table}_{column}", "shop_id", column, unique=True, **where)


def slug_check() -> CheckConstraint:
    """Return the check of a slug's form and length."""
    return CheckConstraint(f"slug ~ '{SLUG_PATTERN}' AND length(slug) <= {LONGEST_SLUG}", name="slug")


def one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    """Return the check that a column holds one of these values."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


SHOP: ColumnElement[uuid.UUID] = bindparam("shop", type_=Uuid())
"""The tenant of a statement; `core.database` gives its value."""

Key = ColumnElement[Any]
"""The key that a relation's statement reads the children of.

It is a column of the parent's row, or `ANY_KEY` where a statement gives one row for each of many keys.
"""

KEYS: ColumnElement[Any] = bindparam("keys", type_=ARRAY(Uuid()))
"""The keys of a batch."""

ANY_KEY: Key = func.any(KEYS)
"""Any key of a batch: good for statements whose rows tell which key they are of."""


def of_shop(entity: type[Tenant]) -> ColumnElement[bool]:
    """Return the condition that a row is the tenant's; row-level security says the same once more."""
    return entity.shop_id == SHOP


LIMIT: ColumnElement[int] = bindparam("first", type_=Integer())
"""Rows at most of each key of a batch."""

INTERNAL = {"internal": True}
"""`info` of columns that rows do not carry: search vectors, sort keys, what only an export reads."""


def columns_of(entity: type[Base]) -> list[Any]:
    """Return the columns that rows of an entity carry."""
    return [column for column in entity.__table__.c if not column.info.get("internal")]


def rows_of(entity: type[Base], *more: Any) -> Statement:
    """Return a select of the columns of an entity, and more, that knows what its rows are."""
    return select(*columns_of(entity), *more).execution_options(entity=entity.__tablename__)


def by_id(entity: type[Entity], key: Key) -> Statement:
    """Return the row with this id."""
    return rows_of(entity).where(of_shop(entity), entity.id == key)


def per_key(children: Callable[[Key], Statement]) -> Statement:
    """Return the children of each key in `keys`, so that a limit holds for each key and not for the batch.

    Args:
        children: Takes the key and returns its children, ordered and limited.

    Returns:
        Their rows with the key as `for_key`.
    """
    parents = func.unnest(KEYS).table_valued(column("key", Uuid())).render_derived(name="parents")
    # By name, since SQLAlchemy would list the table of a column again in every subquery that mentions it: those would
    # then see the children of all parents.
    inner = children(literal_column("parents.key", Uuid()))
    rows = inner.lateral("children")
    statement = select(parents.c.key.label("for_key"), *rows.c).select_from(parents.join(rows, true()))
    return statement.execution_options(**inner.get_execution_options())
