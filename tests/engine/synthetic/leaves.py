"""What the leaves of the synthetic schema may be, and what they must not be."""

import enum
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any


class Oddity:
    """A value that no type of the schema can show."""

    def __repr__(self) -> str:
        return "an oddity"

    def __str__(self) -> str:
        return "an oddity"


class Rank(enum.IntEnum):
    """An integer that is also something else."""

    SECOND = 2


class Word(str):
    """A text that is also something else."""

    __slots__ = ()


class Broken(Exception):
    """What a faulty resolver raises."""


LEAVES: Mapping[str, tuple[Any, ...]] = {
    "Int": (0, 1, -5, 2**31 - 1, 3.0, True, "12", Rank.SECOND),
    "Float": (1.5, 2, 0.0, -7.25, True, "2.5", 1e300, Rank.SECOND),
    "String": ("", "abc", 'é"\n\u2028', Word("word"), 5, True, 1.5, "x" * 40),
    "Boolean": (True, False, 1, 0, 0.0),
    "ID": ("a", 1, "", 5.0, Word("id"), 2**40, "é"),
    "Money": (Decimal("1.50"), Decimal(0), 7),
    "Json": ({"a": [1, None, {"b": True}]}, [], "text", 0, False, {}),
    "Plain": ("plain", 1, [1, 2]),
    "Colour": (1, ("g",), Decimal(3)),
    "Size": ("SMALL", "LARGE"),
}
"""What leaves may be; some are unusual, none is wrong."""

WRONG_LEAVES: Mapping[str, tuple[Any, ...]] = {
    "Int": (2**31, 1.5, "x", [], math.nan, Oddity(), ""),
    "Float": ("x", [], math.inf, Oddity(), ""),
    "String": ([], {}, Oddity()),
    "Boolean": ("true", math.nan, [], Oddity()),
    "ID": (1.5, [], Oddity()),
    "Money": (Decimal(-1), Decimal(-2), Decimal(-3)),
    "Colour": ("RED", [], None, Oddity()),
    "Size": ("MEDIUM", {}, 1),
}
"""What leaves must not be: their serialisers raise, or find nothing to show."""
