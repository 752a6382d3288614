"""Reads single cells: numbers, amounts, choices, addresses."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from core.money import EXPONENTS, minor_units
from models.categories import DEEPEST_CATEGORY
from resolvers.transfer import columns as c

STATUSES: Mapping[str, str] = {
    "active": "ACTIVE",
    "draft": "DRAFT",
    "archived": "ARCHIVED",
    "unlisted": "ACTIVE",
}
FLAGS: Mapping[str, bool] = {
    **dict.fromkeys(("true", "yes", "1"), True),
    **dict.fromkeys(("false", "no", "0"), False),
}
CONTINUES: Mapping[str, bool] = {"continue": True, "deny": False, **FLAGS}

LONGEST_OPTION = 255
_MOST_TAGS = 1_000
_LARGEST_INTEGER = 2**31 - 1


ReadT = TypeVar("ReadT")


class Unusable(ValueError):
    """A cell cannot be used; the message says why."""


def optional(text: str) -> str | None:
    """Return the text; it may also be missing."""
    return text


def stripped(text: str) -> str | None:
    """Return the text without space around it."""
    return text.strip()


def category(text: str) -> tuple[str, ...] | None:
    """Return the names of a category from the root down."""
    names = tuple(" ".join(name.split()) for name in text.split(">"))
    if not all(names):
        raise Unusable(f"{c.CATEGORY} is {shown(text)}: put a name on each side of every >.")
    if len(names) > DEEPEST_CATEGORY:
        raise Unusable(f"{c.CATEGORY} has {len(names)} levels: give {DEEPEST_CATEGORY} at most.")
    return names


def tags(text: str) -> tuple[str, ...]:
    """Return tags, each once."""
    found = tuple(dict.fromkeys(filter(None, (tag.strip() for tag in text.split(",")))))
    if len(found) > _MOST_TAGS or any(len(tag) > LONGEST_OPTION for tag in found):
        raise Unusable(f"{c.TAGS} has a tag too many or too long: {_MOST_TAGS} of {LONGEST_OPTION} characters fit.")
    return found


def choice(text: str, column: str, choices: Mapping[str, ReadT]) -> ReadT:
    """Return what a word stands for, in any case."""
    found = choices.get(text.casefold())
    if found is None:
        raise Unusable(f"{column} is {shown(text)}: give {' or '.join(tuple(choices)[:3])}.")
    return found


def _decimal(text: str, column: str) -> Decimal:
    try:
        value = Decimal(text.replace(",", ""))
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or not text.isascii():
        raise Unusable(f"{column} is {shown(text)}: give a number.")
    if abs(value) > _LARGEST_INTEGER:
        raise Unusable(f"{column} is {shown(text)}: give at most {_LARGEST_INTEGER:,}.")
    return value


def grams(text: str, column: str) -> int:
    """Return a weight, rounded."""
    value = _decimal(text, column)
    if value < 0:
        raise Unusable(f"{column} is {shown(text)}: give a weight that is not negative.")
    return round(value)


def quantity(text: str, column: str) -> int:
    """Return a whole number."""
    value = _decimal(text, column)
    if value != value.to_integral_value():
        raise Unusable(f"{column} is {shown(text)}: give a whole number.")
    return int(value)


def whole(text: str, column: str) -> int:
    """Return a whole number that is not negative."""
    value = quantity(text, column)
    if value < 0:
        raise Unusable(f"{column} is {shown(text)}: give a number that is not negative.")
    return value


def address(text: str, column: str) -> str:
    """Return an address on the web; nothing of ours ever opens it."""
    if not text.casefold().startswith(("https://", "http://")) or any(map(str.isspace, text)):
        raise Unusable(f"{column} is {shown(text)}: give an address that starts with https://.")
    return text


def worth_keeping(extras: Mapping[str, str]) -> dict[str, str]:
    """Return the cells that say more than an export would say anyway."""
    return {name: text for name, text in extras.items() if text and text.casefold() != c.USUAL.get(name)}


def shown(text: str) -> str:
    """Return a cell as a message may repeat it."""
    return repr(text if len(text) <= 40 else f"{text[:40]}…")  # noqa: PLR2004 - fits a line.


def money(text: str, column: str, *, currency: str) -> int:
    """Return an amount in minor units."""
    minor = minor_units(text, currency)
    if minor is None:
        places = EXPONENTS[currency]
        rule = f"with a point and at most {places} decimals" if places else "which has no decimals"
        raise Unusable(f"{column} is {shown(text)}: give an amount in {currency}, {rule}.")
    return minor
