"""Products, variants, their media, relations and reviews."""

import uuid
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Computed, Index, Integer, Numeric, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, REGCONFIG, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from models.base import INTERNAL, Aggregate, Entity, Tenant, one_of, references, slug_check, unique_while

PRODUCT_STATUSES = ("DRAFT", "ACTIVE", "ARCHIVED")
MEDIA_KINDS = ("IMAGE", "VIDEO")
RELATION_KINDS = ("RELATED", "UPSELL", "ACCESSORY")
REVIEW_STATUSES = ("PENDING", "APPROVED", "REJECTED")

_SEARCHED = (
    "setweight(to_tsvector(search_config, name), 'A') || "
    "setweight(to_tsvector(search_config, coalesce(vendor, '') || ' ' || immutable_join(tags)), 'B') || "
    "setweight(to_tsvector(search_config, left(description, 20000)), 'C')"
)


class Product(Aggregate):
    """Something a shop sells, in one or more variants.

    `rating_average` and `rating_count` are kept by the review statements; `metadata_` holds what an import brought and
    Galleria has no column for, so that an export gives it back.
    """

    __tablename__ = "product"
    __table_args__ = (
        slug_check(),
        one_of("status", PRODUCT_STATUSES),
        references("product_type", "product_type_id", on_delete="SET NULL"),
        references("category", "category_id", on_delete="SET NULL"),
        unique_while("product", "slug", "deleted_at IS NULL"),
        unique_while("product", "external_ref", "external_ref IS NOT NULL AND deleted_at IS NULL"),
        Index("ix_product_category_id", "shop_id", "category_id"),
        Index("ix_product_product_type_id", "shop_id", "product_type_id"),
        # btree_gin lets the shop lead here too, so that one shop's search never reads another's postings.
        Index("ix_product_search_vector", "shop_id", "search_vector", postgresql_using="gin"),
        Index("ix_product_name", "shop_id", "name", postgresql_using="gin", postgresql_ops={"name": "gin_trgm_ops"}),
    )

    product_type_id: Mapped[uuid.UUID | None]
    category_id: Mapped[uuid.UUID | None]
    slug: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    name_key: Mapped[str] = mapped_column(
        Text(collation="C"), Computed("lower(left(name, 200))", persisted=True), info=INTERNAL
    )
    description: Mapped[str] = mapped_column(Text, server_default="")
    vendor: Mapped[str | None] = mapped_column(Text)
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default="{}")
    status: Mapped[str] = mapped_column(Text, server_default="DRAFT")
    rating_average: Mapped[Decimal | None] = mapped_column(Numeric(3, 2))
    rating_count: Mapped[int] = mapped_column(Integer, server_default="0")
    seo_title: Mapped[str | None] = mapped_column(Text)
    seo_description: Mapped[str | None] = mapped_column(Text)
    external_ref: Mapped[str | None] = mapped_column(Text)
    search_config: Mapped[str] = mapped_column(REGCONFIG, server_default="simple", info=INTERNAL)
    search_vector: Mapped[Any] = mapped_column(TSVECTOR, Computed(_SEARCHED, persisted=True), info=INTERNAL)
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata", JSONB, server_default="{}", info=INTERNAL)
    deleted_at: Mapped[datetime | None] = mapped_column(info=INTERNAL)


class Variant(Aggregate):
    """What is actually bought: one size and colour of a product."""

    __tablename__ = "variant"
    __table_args__ = (
        references("product", "product_id"),
        unique_while("variant", "sku", "sku IS NOT NULL AND deleted_at IS NULL"),
        unique_while("variant", "external_ref", "external_ref IS NOT NULL AND deleted_at IS NULL"),
        Index("ix_variant_product_id", "shop_id", "product_id", "position", "id"),
        CheckConstraint("weight_g >= 0", name="weight_g"),
        CheckConstraint("backorder_limit >= 0", name="backorder_limit"),
    )

    product_id: Mapped[uuid.UUID]
    sku: Mapped[str | None] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text, server_default="")
    barcode: Mapped[str | None] = mapped_column(Text)
    weight_g: Mapped[int | None] = mapped_column(Integer)
    position: Mapped[int] = mapped_column(Integer, server_default="0")
    track_inventory: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    backorder_limit: Mapped[int] = mapped_column(Integer, server_default="0")
    external_ref: Mapped[str | None] = mapped_column(Text)
    metadata_: Mapped[dict[str, Any]] = mapped_column("metadata", JSONB, server_default="{}", info=INTERNAL)
    deleted_at: Mapped[datetime | None] = mapped_column(info=INTERNAL)


class Media(Entity):
    """An image or video of a product, or of one of its variants."""

    __tablename__ = "media"
    __table_args__ = (
        one_of("kind", MEDIA_KINDS),
        references("product", "product_id"),
        references("variant", "variant_id", on_delete="SET NULL"),
        Index("ix_media_product_id", "shop_id", "product_id", "position", "id"),
        Index("ix_media_variant_id", "shop_id", "variant_id", postgresql_where=text("variant_id IS NOT NULL")),
    )

    product_id: Mapped[uuid.UUID]
    variant_id: Mapped[uuid.UUID | None]
    kind: Mapped[str] = mapped_column(Text, server_default="IMAGE")
    url: Mapped[str] = mapped_column(Text)
    alt: Mapped[str] = mapped_column(Text, server_default="")
    position: Mapped[int] = mapped_column(Integer, server_default="0")


class ProductRelation(Tenant):
    """A product that is shown beside another."""

    __tablename__ = "product_relation"
    __table_args__ = (
        one_of("kind", RELATION_KINDS),
        references("product", "product_id"),
        references("product", "related_id"),
        CheckConstraint("product_id <> related_id", name="related_id"),
        Index("ix_product_relation_position", "shop_id", "product_id", "kind", "position", "related_id"),
        Index("ix_product_relation_related_id", "shop_id", "related_id"),
    )

    product_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text, primary_key=True)
    related_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(Integer, server_default="0")


class Review(Entity):
    """What a customer thinks of a product; shown once approved."""

    __tablename__ = "review"
    __table_args__ = (
        one_of("status", REVIEW_STATUSES),
        references("product", "product_id"),
        CheckConstraint("rating BETWEEN 1 AND 5", name="rating"),
        Index(
            "ix_review_product_id",
            "shop_id",
            "product_id",
            "created_at",
            "id",
            postgresql_where=text("status = 'APPROVED'"),
        ),
        Index("ix_review_status", "shop_id", "status", "created_at", "id"),
        Index(
            "uq_review_author_subject",
            "shop_id",
            "product_id",
            "author_subject",
            unique=True,
            postgresql_where=text("author_subject IS NOT NULL"),
        ),
    )

    product_id: Mapped[uuid.UUID]
    author_name: Mapped[str] = mapped_column(Text)
    author_subject: Mapped[str | None] = mapped_column(Text)
    rating: Mapped[int] = mapped_column(Integer)
    title: Mapped[str] = mapped_column(Text, server_default="")
    body: Mapped[str] = mapped_column(Text, server_default="")
    status: Mapped[str] = mapped_column(Text, server_default="PENDING")
