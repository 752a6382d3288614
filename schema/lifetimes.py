"""How long what a field shows may be kept by caches, declared beside the field."""

from collections.abc import Callable
from typing import Any, TypeVar

from graphql import GraphQLField

from schema.policies import Open, policy_of

T = TypeVar("T")

LISTS = 3_600
"""Seconds; whatever is written ends an answer at once, so this only bounds what nobody ever notices."""

DETAILS = 1_800

STOCK = 60
"""What is left changes with every order, and holds on it end by themselves."""

_SECONDS = "lasts_seconds"


def lasts(seconds: int) -> Callable[[T], T]:
    """Say for how many seconds the value of a field may be kept, at most; written above the field's declaration."""

    def declare(declared: Any) -> Any:
        declared.metadata = {**declared.metadata, _SECONDS: seconds}
        return declared

    return declare


def seconds_of(declared: GraphQLField) -> float | None:
    """Return for how many seconds the value of a field may be kept; None where it lasts as long as its parent.

    What is not shown to everybody is never kept.
    """
    if policy_of(declared) not in {None, Open.ANYONE}:
        return 0
    definition = declared.extensions.get("strawberry-definition")
    seconds: float | None = definition.metadata.get(_SECONDS) if definition is not None else None
    return seconds
