"""Types of the Strawberry peer that load nothing, and its ids."""

import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from decimal import Decimal

import strawberry

_UUID_BYTES = 16
DECIMALS = {"JPY": 0, "KWD": 3}
"""Of the demo shops' currencies; the others have two."""


def global_id(type_name: str, row_id: uuid.UUID) -> strawberry.ID:
    """Return the opaque id of a row."""
    return strawberry.ID(urlsafe_b64encode(type_name.encode() + b":" + row_id.bytes).decode().rstrip("="))


def uuid_of(given: str) -> uuid.UUID:
    """Return the uuid of an opaque id."""
    return uuid.UUID(bytes=urlsafe_b64decode(given + "=" * (-len(given) % 4))[-_UUID_BYTES:])


@strawberry.type
class PageInfo:
    """Whether rows follow a page."""

    has_next_page: bool


@strawberry.type
class Money:
    """An amount in one currency."""

    amount: Decimal
    currency: str


@strawberry.type
class Availability:
    """Whether a variant can be bought."""

    is_available: bool
    quantity: int | None


@strawberry.type
class Media:
    """An image."""

    url: str
    alt: str


@strawberry.type
class Attribute:
    """A property that products have."""

    name: str
    unit: str | None


@strawberry.type
class AttributeValue:
    """A value that an attribute offers."""

    name: str
    color: str | None


@strawberry.type
class ReviewAuthor:
    """Who wrote a review."""

    name: str
