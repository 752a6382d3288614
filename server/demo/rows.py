"""Rows that are copied in bulk: a tuple for each table, with the table's columns."""

import uuid
from datetime import date, datetime
from decimal import Decimal
from typing import NamedTuple


class ProductRow(NamedTuple):
    """A row of `product`."""

    shop_id: uuid.UUID
    id: uuid.UUID
    product_type_id: uuid.UUID
    category_id: uuid.UUID
    slug: str
    name: str
    description: str
    vendor: str
    tags: list[str]
    status: str
    rating_average: Decimal | None
    rating_count: int
    seo_title: str
    seo_description: str
    external_ref: str
    search_config: str
    created_at: datetime
    updated_at: datetime


class VariantRow(NamedTuple):
    """A row of `variant`."""

    shop_id: uuid.UUID
    id: uuid.UUID
    product_id: uuid.UUID
    sku: str
    name: str
    barcode: str
    weight_g: int
    position: int
    track_inventory: bool
    backorder_limit: int
    external_ref: str
    created_at: datetime
    updated_at: datetime


class AssignmentRow(NamedTuple):
    """A row of `attribute_assignment`."""

    shop_id: uuid.UUID
    id: uuid.UUID
    product_id: uuid.UUID
    variant_id: uuid.UUID | None
    attribute_id: uuid.UUID
    value_id: uuid.UUID | None = None
    text_value: str | None = None
    number_value: Decimal | None = None
    boolean_value: bool | None = None
    date_value: date | None = None
    position: int = 0


class ListingRow(NamedTuple):
    """A row of `listing`."""

    shop_id: uuid.UUID
    id: uuid.UUID
    channel_id: uuid.UUID
    variant_id: uuid.UUID
    price_minor: int
    compare_at_minor: int | None
    cost_minor: int
    is_published: bool
    available_from: datetime | None


class StockRow(NamedTuple):
    """A row of `stock_level`."""

    shop_id: uuid.UUID
    variant_id: uuid.UUID
    warehouse_id: uuid.UUID
    on_hand: int
    allocated: int = 0
    reserved: int = 0
    safety: int = 0
    backorder_limit: int = 0


class MediaRow(NamedTuple):
    """A row of `media`."""

    shop_id: uuid.UUID
    id: uuid.UUID
    product_id: uuid.UUID
    variant_id: uuid.UUID | None
    url: str
    alt: str
    position: int


class ReviewRow(NamedTuple):
    """A row of `review`."""

    shop_id: uuid.UUID
    id: uuid.UUID
    product_id: uuid.UUID
    author_name: str
    author_subject: str | None
    rating: int
    title: str
    body: str
    status: str
    created_at: datetime
    updated_at: datetime


class MembershipRow(NamedTuple):
    """A row of `collection_product`."""

    shop_id: uuid.UUID
    collection_id: uuid.UUID
    product_id: uuid.UUID
    position: int


class RelationRow(NamedTuple):
    """A row of `product_relation`."""

    shop_id: uuid.UUID
    product_id: uuid.UUID
    kind: str
    related_id: uuid.UUID
    position: int


class TranslationRow(NamedTuple):
    """A row of `translation`."""

    shop_id: uuid.UUID
    entity_id: uuid.UUID
    locale: str
    field: str
    entity: str
    value: str


Row = (
    ProductRow
    | VariantRow
    | AssignmentRow
    | ListingRow
    | StockRow
    | MediaRow
    | ReviewRow
    | MembershipRow
    | RelationRow
    | TranslationRow
)

TABLES: dict[type[Row], str] = {
    ProductRow: "product",
    VariantRow: "variant",
    AssignmentRow: "attribute_assignment",
    ListingRow: "listing",
    StockRow: "stock_level",
    MediaRow: "media",
    ReviewRow: "review",
    MembershipRow: "collection_product",
    RelationRow: "product_relation",
    TranslationRow: "translation",
}
"""The table of each kind of row; those referred to stand before those that refer."""
