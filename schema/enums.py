"""Enumerations. Their values are what the tables hold, so rows need no conversion."""

import enum

import strawberry

from models.product_filters import ProductSort

strawberry.enum(
    ProductSort,
    description="Orders of a listing of products. RATING is best first; RELEVANCE needs filter.text.",
)


@strawberry.enum(description="Whether a product is prepared, on sale, or put away.")
class ProductStatus(enum.StrEnum):
    """Of `product.status`."""

    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    ARCHIVED = "ARCHIVED"


@strawberry.enum(description="What the values of an attribute are.")
class AttributeKind(enum.StrEnum):
    """Of `attribute.kind`."""

    DROPDOWN = "DROPDOWN"
    MULTISELECT = "MULTISELECT"
    NUMERIC = "NUMERIC"
    BOOLEAN = "BOOLEAN"
    DATE = "DATE"
    TEXT = "TEXT"
    SWATCH = "SWATCH"
    REFERENCE = "REFERENCE"


@strawberry.enum(description="Hand-picked, or whatever meets a rule.")
class CollectionKind(enum.StrEnum):
    """Of `collection.kind`."""

    MANUAL = "MANUAL"
    RULE = "RULE"


@strawberry.enum(description="Kinds of media.")
class MediaKind(enum.StrEnum):
    """Of `media.kind`."""

    IMAGE = "IMAGE"
    VIDEO = "VIDEO"


@strawberry.enum(description="Why a product is shown beside another.")
class RelationKind(enum.StrEnum):
    """Of `product_relation.kind`."""

    RELATED = "RELATED"
    UPSELL = "UPSELL"
    ACCESSORY = "ACCESSORY"


@strawberry.enum(description="Whether a review has been looked at, and shown.")
class ReviewStatus(enum.StrEnum):
    """Of `review.status`."""

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
