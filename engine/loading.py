"""Fields that load: declared once with a relation and a key, and read in batches by whoever executes them."""

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from graphql.pyutils import Path
from strawberry.annotation import StrawberryAnnotation
from strawberry.types import Info
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField


class LoadingContext(Protocol):
    """What the context of an operation offers to fields that load."""

    def load(self, relation: Any, key: Any, root: str, arguments: Mapping[str, Any]) -> Awaitable[Any]:
        """Read what a relation holds for a key, below the root field with this response key."""
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


def loads(
    relation: Any,
    *,
    key: str = "id",
    arguments: Mapping[str, Argument] | None = None,
    prepare: Prepare | None = None,
    description: str | None = None,
) -> Any:
    """Declare a field of an object type that is read in batches.

    Args:
        relation: What the context's loaders know how to read.
        key: The attribute of the parent that is looked up; the field is null where it is None.
        arguments: Arguments of the field, by Python name.
        prepare: See `Prepare`; the client's arguments go to the relation as they are where it is absent.
        description: For clients.
    """
    field = LoadedField(
        description=description,
        metadata={"relation": relation, "key": key, "prepare": prepare},
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
