"""Children of a row that are made of the same further rows: those are looked up once for all of them."""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from models.base import Key, Statement
from models.scopes import Shape

Source = Callable[[Shape, Key], Statement]
"""Returns one row at most, which the planner cannot make a join of; it takes no parameters but those of its scope."""

Columns = ReadOnlyColumnCollection[str, Any]
"""The columns of a row, as attributes."""

Made = Mapping[str, ColumnElement[Any]]
"""The columns of a child, and `is_there`: true, or null where there is no child."""


@dataclasses.dataclass(frozen=True, slots=True)
class Joint:
    """How a to-one child is made of its parent's row and of rows that other children share.

    Attributes:
        sources: What is joined to the parent's row by the child's key; once, however many children name it.
        needs: Columns of the parent's row that it is made of.
        columns: Takes the key, the parent's columns and those of each source, which are null where it has no row.
    """

    sources: tuple[Source, ...]
    needs: tuple[str, ...]
    columns: Callable[[Key, Columns, Sequence[Columns]], Made]
