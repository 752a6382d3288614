"""Statements that carry rows: one statement reads rows together with their children, and theirs.

A root's statement is widened by its children. A to-one child is joined: its columns follow in place, behind one that
is null where there is none. A list or page is an array of records, in the order of its own statement. Records hold
what is asked of them by position. (A record for each to-one child took the driver a quarter of a page's time.)
"""

import dataclasses
import functools
import itertools
import uuid
from collections import OrderedDict
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any, Protocol

from sqlalchemy import func
from sqlalchemy.sql import ColumnElement, bindparam, literal_column, select, true
from sqlalchemy.sql.elements import BindParameter
from sqlalchemy.sql.selectable import FromClause, LateralFromClause, Subquery
from sqlalchemy.sql.sqltypes import Uuid
from sqlalchemy.sql.visitors import cloned_traverse

from core.database import TenantDatabase
from core.statements import Compiled, Row, compile_once
from loaders.batching import Kind, Paging, Relation, cursor_values
from models.base import Statement
from models.joining import Joint, Source
from models.keysets import PageForm
from models.scopes import Scope, Shape


class Wanted(Protocol):
    """What a statement brings of a row; compared by identity, and never changed.

    Attributes:
        columns: Names of its columns, without repetition.
        children: What it carries, behind `columns`: a to-one child as a mark, null where there is none, unless one of
            its columns is, with its own columns and children after it; any other as one array.
    """

    @property
    def columns(self) -> tuple[str, ...]: ...
    @property
    def children(self) -> "Sequence[Child]": ...


class Child(Protocol):
    """What a row carries.

    Attributes:
        relation: How the child is read.
        key: Column of the parent's row whose value is the child's key.
        slot: Index of the relation's arguments in `Carried.arguments`.
        mark: Of a to-one child: its column that shows whether there is a row; None for a mark of its own in front.
        wanted: What is brought of each of the child's rows.
    """

    @property
    def relation(self) -> Any: ...
    @property
    def key(self) -> str: ...
    @property
    def slot(self) -> int: ...
    @property
    def mark(self) -> str | None: ...
    @property
    def wanted(self) -> Wanted: ...


class Carried(Protocol):
    """What the statement of one root field is to bring.

    Attributes:
        wanted: Of each of its rows.
        arguments: What the relations take, by slot.
        is_whole: Whether the operation reads nothing else.
        used: Set by whoever reads with it.
    """

    @property
    def wanted(self) -> Wanted: ...
    @property
    def arguments(self) -> Sequence[Mapping[str, Any]]: ...
    @property
    def is_whole(self) -> bool: ...

    used: bool


_SHARED = frozenset({"shop", "channel", "locale"})
"""Parameters that mean the same in every statement of a root field."""

_MOST_WIDENED = 1_000
"""Widened statements that are kept as text, each some 10 KB; a plan has one for each direction of its pages."""

_widened: OrderedDict[Any, "_Widened"] = OrderedDict()


@dataclasses.dataclass(frozen=True, slots=True)
class _Widened:
    """A widened statement, and where its parameters come from.

    Attributes:
        statement: Ready for the driver.
        given: Parameter, slot and name of each argument of a relation.
    """

    statement: Compiled
    given: tuple[tuple[str, int, str], ...]


@dataclasses.dataclass(slots=True)
class _Widening:
    """A statement being widened."""

    shape: Shape
    forms: Mapping[int, PageForm]
    given: list[tuple[str, int, str]] = dataclasses.field(default_factory=list)
    names: Iterator[str] = dataclasses.field(default_factory=lambda: map("t{}".format, itertools.count()))


@dataclasses.dataclass(slots=True)
class _Parents:
    """Rows whose children are being joined to them.

    Attributes:
        rows: The rows.
        source: With what is joined to them.
        joined: What several children share, by source and key.
    """

    rows: Subquery
    source: FromClause
    joined: dict[tuple[Source, str], LateralFromClause] = dataclasses.field(default_factory=dict)


async def read(
    database: TenantDatabase, statement: Statement, scope: Scope, carried: Carried | None, **values: Any
) -> list[Row]:
    """Run the statement of a root field, with what it carries.

    Args:
        database: Of the operation.
        statement: Of the rows themselves.
        scope: What is seen.
        carried: What is wanted of them; all columns, and no children, where it is None.
        values: Of the statement's further parameters.
    """
    values |= {"channel": scope.channel_id, "locale": scope.locale}
    if carried is None:
        return await database.fetch(statement, **values)
    carried.used = True
    widened, more = carry(statement, carried, scope.shape)
    return await database.fetch(widened, alone=carried.is_whole, **values, **more)


async def read_one(
    database: TenantDatabase, relation: Relation, key: uuid.UUID, scope: Scope, carried: Carried
) -> Row | None:
    """Read the row that a to-one relation holds for a key, with what it carries."""
    found = await read(database, _of_one_key(relation, scope.shape), scope, carried, key=key)
    return found[0] if found else None


@functools.lru_cache(maxsize=100)
def _of_one_key(relation: Relation, shape: Shape) -> Statement:
    return relation.children(shape, PageForm(), bindparam("key", type_=Uuid()))


def carry(statement: Statement, carried: Carried, shape: Shape) -> tuple[Compiled, dict[str, Any]]:
    """Widen a statement by what its rows carry.

    Args:
        statement: Of the rows themselves, ordered and limited; the same object each time.
        carried: What is wanted of them.
        shape: What is seen.

    Returns:
        The statement, made at the first sight of its form only, and the values of the parameters that it adds.
    """
    wanted, arguments = carried.wanted, carried.arguments
    pages = [(slot, given["paging"]) for slot, given in enumerate(arguments) if "paging" in given]
    identity = (statement, wanted, shape, *[(slot, paging.form) for slot, paging in pages])
    known = _widened.get(identity)
    if known is None:
        known = _widened[identity] = _widen(statement, wanted, shape, {slot: paging.form for slot, paging in pages})
        if len(_widened) > _MOST_WIDENED:
            _widened.popitem(last=False)
    else:
        _widened.move_to_end(identity)
    return known.statement, _values(known, arguments, pages)


