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


_MATCHES = """
    p.shop_id = c.shop_id AND p.deleted_at IS NULL
    AND (c.rule->>'category' IS NULL OR EXISTS (
        SELECT FROM category own JOIN category top ON top.shop_id = own.shop_id
        WHERE own.shop_id = p.shop_id AND own.id = p.category_id AND top.id = (c.rule->>'category')::uuid
            AND own.path >= top.path AND own.path < top.path || 'g'))
    AND (c.rule->'tags' IS NULL OR p.tags @> ARRAY(SELECT jsonb_array_elements_text(c.rule->'tags')))
    AND (c.rule->>'vendor' IS NULL OR p.vendor = c.rule->>'vendor')
    AND (c.rule->>'priceFromMinor' IS NULL OR l.price_to_minor >= (c.rule->>'priceFromMinor')::bigint)
    AND (c.rule->>'priceToMinor' IS NULL OR l.price_from_minor <= (c.rule->>'priceToMinor')::bigint)
    AND (c.rule->>'ratingFrom' IS NULL OR p.rating_average >= (c.rule->>'ratingFrom')::numeric)
"""

_REFRESH_RULES = """
    WITH wanted AS (
        SELECT c.shop_id, c.id AS collection_id, p.id AS product_id
        FROM collection c
            JOIN channel h ON h.shop_id = c.shop_id AND h.is_default
            JOIN product p ON p.shop_id = c.shop_id
            LEFT JOIN product_listing l ON l.shop_id = p.shop_id AND l.product_id = p.id AND l.channel_id = h.id
        WHERE c.shop_id = app_shop() AND c.kind = 'RULE' AND {wanted} AND {matches}
    ), gone AS (
        DELETE FROM collection_product cp USING collection c
        WHERE cp.shop_id = app_shop() AND c.shop_id = cp.shop_id AND c.id = cp.collection_id AND c.kind = 'RULE'
            AND {present}
            AND NOT EXISTS (SELECT FROM wanted w
                            WHERE w.collection_id = cp.collection_id AND w.product_id = cp.product_id)
    )
    INSERT INTO collection_product (shop_id, collection_id, product_id)
    SELECT shop_id, collection_id, product_id FROM wanted
    ON CONFLICT DO NOTHING
"""

refresh_rules_of_products = text(
    _REFRESH_RULES.format(
        matches=_MATCHES,
        wanted="p.id = ANY(CAST(:products AS uuid[]))",
        present="cp.product_id = ANY(CAST(:products AS uuid[]))",
    )
)
"""Decide again which rule collections `products` are in."""

refresh_rule_of_collection = text(
    _REFRESH_RULES.format(matches=_MATCHES, wanted="c.id = :collection", present="cp.collection_id = :collection")
)
"""Decide again which products are in the rule `collection`."""

refresh_rules = text(_REFRESH_RULES.format(matches=_MATCHES, wanted="TRUE", present="TRUE"))
"""Decide again which products are in every rule collection."""
