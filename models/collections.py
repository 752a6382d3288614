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


_REFRESH_RULES = """
    WITH rules AS MATERIALIZED (
        SELECT c.shop_id, c.id, h.id AS channel_id, c.rule->>'category' AS category, top.path,
            CASE WHEN c.rule->'tags' IS NOT NULL THEN ARRAY(SELECT jsonb_array_elements_text(c.rule->'tags')) END
                AS tags,
            c.rule->>'vendor' AS vendor,
            (c.rule->>'priceFromMinor')::bigint AS price_from_minor,
            (c.rule->>'priceToMinor')::bigint AS price_to_minor,
            (c.rule->>'ratingFrom')::numeric AS rating_from
        FROM collection c
            JOIN channel h ON h.shop_id = c.shop_id AND h.is_default
            LEFT JOIN category top ON top.shop_id = c.shop_id AND top.id = (c.rule->>'category')::uuid
        WHERE c.shop_id = app_shop() AND c.kind = 'RULE' AND {rules}
    ), wanted AS (
        SELECT r.shop_id, r.id AS collection_id, p.id AS product_id
        FROM rules r
            JOIN product p ON p.shop_id = r.shop_id
            LEFT JOIN category own ON own.shop_id = p.shop_id AND own.id = p.category_id
            LEFT JOIN product_listing l
                ON l.shop_id = p.shop_id AND l.product_id = p.id AND l.channel_id = r.channel_id
        WHERE p.shop_id = app_shop() AND p.deleted_at IS NULL AND {products}
            AND (r.category IS NULL OR own.path >= r.path AND own.path < r.path || 'g')
            AND (r.tags IS NULL OR p.tags @> r.tags)
            AND (r.vendor IS NULL OR p.vendor = r.vendor)
            AND (r.price_from_minor IS NULL OR l.price_to_minor >= r.price_from_minor)
            AND (r.price_to_minor IS NULL OR l.price_from_minor <= r.price_to_minor)
            AND (r.rating_from IS NULL OR p.rating_average >= r.rating_from)
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
# Rules are read once, not once a product: taking them apart for each makes the planner give up on everything else.

refresh_rules_of_products = text(
    _REFRESH_RULES.format(
        rules="TRUE",
        products="p.id = ANY(CAST(:products AS uuid[]))",
        present="cp.product_id = ANY(CAST(:products AS uuid[]))",
    )
)
"""Decide again which rule collections `products` are in."""

refresh_rule_of_collection = text(
    _REFRESH_RULES.format(rules="c.id = :collection", products="TRUE", present="cp.collection_id = :collection")
)
"""Decide again which products are in the rule `collection`."""

refresh_rules = text(_REFRESH_RULES.format(rules="TRUE", products="TRUE", present="TRUE"))
"""Decide again which products are in every rule collection."""
