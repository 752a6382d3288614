"""Filters of products as clients write them."""

import uuid
from typing import TypeVar

import strawberry

from core.errors import BadUserInput
from core.ids import decode_id_of
from core.money import minor_units
from core.pagination import COUNT_CEILING
from models.product_filters import AttributeFilter, ProductFilter
from schema.cost import SEARCH
from schema.enums import ProductStatus

T = TypeVar("T")

MOST_ATTRIBUTES = 10
"""Attribute filters of one listing; each is a condition of its own in the statement."""

MOST_VALUES = 100
_GREATEST_NUMBER = 1e15


@strawberry.input(description="A range of prices in the channel's currency, both ends included.")
class PriceRangeInput:
    """Major units, as text."""

    minimum: str | None = strawberry.field(default=None, description='Such as "19.99".')
    maximum: str | None = None


@strawberry.input(description="A range of numbers, both ends included.")
class NumberRangeInput:
    """For NUMERIC attributes."""

    minimum: float | None = None
    maximum: float | None = None


@strawberry.input(description="Products, or variants of them, with one of these values of an attribute.")
class AttributeFilterInput:
    """Exactly one of values, range and boolean."""

    attribute: str = strawberry.field(description="Slug of the attribute.")
    values: list[str] | None = strawberry.field(default=None, description="Slugs of its values; any of them will do.")
    range: NumberRangeInput | None = None
    boolean: bool | None = None


@strawberry.input(description="Which products. What is absent does not restrict.")
class ProductFilterInput:
    """See `models.product_filters.ProductFilter`."""

    category: strawberry.ID | None = strawberry.field(default=None, description="In this category or below it.")
    collection: strawberry.ID | None = None
    price: PriceRangeInput | None = None
    attributes: list[AttributeFilterInput] | None = strawberry.field(
        default=None, description=f"All of these; at most {MOST_ATTRIBUTES}."
    )
    is_available: bool | None = strawberry.field(default=None, description="Can be bought in the channel now, or not.")
    rating: float | None = strawberry.field(default=None, description="Average rating of this or better, 1 to 5.")
    text: str | None = strawberry.field(
        default=None,
        description="Words to search for in the shop's own texts (translations are not searched), or a SKU. A search "
        f"considers at most {COUNT_CEILING:,} products, best first; other filters restrict these.",
        directives=SEARCH,
    )
    status: ProductStatus | None = strawberry.field(default=None, description="For staff.")
    vendor: str | None = None
    tags: list[str] | None = strawberry.field(default=None, description="All of these.")


def product_filter(given: ProductFilterInput | None, currency: str | None) -> ProductFilter:
    """Return the filter that a client means.

    Args:
        given: From the client.
        currency: Of the channel; needed where the filter has a price alone.

    Raises:
        BadUserInput: A value is out of bounds.
    """
    if given is None:
        return ProductFilter()
    price = given.price or PriceRangeInput()
    rating = given.rating
    if rating is not None and not 1 <= rating <= 5:  # noqa: PLR2004  (the stars of a review)
        raise BadUserInput("A rating is 1 to 5.", argument="filter.rating")
    return ProductFilter(
        category_id=_id("Category", given.category),
        collection_id=_id("Collection", given.collection),
        price_from_minor=_minor(price.minimum, currency),
        price_to_minor=_minor(price.maximum, currency),
        attributes=tuple(_attribute(each) for each in _at_most(given.attributes, MOST_ATTRIBUTES, "attributes")),
        is_available=given.is_available,
        rating_from=rating,
        text=(given.text or "").strip() or None,
        status=given.status,
        vendor=given.vendor,
        tags=tuple(_at_most(given.tags, MOST_VALUES, "tags")),
    )


_NOBODY = uuid.UUID(int=0)
"""An id that no row has: what a foreign or malformed id stands for, so that the filter finds nothing."""


def _id(type_name: str, global_id: str | None) -> uuid.UUID | None:
    return None if global_id is None else decode_id_of(type_name, global_id) or _NOBODY


def _minor(amount: str | None, currency: str | None) -> int | None:
    if amount is None or currency is None:
        return None
    minor = minor_units(amount, currency)
    if minor is None:
        raise BadUserInput(f'"{amount[:40]}" is no amount of {currency}.', argument="filter.price")
    return minor


def _at_most(given: list[T] | None, most: int, name: str) -> list[T]:
    if given is not None and len(given) > most:
        raise BadUserInput(f"At most {most} of these.", argument=f"filter.{name}")
    return given or []


def _attribute(given: AttributeFilterInput) -> AttributeFilter:
    meant = [each for each in (given.values, given.range, given.boolean) if each is not None]
    if len(meant) != 1:
        raise BadUserInput("Give exactly one of values, range and boolean.", argument="filter.attributes")
    limits = given.range or NumberRangeInput()
    for limit in (limits.minimum, limits.maximum):
        if limit is not None and not abs(limit) <= _GREATEST_NUMBER:
            raise BadUserInput("This number is out of bounds.", argument="filter.attributes")
    if limits.minimum is not None and limits.maximum is not None and limits.minimum > limits.maximum:
        raise BadUserInput("The range ends before it begins.", argument="filter.attributes")
    return AttributeFilter(
        given.attribute,
        None if given.values is None else tuple(_at_most(given.values, MOST_VALUES, "attributes.values")),
        limits.minimum,
        limits.maximum,
        given.boolean,
    )
