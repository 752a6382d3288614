"""Prices and visibility by channel, and the summary that listings of products are read from."""

import uuid
from datetime import datetime

from sqlalchemy import BigInteger, Boolean, CheckConstraint, Computed, DateTime, Index, Integer, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Aggregate, Tenant, references


class Listing(Aggregate):
    """A variant's price in a channel; a variant without one is not sold there."""

    __tablename__ = "listing"
    __table_args__ = (
        references("channel", "channel_id"),
        references("variant", "variant_id"),
        Index("uq_listing_variant_id", "shop_id", "variant_id", "channel_id", unique=True),
        Index("ix_listing_channel_id", "shop_id", "channel_id"),
        Index(
            "ix_listing_available_from",
            "shop_id",
            "available_from",
            postgresql_where=text("available_from IS NOT NULL"),
        ),
        CheckConstraint("price_minor >= 0", name="price_minor"),
        CheckConstraint("compare_at_minor >= 0", name="compare_at_minor"),
        CheckConstraint("cost_minor >= 0", name="cost_minor"),
    )

    channel_id: Mapped[uuid.UUID]
    variant_id: Mapped[uuid.UUID]
    price_minor: Mapped[int] = mapped_column(BigInteger)
    compare_at_minor: Mapped[int | None] = mapped_column(BigInteger)
    cost_minor: Mapped[int | None] = mapped_column(BigInteger)
    is_published: Mapped[bool] = mapped_column(Boolean, server_default=text("true"))
    available_from: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class ProductListing(Tenant):
    """A product as a channel lists it: a row for every product and channel, derived by `refresh_product_listings`.

    It carries the sort keys beside the filters, so that a page is a range of one index however many there are.
    """

    __tablename__ = "product_listing"
    __table_args__ = (
        references("channel", "channel_id"),
        references("product", "product_id"),
        references("category", "category_id", on_delete="SET NULL"),
        Index("ix_product_listing_newest", "shop_id", "channel_id", "listed_at", "product_id"),
        Index("ix_product_listing_price", "shop_id", "channel_id", "price_key", "product_id"),
        Index("ix_product_listing_name", "shop_id", "channel_id", "name_key", "product_id"),
        Index("ix_product_listing_rating", "shop_id", "channel_id", "rating_key", "product_id"),
        Index("ix_product_listing_category_newest", "shop_id", "channel_id", "category_id", "listed_at", "product_id"),
        Index("ix_product_listing_category_price", "shop_id", "channel_id", "category_id", "price_key", "product_id"),
        Index("ix_product_listing_product_id", "shop_id", "product_id"),
    )

    channel_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    product_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    category_id: Mapped[uuid.UUID | None]
    is_visible: Mapped[bool] = mapped_column(Boolean)
    available_from: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    price_from_minor: Mapped[int | None] = mapped_column(BigInteger)
    price_to_minor: Mapped[int | None] = mapped_column(BigInteger)
    listed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    name_key: Mapped[str] = mapped_column(Text(collation="C"))
    price_key: Mapped[int] = mapped_column(
        BigInteger, Computed("coalesce(price_from_minor, 9223372036854775807)", persisted=True)
    )
    rating_key: Mapped[int] = mapped_column(Integer)


_REFRESH = """
    INSERT INTO product_listing (shop_id, channel_id, product_id, category_id, is_visible, available_from,
                                 price_from_minor, price_to_minor, listed_at, name_key, rating_key)
    SELECT p.shop_id, c.id, p.id, p.category_id,
           p.status = 'ACTIVE' AND count(l.id) > 0,
           CASE WHEN bool_and(l.available_from IS NOT NULL) FILTER (WHERE l.id IS NOT NULL)
                THEN min(l.available_from) END,
           min(l.price_minor), max(l.price_minor),
           p.created_at, p.name_key, coalesce(round(p.rating_average * 100), 0)
    FROM product p
        JOIN channel c ON c.shop_id = p.shop_id
        LEFT JOIN variant v ON v.shop_id = p.shop_id AND v.product_id = p.id AND v.deleted_at IS NULL
        LEFT JOIN listing l ON l.shop_id = v.shop_id AND l.variant_id = v.id AND l.channel_id = c.id AND l.is_published
    WHERE p.shop_id = app_shop() AND p.deleted_at IS NULL AND {which}
    GROUP BY p.shop_id, p.id, c.id
    ON CONFLICT (shop_id, channel_id, product_id) DO UPDATE SET
        category_id = excluded.category_id, is_visible = excluded.is_visible, available_from = excluded.available_from,
        price_from_minor = excluded.price_from_minor, price_to_minor = excluded.price_to_minor,
        listed_at = excluded.listed_at, name_key = excluded.name_key, rating_key = excluded.rating_key
"""

lock_products = text(
    """
    WITH locked AS (
        SELECT FROM product WHERE shop_id = app_shop() AND id = ANY(CAST(:products AS uuid[]))
        ORDER BY id FOR NO KEY UPDATE
    )
    SELECT count(*), pg_advisory_xact_lock_shared(hashtextextended('rules ' || app_shop()::text, 0)) FROM locked
    """
)
"""Wait for other blocks that touch `products`, or rules of collections.

What is derived in the next statement then sees what they did; two blocks that derive from each other's past would leave
a listing that neither meant.
"""

refresh_product_listings = text(_REFRESH.format(which="p.id = ANY(CAST(:products AS uuid[]))"))
"""Derive the listings of `products` again."""

refresh_channel_listings = text(_REFRESH.format(which="c.id = :channel"))
"""Derive all listings of a `channel` again."""

delist_deleted = text(
    """
    DELETE FROM product_listing l USING product p
    WHERE l.shop_id = app_shop() AND l.product_id = ANY(CAST(:products AS uuid[]))
        AND p.shop_id = l.shop_id AND p.id = l.product_id AND p.deleted_at IS NOT NULL
    """
)
"""Take deleted ones of `products` out of every listing."""
