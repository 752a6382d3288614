"""Keyset order: a page costs the same however far into a listing it lies."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Integer, Text
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql import ColumnElement, bindparam, cast, select, tuple_
from sqlalchemy.sql.sqltypes import Uuid

from core.pagination import LARGEST_SIZE
from models.base import Statement

ColumnExpression = ColumnElement[Any] | InstrumentedAttribute[Any]

_LIMIT = bindparam("limit", type_=Integer())


@dataclasses.dataclass(frozen=True, slots=True)
class PageForm:
    """What of a page of children decides its statement's text.

    Attributes:
        order: Name of the order, one that the relation knows.
        forward: Whether the page follows the cursor; otherwise its rows come back in reverse.
        continued: Whether there is a cursor.
    """

    order: str = ""
    forward: bool = True
    continued: bool = False


class Ordering:
    """The order of a page in reading direction: a sort column, then the id."""

    def __init__(self, key: ColumnExpression, row_id: ColumnExpression, key_type: Any, descends: bool) -> None:  # noqa: FBT001
        self.key, self.row_id, self.key_type, self.descends = key, row_id, key_type, descends

    def after(self, *, continued: bool) -> Sequence[ColumnElement[bool]]:
        """Return the condition that a row lies behind the cursor; its value travels as text, whatever its type."""
        if not continued:
            return ()
        cursor = tuple_(
            cast(bindparam("cursor_key", type_=Text()), self.key_type), bindparam("cursor_id", type_=Uuid())
        )
        place = tuple_(self.key, self.row_id)
        return ((place < cursor) if self.descends else (place > cursor),)

    def limited(self, statement: Statement) -> Statement:
        """Return the statement in order, cut to the page and one row more.

        Args:
            statement: With the sort column as `sort_key` and the id as `id` among its columns.
        """
        # The largest page stands in the text: of a parameter PostgreSQL assumes that it lets a tenth of all rows
        # through, and would rather plan each page of a large shop anew than keep a plan that looks so dear.
        within = self._ordered(statement, self.key, self.row_id).limit(LARGEST_SIZE + 1).subquery("within")
        page = self._ordered(select(*within.c), within.c.sort_key, within.c.id).limit(_LIMIT)
        return page.execution_options(**statement.get_execution_options())

    def _ordered(self, statement: Statement, key: ColumnExpression, row_id: ColumnExpression) -> Statement:
        return statement.order_by(key.desc(), row_id.desc()) if self.descends else statement.order_by(key, row_id)
