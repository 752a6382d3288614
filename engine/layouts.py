"""Layouts: what the rows of a folded statement hold, and what the code that reads them calls it."""

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

MARK = "λ"
"""Begins the names of columns in generated code: no GraphQL name, and so no quoted key, can hold it."""


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """What a statement brings of a row.

    Attributes:
        columns: Names, without repetition.
        children: What it carries, behind `columns`: a to-one child as a mark, null where there is none, unless one of
            its columns is, with its own columns and children after it; any other as one list of records.
    """

    columns: tuple[str, ...]
    children: "tuple[Child, ...]"


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Child:
    """What a row carries.

    Attributes:
        relation: How it is read.
        key: Column of the parent's row that is its key.
        slot: Index of the relation's arguments in `Carried.arguments`.
        wanted: What is brought of each of its rows.
        mark: Of a to-one child: its column that shows whether there is a row; None for a mark of its own in front.
    """

    relation: Any
    key: str
    slot: int
    wanted: Wanted
    mark: str | None = None


@dataclasses.dataclass(slots=True)
class Carried:
    """What the statement of a root field is to bring, in one execution.

    Attributes:
        wanted: Of each of its rows.
        arguments: What the relations take, by slot.
        is_whole: Whether the operation reads nothing else.
        used: Set by whoever reads with it.
    """

    wanted: Wanted
    arguments: Sequence[Mapping[str, Any]]
    is_whole: bool
    used: bool = False


class Layout:
    """The columns of a record that is being asked for; they are collected while the code that reads them is made."""

    def __init__(self, number: int) -> None:
        self._prefix = f"{MARK}{number}"
        self._columns: dict[str, str] = {}
        self._children: list[tuple[Child, Layout, bool]] = []

    def column(self, name: str) -> str:
        """Return the name, in generated code, of a column."""
        return self._columns.setdefault(name, f"{self._prefix}c{len(self._columns)}")

    def holds(self, name: str) -> bool:
        """Tell whether a column is asked for already."""
        return name in self._columns

    def begin_with(self, *names: str) -> None:
        """Ask for columns by their position: they come first, in this order."""
        self._columns = {name: self.column(name) for name in names} | self._columns

    def child(self, relation: Any, key: str, slot: int, layout: "Layout", *, is_joined: bool = False) -> str:
        """Return the name, in generated code, of a list that is carried, or of the mark of what is joined."""
        # A value of a record takes the driver a third of a microsecond, so one that is there anyway is taken for it.
        mark = next((name for name in relation.present if layout.holds(name)), None) if is_joined else None
        self._children.append((Child(relation, key, slot, Wanted((), ()), mark), layout, is_joined))
        return self._name_of_child(len(self._children) - 1) if mark is None else layout.column(mark)

    def wanted(self) -> Wanted:
        """Return what the statement has to bring."""
        children = [dataclasses.replace(child, wanted=layout.wanted()) for child, layout, _ in self._children]
        return Wanted(tuple(self._columns), tuple(children))

    @property
    def target(self) -> str:
        """Stands for the assignment target that takes a record apart, until all of its columns are known."""
        return f"{self._prefix}t"

    def targets(self) -> str:
        """Return the assignment target that takes a record apart."""
        return "(" + "".join(f"{name}, " for name in self.names()) + ")"

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for but the existence of a row."""
        return not self._columns and not self._children

    def _name_of_child(self, number: int) -> str:
        return f"{self._prefix}k{number}"

    def names(self) -> Iterator[str]:
        """Return the names, in generated code, of all that a record holds, in order."""
        yield from self._columns.values()
        for number, (child, layout, is_joined) in enumerate(self._children):
            if child.mark is None:
                yield self._name_of_child(number)
            if is_joined:
                yield from layout.names()
