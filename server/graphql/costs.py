"""What clients are told of prices, and what they may ask about them."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from engine.errors import Failure
from engine.price import OperationPrice, affordable

DEBUG_HEADER = "galleria-cost-debug"
DRY_RUN_HEADER = "galleria-cost-dry-run"
ON = "1"

_SHOPPERS = frozenset({"anonymous", "customer"})


@dataclasses.dataclass(frozen=True, slots=True)
class PriceLimits:
    """What one operation may cost, in points.

    Attributes:
        shoppers: Those who are not signed in, and customers.
        staff: Staff and keys.
    """

    shoppers: int = 1_000
    staff: int = 5_000

    def of(self, kind: str) -> int:
        """Return the limit of a kind of actor."""
        return self.shoppers if kind in _SHOPPERS else self.staff


@dataclasses.dataclass(frozen=True, slots=True)
class Costs:
    """What one request costs.

    Attributes:
        price: Of its operation.
        variables: As the client sent them.
        requested: What it may cost at most.
        is_explained: Whether the client wants the price of each field.
    """

    price: OperationPrice
    variables: Mapping[str, Any] | None
    requested: int
    is_explained: bool = False

    @classmethod
    def of(
        cls, price: OperationPrice, variables: Mapping[str, Any] | None, headers: Mapping[str, str], *, at_most: int
    ) -> "Costs | Failure":
        """Price an operation, or refuse it.

        Args:
            price: Of the operation.
            variables: As the client sent them.
            headers: Of the request, by lower-case name.
            at_most: What it may cost, unless it is only to be priced.
        """
        requested = affordable(price, variables, at_most=at_most)
        if isinstance(requested, Failure):
            return requested
        return cls(price, variables, requested, is_explained=headers.get(DEBUG_HEADER) == ON)

    def extension(self, actual: int | None) -> dict[str, Any]:
        """Return what `extensions.cost` of the answer says.

        Args:
            actual: What the operation did cost; None where it did not run.
        """
        told: dict[str, Any] = {"requestedQueryCost": self.requested, "actualQueryCost": actual}
        if self.is_explained:
            told["fields"] = self.price.by_field(self.variables)
        return told

    def actual(self, data: Any) -> int:
        """Return what the operation did cost."""
        return self.price.actual(data, self.variables)
