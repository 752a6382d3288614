"""Forms of statements: what their texts depend on, and the parameters that hold all the rest (decision 0003)."""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import Table
from sqlalchemy.sql import ColumnElement, bindparam
from sqlalchemy.sql.sqltypes import ARRAY, Uuid

from models.base import Tenant

OWN: ColumnElement[uuid.UUID] = bindparam("own", type_=Uuid())
"""The row that a statement is about."""

IDS: ColumnElement[Any] = bindparam("ids", type_=ARRAY(Uuid()))
"""The rows that a statement is about."""

Form = tuple[tuple[str, bool], ...]
"""Columns that have given values, each with whether that is null: all that the text of a statement depends on."""


def form_of(values: Mapping[str, Any]) -> Form:
    """Return the form of a condition."""
    return tuple((name, value is None) for name, value in values.items())


def having(entity: type[Tenant], form: Form) -> Iterator[ColumnElement[bool]]:
    """Return the conditions that rows have the values of `given`, such as an index serves."""
    columns = entity.__table__.c
    for name, is_null in form:
        yield columns[name].is_(None) if is_null else columns[name] == bindparam(f"of_{name}")


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of `having`."""
    return {f"of_{name}": value for name, value in values.items() if value is not None}


def table_of(entity: type[Tenant]) -> Table:
    """Return the table of an entity."""
    table = entity.__table__
    assert isinstance(table, Table)  # noqa: S101  (narrows the type)
    return table


def new(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of `to_new`."""
    # Parameters named as columns are SQLAlchemy's own.
    return {f"new_{name}": value for name, value in values.items()}


def to_new(columns: frozenset[str]) -> dict[str, ColumnElement[Any]]:
    """Return what columns are set to."""
    return {name: bindparam(f"new_{name}") for name in sorted(columns)}


def kept(entity: type[Tenant]) -> Sequence[ColumnElement[bool]]:
    """Return the condition that a row is not marked as deleted, where its table has such a mark."""
    columns = entity.__table__.c
    return (columns.deleted_at.is_(None),) if "deleted_at" in columns else ()
