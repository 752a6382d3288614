"""Scalars, and types that wrap a plain value."""

import re
from decimal import Decimal
from typing import Any, NewType, cast

import strawberry

from core import money

BigInt = NewType("BigInt", int)

_INTEGER = re.compile(r"-?[0-9]{1,18}")
"""Eighteen digits are safe in 64 bits, whatever they are."""


def _parse_big_integer(value: object) -> BigInt:
    if isinstance(value, bool) or not _INTEGER.fullmatch(str(value)):
        raise ValueError("BigInt is an integer of up to 18 digits.")
    return BigInt(int(str(value)))


SCALARS: dict[object, Any] = {
    BigInt: strawberry.scalar(
        name="BigInt",
        description="An integer of up to 64 bits, written as a string, since JSON numbers lose digits beyond 2^53.",
        serialize=str,
        parse_value=_parse_big_integer,
    )
}
"""What the schema's configuration maps Python types to."""


@strawberry.type(description="An amount of money in one currency.")
class Money:
    """View of `core.money.Money`, and of rows that have `minor` and `currency`."""

    currency: str = strawberry.field(description="ISO 4217 code.")

    @strawberry.field(description="Major units, with as many decimals as the currency has.")
    def amount(self) -> Decimal:
        own = cast("money.Money", self)
        return money.Money(own.minor, own.currency).amount

    @strawberry.field(description="Minor units: cents, yen, fils.")
    def amount_minor(self) -> BigInt:
        return BigInt(cast("money.Money", self).minor)


def money_of(minor: int, currency: str) -> Money:
    """Return an amount as clients see it."""
    return cast("Money", money.Money(minor, currency))
