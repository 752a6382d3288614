"""How fields are read: declared once, and read by whoever executes them, an object or a whole level at a time."""

import dataclasses
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any, Protocol, TypeVar

import strawberry
from graphql.pyutils import Path
from strawberry.annotation import StrawberryAnnotation
from strawberry.types import Info
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField


class LoadingContext(Protocol):
    """What the context of an operation offers to fields that load."""

    carried: MutableMapping[str, Any]
    """What root fields shall bring in their own statement (`engine.layouts.Carried`), by response key."""

    def load(self, relation: Any, key: Any, root: str, arguments: Mapping[str, Any]) -> Awaitable[Any]:
        """Read what a relation holds for a key, below the root field with this response key."""
        ...

    def load_list(
        self, relation: Any, keys: Sequence[Any], root: str, arguments: Mapping[str, Any], *, alone: bool
    ) -> Awaitable[Sequence[Any]]:
        """Read the same for all keys of a level, in their order.

        Args:
            relation: What to read.
            keys: One for each parent.
            root: Response key of the root field.
            arguments: Of the field, as its `prepare` returned them.
            alone: Whether no other field of the operation reads this relation, so that none needs to be waited for.
        """
        ...

    def reads_no_more_than(self, relation: Any) -> None:
        """Take note that one batch of a relation, right after this, is all that a mutation still reads."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a field that loads.

    Attributes:
        type: Python type of the value.
        default: Value where the client gives none.
        description: For clients.
    """

    type: Any
    default: Any
    description: str | None = None


T = TypeVar("T")

Prepare = Callable[[Any, dict[str, Any]], Mapping[str, Any]]
"""Takes the context and the client's arguments; returns those that the relation takes, or raises on a bad one."""


class LoadedField(StrawberryField):
    """A field whose value is read through a relation.

    Its metadata holds `relation`, `key` (the attribute of the parent that is looked up) and `prepare`.
    """

    @property
    def is_basic_field(self) -> bool:
        """A loaded field needs the operation's context."""
        return False

    def get_result(self, source: Any, info: Info[Any, Any] | None, args: list[Any], kwargs: Any) -> Any:
        """Ask the operation's loaders for the parent's key."""
        assert info is not None  # noqa: S101  (Strawberry gives it to every field that is not basic)
        del args
        key = getattr(source, self.metadata["key"])
        if key is None:
            return None
        prepare: Prepare | None = self.metadata["prepare"]
        arguments = prepare(info.context, kwargs) if prepare else kwargs
        context: LoadingContext = info.context
        return context.load(self.metadata["relation"], key, root_key(info.path), arguments)


def root_key(path: Path) -> str:
    """Return the response key of the root field that a position lies under."""
    while path.prev is not None:
        path = path.prev
    return str(path.key)


def loads(  # noqa: PLR0913  (what is read, by what, and how it is asked for)
    relation: Any,
    *,
    key: str = "id",
    arguments: Mapping[str, Argument] | None = None,
    prepare: Prepare | None = None,
    ignores_context: bool = False,
    description: str | None = None,
) -> Any:
    """Declare a field of an object type that is read in batches.

    Args:
        relation: What the context's loaders know how to read.
        key: The attribute of the parent that is looked up; the field is null where it is None.
        arguments: Arguments of the field, by Python name.
        prepare: See `Prepare`; the client's arguments go to the relation as they are where it is absent.
        ignores_context: Whether what `prepare` returns depends on the arguments alone.
        description: For clients.
    """
    field = LoadedField(
        description=description,
        metadata={"relation": relation, "key": key, "prepare": prepare, "ignores_context": ignores_context},
    )
    field.init = False
    field.arguments = [
        StrawberryArgument(
            python_name=name,
            graphql_name=None,
            type_annotation=StrawberryAnnotation(argument.type),
            default=argument.default,
            description=argument.description,
        )
        for name, argument in (arguments or {}).items()
    ]
    return field


class ComputedField(StrawberryField):
    """A field whose value is a function of its parent, or of columns of it.

    Its metadata holds `function` and `columns`.
    """

    def get_result(self, source: Any, info: Any, args: Any, kwargs: Any) -> Any:
        """Compute the value from one row."""
        del info, args, kwargs
        columns = self.metadata["columns"]
        return self.metadata["function"](*([getattr(source, each) for each in columns] if columns else [source]))


def computed(function: Callable[..., Any], *columns: str, description: str | None = None) -> Any:
    """Declare a field that follows from its parent and nothing else.

    Args:
        function: Takes the columns' values, in order; without columns it takes the parent.
        columns: Names of columns of the parent's row.
        description: For clients.
    """
    field = ComputedField(description=description, metadata={"function": function, "columns": columns})
    field.init = False
    return field


CURSOR = "cursor"
"""Metadata of a field that is made from the id and the sort value of a page's rows, which are at their head."""


def cursor(description: str | None = None) -> Any:
    """Declare a plain field of a page, or of what leads to its rows, that names a row's place.

    Only where a client asks for one do carried rows begin with what it is made from.
    """
    return strawberry.field(description=description, metadata={CURSOR: True})


def column(name: str, *, description: str | None = None) -> Any:
    """Declare a field of a view of rows that shows a column of another name."""
    return computed(same, name, description=description)


def same(value: T) -> T:
    """Return a value as it is."""
    return value


class RowField(StrawberryField):
    """A field that shows its parent's row as an object of another type.

    Its metadata holds `renamed` (the child's name of a column to the row's own) and `absent` (the column without which
    there is no object).
    """

    def get_result(self, source: Any, info: Any, args: Any, kwargs: Any) -> Any:
        """Show one row."""
        del info, args, kwargs
        absent = self.metadata["absent"]
        if absent is not None and getattr(source, absent) is None:
            return None
        renamed = self.metadata["renamed"]
        return _Renamed(source, renamed) if renamed else source


class _Renamed:
    """A row under other names."""

    __slots__ = ("_names", "_row")

    def __init__(self, row: Any, names: Mapping[str, str]) -> None:
        self._row = row
        self._names = names

    def __getitem__(self, name: str) -> Any:
        return self._row[self._names.get(name, name)]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._row, self._names.get(name, name))


def same_row(*, absent: str | None = None, description: str | None = None, **renamed: str) -> Any:
    """Declare a field of a view of rows that shows the same row as an object of its own.

    Args:
        absent: The column that is null where there is no such object; the field is then null.
        description: For clients.
        renamed: The row's column for a name that the object's fields use.
    """
    field = RowField(description=description, metadata={"renamed": renamed, "absent": absent})
    field.init = False
    return field


_SHOWS_ROWS = "__shows_rows__"


def of_rows(cls: type[T]) -> type[T]:
    """Declare that all objects of a type are rows: their columns are read by subscript, and their type is known."""
    setattr(cls, _SHOWS_ROWS, True)
    return cls


def shows_rows(cls: type[Any]) -> bool:
    """Tell whether `of_rows` was said of a type."""
    return bool(getattr(cls, _SHOWS_ROWS, False))
