"""What the names of constraints say, and who already has what must be unique."""

import uuid
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.sql import select

from models.base import Base, Entity, Statement


def place_of(constraint: str) -> tuple[str, str]:
    """Return the table and the column that a constraint is named after (`models.base`); both empty if unknown."""
    rest = constraint.partition("_")[2]
    fitting = [name for name in Base.metadata.tables if rest == name or rest.startswith(f"{name}_")]
    table = max(fitting, key=len, default="")
    return table, rest[len(table) + 1 :]


def unique_columns(entity: type[Entity], column: str) -> list[str]:
    """Return the columns, beside the shop and itself, within which a column of an entity is unique."""
    own = _index(entity, f"uq_{entity.__tablename__}_{column}")
    return [each.name for each in own.columns if each.name not in ("shop_id", column)]


def holder(
    entity: type[Entity], shop_id: uuid.UUID, constraint: str, values: Mapping[str, Any], own_id: uuid.UUID | None
) -> Statement:
    """Find the row that has what a unique constraint keeps another from having.

    Args:
        entity: The table.
        shop_id: The tenant.
        constraint: Name of its unique index.
        values: What the other was to have.
        own_id: The other, where it is there already: it keeps what `values` do not name.
    """
    table = entity.__table__
    own = table.alias("own")
    index = _index(entity, constraint)

    def wanted(name: str) -> Any:
        if name in values:
            return values[name]
        return select(own.c[name]).where(own.c.shop_id == shop_id, own.c.id == own_id).scalar_subquery()

    names = (column.name for column in index.columns if column.name != "shop_id")
    found = select(table.c.id).where(table.c.shop_id == shop_id, *(table.c[name] == wanted(name) for name in names))
    condition = index.dialect_options["postgresql"]["where"]
    return found if condition is None else found.where(text(str(condition)))


def _index(entity: type[Entity], name: str) -> Index:
    indexes = Base.metadata.tables[entity.__tablename__].indexes
    return next(index for index in indexes if index.name == name)
