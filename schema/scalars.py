"""Scalars, and types that wrap a plain value."""

import re
from decimal import Decimal
from typing import Any, NewType

import strawberry

from core import money
from engine.loading import computed, of_rows

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


@of_rows
@strawberry.type(description="An amount of money in one currency.")
class Money:
    """View of rows that have `minor` and `currency`."""

    currency: str = strawberry.field(description="ISO 4217 code.")
    amount: Decimal = computed(
        money.amount_text, "minor", "currency", description="Major units, with as many decimals as the currency has."
    )
    amount_minor: BigInt = computed(BigInt, "minor", description="Minor units: cents, yen, fils.")