def _values(
    widened: _Widened, arguments: Sequence[Mapping[str, Any]], pages: Sequence[tuple[int, Paging]]
) -> dict[str, Any]:
    cursors = {slot: cursor_values(paging.request) for slot, paging in pages}
    return {
        parameter: cursors[slot][name] if slot in cursors else arguments[slot][name]
        for parameter, slot, name in widened.given
    }


def _widen(statement: Statement, wanted: Wanted, shape: Shape, forms: Mapping[int, PageForm]) -> _Widened:
    widening = _Widening(shape, forms)
    rows, columns = _cut(widening, statement, wanted)
    whole = select(*columns).select_from(rows).execution_options(**statement.get_execution_options())
    return _Widened(compile_once(whole), tuple(widening.given))


def _cut(widening: _Widening, statement: Statement, wanted: Wanted) -> tuple[FromClause, list[ColumnElement[Any]]]:
    """Return the rows of a statement, cut to the columns that are needed, and what a record holds of each."""
    selected = statement.selected_columns
    joints = [_joint(child, selected.keys()) for child in wanted.children]
    of_children = [name for child, joint in zip(wanted.children, joints, strict=True) for name in _read(child, joint)]
    # Where nothing of a row is asked for, that there is one still counts.
    needed = dict.fromkeys((*wanted.columns, *of_children)) or selected.keys()[:1]
    cut = statement.with_only_columns(*[selected[name] for name in needed], maintain_column_froms=True)
    rows = cut.subquery(next(widening.names))
    parents = _Parents(rows, rows)
    columns: list[ColumnElement[Any]] = [rows.c[name] for name in wanted.columns]
    for child, joint in zip(wanted.children, joints, strict=True):
        columns += _held(widening, child, parents) if joint is None else _of_joint(widening, child, joint, parents)
    return parents.source, columns


def _joint(child: Child, selected: Container[str]) -> Joint | None:
    """Return how a child is made of rows beside its parent's, where that has all that is needed for it."""
    joint: Joint | None = child.relation.joint
    has_all = joint is not None and all(name in selected for name in joint.needs)
    return joint if has_all and not child.wanted.children else None


def _read(child: Child, joint: Joint | None) -> tuple[str, ...]:
    """Return the columns of the parent's row that a child is read by."""
    return (child.key, *joint.needs) if joint else (child.key,)


def _held(widening: _Widening, child: Child, parents: _Parents) -> list[ColumnElement[Any]]:
    of_child, held = _child(widening, child, parents.rows.name)
    if child.relation.kind is Kind.ONE:
        joined = _joined(widening, of_child, held, is_marked=child.mark is None)
        parents.source = parents.source.outerjoin(joined, true())
        return list(joined.c)
    # The joins inside keep the order of the rows that they begin with: each is of one row at most, looked up for each
    # of those rows.
    return [func.array(select(func.row(*held)).select_from(of_child).scalar_subquery())]


def _of_joint(widening: _Widening, child: Child, joint: Joint, parents: _Parents) -> list[ColumnElement[Any]]:
    # By name, so that SQLAlchemy does not list the parent's table among the source's own.
    key: ColumnElement[Any] = literal_column(f"{parents.rows.name}.{child.key}", Uuid())
    for source in joint.sources:
        if (source, child.key) not in parents.joined:
            joined = source(widening.shape, key).lateral(next(widening.names))
            parents.joined[source, child.key] = joined
            parents.source = parents.source.outerjoin(joined, true())
    sources = [parents.joined[source, child.key].c for source in joint.sources]
    columns = joint.columns(key, parents.rows.c, sources)
    return [columns[name] for name in (*(("is_there",) if child.mark is None else ()), *child.wanted.columns)]


def _joined(
    widening: _Widening, rows: FromClause, columns: Sequence[ColumnElement[Any]], *, is_marked: bool
) -> LateralFromClause:
    """Return the one row of a to-one child for joining; the mark in front shows whether there is one."""
    named = [column.label(f"c{position}") for position, column in enumerate(columns)]
    marks: list[ColumnElement[Any]] = [literal_column("true").label("is_there")] if is_marked else []
    # The limit keeps the planner from turning it into a join that might lose the order of what it is joined to.
    return select(*marks, *named).select_from(rows).limit(literal_column("1")).lateral(next(widening.names))


def _child(widening: _Widening, child: Child, parent: str) -> tuple[FromClause, list[ColumnElement[Any]]]:
    relation: Relation = child.relation
    # By name, so that SQLAlchemy does not list the parent's table among the child's own.
    key: ColumnElement[Any] = literal_column(f"{parent}.{child.key}", Uuid())
    form = widening.forms.get(child.slot) or PageForm()
    statement = _named_apart(widening, relation.children(widening.shape, form, key), child.slot)
    return _cut(widening, statement, child.wanted)


def _named_apart(widening: _Widening, statement: Statement, slot: int) -> Statement:
    """Give the parameters of a relation names that no other relation of the whole has."""
    renamed: dict[str, str] = {}

    def rename(parameter: BindParameter[Any]) -> None:
        if parameter.required and parameter.key not in _SHARED:
            renamed[parameter.key] = parameter.key = f"{parameter.key}_{slot}"

    apart: Statement = cloned_traverse(statement, {}, {"bindparam": rename})
    widening.given.extend((parameter, slot, name) for name, parameter in renamed.items())
    return apart
