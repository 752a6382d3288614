"""Turns SQLAlchemy statements into text and parameter order, once per statement object."""

import dataclasses
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import asyncpg
from sqlalchemy.dialects.postgresql.asyncpg import PGCompiler_asyncpg, dialect
from sqlalchemy.sql import Executable


class _Compiler(PGCompiler_asyncpg):
    """Writes what a statement brings itself into its text.

    A plan is made once for all values: behind a parameter, PostgreSQL could neither see that a partial index covers a
    status, nor how few rows a limit leaves.
    """

    def visit_bindparam(self, bindparam: Any, *args: Any, **options: Any) -> Any:
        """Return the text of a parameter, or of the constant that it stands for."""
        if not bindparam.required:
            options["literal_binds"] = True
        return super().visit_bindparam(bindparam, *args, **options)  # type: ignore[no-untyped-call]


_DIALECT = dialect()  # type: ignore[no-untyped-call]
_DIALECT.statement_compiler = _Compiler
_SEPARATING = dialect()  # type: ignore[no-untyped-call]
"""Keeps all values out of the text."""

_LARGEST_CACHE = 2_000
"""Statements; `models` builds each shape once, so this is far above what a schema needs, and still a bound."""


class Row(asyncpg.Record):  # type: ignore[misc]
    """A row as the driver has it, whose columns can be read as attributes.

    Each entity has a subclass of its own, so that a row knows what it is a row of.

    Attributes:
        entity: Name of the table the row was asked from; empty where a statement does not say.
    """

    __slots__ = ()
    entity = ""

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


@dataclasses.dataclass(frozen=True, slots=True)
class Compiled:
    """A statement ready for the driver.

    Attributes:
        text: SQL with $1, $2 ….
        names: Name of the value for each parameter, in order.
        row: Class of the rows.
    """

    text: str
    names: tuple[str, ...]
    row: type[Row]

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """Return the parameters in order.

        Raises:
            KeyError: A value is missing.
        """
        return [values[name] for name in self.names]


@dataclasses.dataclass(frozen=True, slots=True)
class Bound:
    """A statement and the values that it is to be run with.

    Attributes:
        statement: Built once for each shape.
        values: Of its named parameters.
    """

    statement: Executable
    values: Mapping[str, Any]


@dataclasses.dataclass(slots=True)
class Statistics:
    """What an operation asked of the database."""

    statements: int = 0
    rows: int = 0


_compiled: OrderedDict[Executable, Compiled] = OrderedDict()
_row_classes: dict[str, type[Row]] = {"": Row}


def compile_statement(statement: Executable | Compiled) -> Compiled:
    """Return the compiled form of a statement; compiled at the first sight of the object only."""
    if isinstance(statement, Compiled):
        return statement
    known = _compiled.get(statement)
    if known is not None:
        return known
    compiled = compile_once(statement)
    _compiled[statement] = compiled
    if len(_compiled) > _LARGEST_CACHE:
        _compiled.popitem(last=False)
    return compiled


def compile_once(statement: Executable) -> Compiled:
    """Return the compiled form of a statement, for those who keep it themselves."""
    compiled = statement.compile(dialect=_DIALECT)  # type: ignore[attr-defined]
    assert isinstance(compiled, _Compiler)  # noqa: S101  (narrows the type; every statement of ours compiles to SQL)
    names = tuple(compiled.positiontup or ())
    entity = statement.get_execution_options().get("entity", "")
    return Compiled(compiled.string, names, row_class(entity))


def compile_with_values(statement: Executable) -> tuple[Compiled, list[Any]]:
    """Return the compiled form of a statement that holds its values, and these: for what is seldom run."""
    compiled = statement.compile(dialect=_SEPARATING, compile_kwargs={"render_postcompile": True})  # type: ignore[attr-defined]
    assert isinstance(compiled, PGCompiler_asyncpg)  # noqa: S101  (as above)
    names = tuple(compiled.positiontup or ())
    return Compiled(compiled.string, names, Row), [compiled.params[name] for name in names]


def row_class(entity: str) -> type[Row]:
    """Return the class of the rows of an entity."""
    known = _row_classes.get(entity)
    if known is None:
        known = _row_classes[entity] = type(f"{entity.title()}Row", (Row,), {"__slots__": (), "entity": entity})
    return known
