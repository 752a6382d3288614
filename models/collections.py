"""Collections: hand-picked or by rule."""

import uuid
from typing import Any

from sqlalchemy import Boolean, CheckConstraint, Index, Integer, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Aggregate, Tenant, one_of, references, slug_check, unique_while

COLLECTION_KINDS = ("MANUAL", "RULE")


class Collection(Aggregate):
    """A set of products that is shown together.

    A MANUAL collection has rows in `collection_product`; a RULE collection has the filter in `rule`, in the form of
    `models.listings.ProductFilter` as JSON.
    """

    __tablename__ = "collection"
    __table_args__ = (
        slug_check(),
        unique_while("collection", "slug"),
        one_of("kind", COLLECTION_KINDS),
        CheckConstraint("(kind = 'RULE') = (rule IS NOT NULL)", name="rule"),
    )

    slug: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text, server_default="")
    kind: Mapped[str] = mapped_column(Text, server_default="MANUAL")
    rule: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    is_published: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    seo_title: Mapped[str | None] = mapped_column(Text)
    seo_description: Mapped[str | None] = mapped_column(Text)


class CollectionProduct(Tenant):
    """A product's place in a manual collection."""

    __tablename__ = "collection_product"
    __table_args__ = (
        references("collection", "collection_id"),
        references("product", "product_id"),
        Index("ix_collection_product_position", "shop_id", "collection_id", "position", "product_id"),
        Index("ix_collection_product_product_id", "shop_id", "product_id"),
    )

    collection_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    product_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(Integer, server_default="0")
