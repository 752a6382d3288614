"""Object types as views of rows: a field without a resolver reads the row's column of the same name."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

import strawberry
from strawberry.types.field import StrawberryField

from core.ids import encode_global_id
from models.base import Base, columns_of

T = TypeVar("T")


@functools.cache
def type_name_of(entity: str) -> str:
    """Return the name of the type that shows a table's rows: `product_type` is shown by ProductType."""
    return entity.title().replace("_", "")


class _GlobalId(StrawberryField):
    """The id of a row, made from what the row is and which one."""

    def get_result(self, source: Any, info: Any, args: Any, kwargs: Any) -> str:
        """Return the opaque id of a row."""
        del info, args, kwargs
        return encode_global_id(type_name_of(source.entity), source.id)


@strawberry.interface(description="An object with a global id.")
class Node:
    """Relay's interface (Global Object Identification)."""

    id: strawberry.ID = cast("Any", _GlobalId(description="Opaque; good for this API only, in this shop only."))


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
        return strawberry.type(cls, description=inspect.getdoc(cls))

    return decorate


def _shows(entity: str) -> Callable[..., bool]:
    def is_type_of(_: type, row: Any, __: Any) -> bool:
        return getattr(row, "entity", None) == entity

    return is_type_of
