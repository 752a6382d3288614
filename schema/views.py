"""Object types as views of rows: a field without a resolver reads the row's column of the same name."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import strawberry
from strawberry.types.field import StrawberryField

from core.ids import global_ids_of
from engine.loading import computed, of_rows
from models.base import Base, columns_of

T = TypeVar("T")


@functools.cache
def type_name_of(entity: str) -> str:
    """Return the name of the type that shows a table's rows: `product_type` is shown by ProductType."""
    return entity.title().replace("_", "")


_ID = "Opaque; good for this API only, in this shop only."


@strawberry.interface(description="An object with a global id.")
class Node:
    """Relay's interface (Global Object Identification)."""

    id: strawberry.ID = strawberry.field(description=_ID)


def view_of(entity: type[Base], *, more: tuple[str, ...] = ()) -> Callable[[type[T]], type[T]]:
    """Declare an object type as a view of the rows of an entity.

    Args:
        entity: The table; each plain field of the type must be one of its columns.
        more: Further columns that the statements of the type's relations add.

    Raises:
        TypeError: A plain field has no column.
    """
    columns = {column.key for column in columns_of(entity)} | set(more)

    def decorate(cls: type[T]) -> type[T]:
        own = inspect.get_annotations(cls)
        plain = {name for name in own if not isinstance(cls.__dict__.get(name), StrawberryField)}
        if plain - columns:
            raise TypeError(
                f"{cls.__name__} shows {sorted(plain - columns)}, which {entity.__tablename__} does not have"
            )
        cls.is_type_of = classmethod(_shows(entity.__tablename__))  # type: ignore[attr-defined]
        if issubclass(cls, Node):
            encode = global_ids_of(type_name_of(entity.__tablename__))
            cls.__annotations__["id"] = strawberry.ID
            cls.id = computed(encode, "id", description=_ID)
        return strawberry.type(of_rows(cls), description=inspect.getdoc(cls))

    return decorate


def _shows(entity: str) -> Callable[..., bool]:
    def is_type_of(_: type, row: Any, __: Any) -> bool:
        return getattr(row, "entity", None) == entity

    return is_type_of
