"""Filters and orders of product listings: the values, and the form that decides a statement's text."""

import dataclasses
import enum
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from core.pagination import COUNT_CEILING


class ProductSort(enum.Enum):
    """Orders of a listing of products."""

    NEWEST = "newest"
    OLDEST = "oldest"
    PRICE_ASC = "price_asc"
    PRICE_DESC = "price_desc"
    NAME_ASC = "name_asc"
    NAME_DESC = "name_desc"
    RATING = "rating"
    RELEVANCE = "relevance"


@dataclasses.dataclass(frozen=True, slots=True)
class AttributeFilter:
    """Products that have one of these values of an attribute, on themselves or on a variant.

    Attributes:
        attribute: Slug of the attribute.
        values: Slugs of its values; none of them where it is empty.
        number_from: Least number, inclusive.
        number_to: Greatest number, inclusive.
        boolean: Truth value.
    """

    attribute: str
    values: tuple[str, ...] | None = None
    number_from: float | None = None
    number_to: float | None = None
    boolean: bool | None = None

    @property
    def kind(self) -> str:
        """Which of the conditions is meant."""
        if self.boolean is not None:
            return "boolean"
        return "number" if self.values is None else "values"


@dataclasses.dataclass(frozen=True, slots=True)
class ProductFilter:
    """Which products; a field that is None or empty does not restrict.

    Attributes:
        category_id: In this category or below it.
        collection_id: In this collection, whether by hand or by rule.
        price_from_minor: Some variant costs this or more, in the channel's minor units.
        price_to_minor: Some variant costs this or less.
        attributes: All of these.
        is_available: Whether something of it can be bought now.
        rating_from: Average rating, 1 to 5.
        text: Words to search for.
        status: For staff: only products of this status.
        vendor: Exact vendor.
        tags: All of these tags.
    """

    category_id: uuid.UUID | None = None
    collection_id: uuid.UUID | None = None
    price_from_minor: int | None = None
    price_to_minor: int | None = None
    attributes: tuple[AttributeFilter, ...] = ()
    is_available: bool | None = None
    rating_from: float | None = None
    text: str | None = None
    status: str | None = None
    vendor: str | None = None
    tags: tuple[str, ...] = ()

    @property
    def form(self) -> "FilterForm":
        """What of this filter changes the text of a statement."""
        given = (name for name in _SIMPLE if getattr(self, name) not in (None, ()))
        return FilterForm(tuple(given), self.is_available, tuple(each.kind for each in self.attributes))

    def values(self) -> Mapping[str, Any]:
        """Return the values of the statement's parameters."""
        values: dict[str, Any] = {name: getattr(self, name) for name in _SIMPLE}
        values["rating_from"] = round((self.rating_from or 0) * 100)
        values["tags"] = list(self.tags)
        # No lower, or a text beside another filter would lose what the filter keeps.
        values["at_most"] = COUNT_CEILING
        for number, each in enumerate(self.attributes):
            values[f"attribute_{number}"] = each.attribute
            values[f"values_{number}"] = list(each.values or ())
            values[f"from_{number}"] = _as_written(each.number_from)
            values[f"to_{number}"] = _as_written(each.number_to)
            values[f"boolean_{number}"] = each.boolean
        return values


def _as_written(number: float | None) -> Decimal | None:
    """Return the decimal that a client wrote: 0.1 itself and not the binary fraction next to it."""
    return None if number is None else Decimal(repr(number))


@dataclasses.dataclass(frozen=True, slots=True)
class FilterForm:
    """The form of a filter without its values: statements are built and compiled once for each.

    Attributes:
        given: Names of the simple conditions.
        is_available: As in the filter.
        attributes: Kinds of the attribute conditions.
    """

    given: tuple[str, ...] = ()
    is_available: bool | None = None
    attributes: tuple[str, ...] = ()

    def without(self, name: str) -> "FilterForm":
        """Return the form of the filter without one of its simple conditions."""
        return dataclasses.replace(self, given=tuple(each for each in self.given if each != name))


_SIMPLE = (
    "category_id",
    "collection_id",
    "price_from_minor",
    "price_to_minor",
    "rating_from",
    "text",
    "status",
    "vendor",
    "tags",
)
