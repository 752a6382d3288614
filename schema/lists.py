"""Bounds of plain lists: every list that is no connection says how long it may get."""

from collections.abc import Mapping
from typing import Any

from core.errors import BadUserInput
from engine.loading import Argument, loads
from schema.cost import costs, sliced


def loads_list(
    relation: Any,
    default: int,
    at_most: int,
    *,
    arguments: Mapping[str, Argument] | None = None,
    description: str | None = None,
) -> Any:
    """Declare a list field that is read in batches and takes `first`.

    Args:
        relation: See `engine.loading.loads`.
        default: Elements where the client does not say.
        at_most: Elements that a client may ask for.
        arguments: Further arguments.
        description: For clients.
    """

    def prepare(_: object, given: dict[str, Any]) -> Mapping[str, Any]:
        bounded(given["first"], at_most)
        return given

    first = Argument(int, default, f"Elements at most, to {at_most}.")
    field = loads(
        relation,
        arguments={"first": first, **(arguments or {})},
        prepare=prepare,
        ignores_context=True,
        description=description,
    )
    return costs(*sliced(default, at_most))(field)


def bounded(first: int, at_most: int) -> int:
    """Return `first`.

    Raises:
        BadUserInput: It is out of bounds.
    """
    if not 0 <= first <= at_most:
        raise BadUserInput(f"This list has 0 to {at_most} elements.", argument="first")
    return first
