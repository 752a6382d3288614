"""What an operation costs: at most before it runs, and in fact afterwards."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from graphql import FragmentDefinitionNode, OperationDefinitionNode

from engine.errors import COST_EXCEEDED, LIMIT_EXCEEDED, Failure
from engine.limits import LimitReached
from engine.price_amounts import Variables, value_of
from engine.price_code import Actual, Requested, actual_code, requested_code
from engine.price_schema import Tariff
from engine.price_tree import Asked, Case, condition_names, priced_tree

MOST = 2**31 - 1
"""Where prices end: what `Int` of GraphQL holds, and far beyond what is ever allowed."""

VARIANTS_KEPT = 16
"""Combinations of `@skip` and `@include` whose prices stay compiled, for one operation."""


@dataclasses.dataclass(slots=True)
class _Variant:
    """The compiled prices of an operation under one combination of conditions."""

    requested: Requested
    actual: Actual | None = None


class OperationPrice:
    """The prices of one operation, each compiled when it is first asked for.

    Args:
        tariff: Of the schema.
        operation: Valid, and within the structural limits.
        fragments: Of its document, by name.
    """

    __slots__ = ("_asked", "_conditions", "_variants")

    def __init__(
        self, tariff: Tariff, operation: OperationDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]
    ) -> None:
        self._asked = Asked(tariff, operation, fragments)
        self._conditions: tuple[tuple[str, bool], ...] | None = None
        self._variants: dict[tuple[bool, ...], _Variant] = {}

    def requested(self, variables: Variables | None = None) -> int:
        """Return what the operation costs at most.

        Args:
            variables: As the client sent them; what they may not be is refused at execution, and costs no less here.

        Raises:
            limits.LimitReached: Its types multiply its fields beyond what is looked at.
        """
        given = variables or {}
        price = self._variant(given).requested
        return min(price if isinstance(price, int) else price(given), MOST)

    def actual(self, data: Mapping[str, Any] | None, variables: Variables | None = None) -> int:
        """Return what the operation did cost: never more than it might have.

        What cannot be told from the data costs as much as was requested: an operation without data, which may have
        done all of its work, and objects of different types that have the same keys and different contents.

        Args:
            data: As the execution returned them.
            variables: As given to `requested`.
        """
        given = variables or {}
        requested = self.requested(given)
        if data is None:
            return requested
        variant = self._variant(given)
        if variant.actual is None:
            variant.actual = actual_code(self._tree(given))
        try:
            return min(variant.actual(data, given), requested)
        except (KeyError, TypeError):
            return requested

    def by_field(self, variables: Variables | None = None) -> dict[str, int]:
        """Return how the requested price adds up, by response path: each field without what is below it."""
        given = variables or {}
        shares: dict[str, int] = {}
        _add_shares(shares, self._tree(given), given, path="", times=1)
        return shares

    def _variant(self, variables: Variables) -> _Variant:
        if self._conditions is None:
            self._conditions = _conditions(self._asked)
        # Most operations have no conditions.
        conditions = self._conditions
        key = tuple([bool(variables.get(name, default)) for name, default in conditions]) if conditions else ()
        variant = self._variants.get(key)
        if variant is None:
            if len(self._variants) >= VARIANTS_KEPT:
                self._variants.clear()
            variant = self._variants[key] = _Variant(requested_code(self._tree(variables)))
        return variant

    def _tree(self, variables: Variables) -> Case:
        if self._conditions is None:
            self._conditions = _conditions(self._asked)
        return priced_tree(
            self._asked, {name: bool(variables.get(name, default)) for name, default in self._conditions}
        )


def affordable(price: OperationPrice, variables: Variables | None, *, at_most: int) -> int | Failure:
    """Return what an operation may cost, or why it is refused.

    Args:
        price: Of the operation.
        variables: As the client sent them.
        at_most: What one operation may cost.
    """
    try:
        requested = price.requested(variables)
    except LimitReached as reached:
        return Failure(str(reached), LIMIT_EXCEEDED, extensions={"limit": reached.which})
    if requested <= at_most:
        return requested
    return Failure(
        f"The operation may cost {requested:,} points, and the limit is {at_most:,}; ask for fewer by first or last, "
        "or in several operations.",
        COST_EXCEEDED,
        extensions={"requestedQueryCost": requested, "maximumQueryCost": at_most},
    )


def _conditions(asked: Asked) -> tuple[tuple[str, bool], ...]:
    """Return the variables that decide what is included, each with its default."""
    defaults = {
        each.variable.name.value: bool(getattr(each.default_value, "value", False))
        for each in asked.operation.variable_definitions or ()
    }
    return tuple((name, defaults[name]) for name in condition_names(asked))


def _add_shares(shares: dict[str, int], case: Case, variables: Variables, *, path: str, times: int) -> None:
    for field in case.fields:
        place = f"{path}.{field.key}" if path else field.key
        size = times * value_of(field.size, variables)
        shares[place] = times * value_of(field.weight, variables)
        if field.cases:
            dearest = max(field.cases, key=lambda each: _cost(each, variables))
            shares[place] += size * dearest.weight
            _add_shares(shares, dearest, variables, path=place, times=size)


def _cost(case: Case, variables: Variables) -> int:
    """Return what one object of a case costs at most."""
    price = requested_code(case)
    return price if isinstance(price, int) else price(variables)


__all__ = ["MOST", "OperationPrice", "Tariff"]
