"""Shops, the catalogue and its stock: tables, keys, checks and indexes."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shop",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="ACTIVE", nullable=False),
        sa.Column("default_currency", sa.Text(), nullable=False),
        sa.Column("default_locale", sa.Text(), server_default="en", nullable=False),
        sa.Column("cursor_key", postgresql.BYTEA(), nullable=False),
        sa.CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 120", name=op.f("ck_shop_slug")),
        sa.CheckConstraint("status IN ('ACTIVE', 'SUSPENDED', 'CLOSED')", name=op.f("ck_shop_status")),
        sa.CheckConstraint("length(cursor_key) = 32", name=op.f("ck_shop_cursor_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shop")),
    )
    op.create_index("uq_shop_slug", "shop", ["slug"], unique=True)
    op.create_table(
        "attribute",
        sa.Column("shop_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("is_filterable", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("is_variant_selection", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "kind IN ('DROPDOWN', 'MULTISELECT', 'NUMERIC', 'BOOLEAN', 'DATE', 'TEXT', 'SWATCH', 'REFERENCE')",
            name=op.f("ck_attribute_kind"),
        ),
        sa.CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 120", name=op.f("ck_attribute_slug")),
        sa.ForeignKeyConstraint(["shop_id"], ["shop.id"], name=op.f("fk_attribute_"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_attribute")),
    )
    op.create_index("uq_attribute_slug", "attribute", ["shop_id", "slug"], unique=True)
    op.create_table(
        "category",
        sa.Column("shop_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("path", sa.Text(collation="C"), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("seo_title", sa.Text(), nullable=True),
        sa.Column("seo_description", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 120", name=op.f("ck_category_slug")),
        sa.CheckConstraint("length(path) BETWEEN 33 AND 264", name=op.f("ck_category_path")),
        sa.ForeignKeyConstraint(
            ["shop_id", "parent_id"],
            ["category.shop_id", "category.id"],
            name=op.f("fk_category_parent_id"),
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(["shop_id"], ["shop.id"], name=op.f("fk_category_"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_category")),
    )
    op.create_index("ix_category_parent_id", "category", ["shop_id", "parent_id", "position", "id"], unique=False)
    op.create_index("ix_category_path", "category", ["shop_id", "path"], unique=False)
    op.create_index("uq_category_slug", "category", ["shop_id", "slug"], unique=True)
    op.create_table(
        "channel",
        sa.Column("shop_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("default_country", sa.Text(), nullable=True),
        sa.Column("prices_include_tax", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("currency ~ '^[A-Z]{3}$'", name=op.f("ck_channel_currency")),
        sa.CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 120", name=op.f("ck_channel_slug")),
        sa.ForeignKeyConstraint(["shop_id"], ["shop.id"], name=op.f("fk_channel_"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_channel")),
    )
    op.create_index(
        "uq_channel_is_default", "channel", ["shop_id"], unique=True, postgresql_where=sa.text("is_default")
    )
    op.create_index("uq_channel_slug", "channel", ["shop_id", "slug"], unique=True)
    op.create_table(
        "collection",
        sa.Column("shop_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), server_default="MANUAL", nullable=False),
        sa.Column("rule", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("is_published", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("seo_title", sa.Text(), nullable=True),
        sa.Column("seo_description", sa.Text(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(kind = 'RULE') = (rule IS NOT NULL)", name=op.f("ck_collection_rule")),
        sa.CheckConstraint("kind IN ('MANUAL', 'RULE')", name=op.f("ck_collection_kind")),
        sa.CheckConstraint(
            "slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 120", name=op.f("ck_collection_slug")
        ),
        sa.ForeignKeyConstraint(["shop_id"], ["shop.id"], name=op.f("fk_collection_"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_collection")),
    )
    op.create_index("uq_collection_slug", "collection", ["shop_id", "slug"], unique=True)
    op.create_table(
        "domain",
        sa.Column("shop_id", sa.Uuid(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["shop_id"], ["shop.id"], name=op.f("fk_domain_"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop_id", "host", name=op.f("pk_domain")),
    )
    op.create_index("uq_domain_host", "domain", ["host"], unique=True)
    op.create_table(
        "product_type",
        sa.Column("shop_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 120", name=op.f("ck_product_type_slug")
        ),
        sa.ForeignKeyConstraint(["shop_id"], ["shop.id"], name=op.f("fk_product_type_"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_product_type")),
    )
    op.create_index("uq_product_type_slug", "product_type", ["shop_id", "slug"], unique=True)
    op.create_table(
        "translation",
        sa.Column("shop_id", sa.Uuid(), nullable=False),
        sa.Column("entity_id", sa.Uuid(), nullable=False),
        sa.Column("locale", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("entity", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "entity IN ('product', 'variant', 'category', 'collection', 'attribute', 'attribute_value', 'product_type')",
            name=op.f("ck_translation_entity"),
        ),
        sa.CheckConstraint("locale ~ '^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$'", name=op.f("ck_translation_locale")),
        sa.ForeignKeyConstraint(["shop_id"], ["shop.id"], name=op.f("fk_translation_"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop_id", "entity_id", "locale", "field", name=op.f("pk_translation")),
    )
    op.create_table(
        "warehouse",
        sa.Column("shop_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 120", name=op.f("ck_warehouse_slug")),
        sa.ForeignKeyConstraint(["shop_id"], ["shop.id"], name=op.f("fk_warehouse_"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_warehouse")),
    )
    op.create_index("uq_warehouse_slug", "warehouse", ["shop_id", "slug"], unique=True)
    op.create_table(
        "attribute_value",
        sa.Column("shop_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("attribute_id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("color", sa.Text(), nullable=True),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 120", name=op.f("ck_attribute_value_slug")
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "attribute_id"],
            ["attribute.shop_id", "attribute.id"],
            name=op.f("fk_attribute_value_attribute_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["shop_id"], ["shop.id"], name=op.f("fk_attribute_value_"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_attribute_value")),
    )
    op.create_index("uq_attribute_value_slug", "attribute_value", ["shop_id", "attribute_id", "slug"], unique=True)
    op.create_table(
        "channel_warehouse",
        sa.Column("shop_id", sa.Uuid(), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("warehouse_id", sa.Uuid(), nullable=False),
        sa.Column("priority", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", "channel_id"],
            ["channel.shop_id", "channel.id"],
            name=op.f("fk_channel_warehouse_channel_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "warehouse_id"],
            ["warehouse.shop_id", "warehouse.id"],
            name=op.f("fk_channel_warehouse_warehouse_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["shop_id"], ["shop.id"], name=op.f("fk_channel_warehouse_"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop_id", "channel_id", "warehouse_id", name=op.f("pk_channel_warehouse")),
    )
    op.create_index("ix_channel_warehouse_warehouse_id", "channel_warehouse", ["shop_id", "warehouse_id"], unique=False)
    op.create_table(
        "product",
        sa.Column("shop_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("product_type_id", sa.Uuid(), nullable=True),
        sa.Column("category_id", sa.Uuid(), nullable=True),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "name_key", sa.Text(collation="C"), sa.Computed("lower(left(name, 200))", persisted=True), nullable=False
        ),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("vendor", sa.Text(), nullable=True),
        sa.Column("tags", postgresql.ARRAY(sa.Text()), server_default="{}", nullable=False),
        sa.Column("status", sa.Text(), server_default="DRAFT", nullable=False),
        sa.Column("rating_average", sa.Numeric(precision=3, scale=2), nullable=True),
        sa.Column("rating_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("seo_title", sa.Text(), nullable=True),
        sa.Column("seo_description", sa.Text(), nullable=True),
        sa.Column("external_ref", sa.Text(), nullable=True),
        sa.Column("search_config", postgresql.REGCONFIG(), server_default="simple", nullable=False),
        sa.Column(
            "search_vector",
            postgresql.TSVECTOR(),
            sa.Computed(
                "setweight(to_tsvector(search_config, name), 'A') || setweight(to_tsvector(search_config, coalesce(vendor, '') || ' ' || immutable_join(tags)), 'B') || setweight(to_tsvector(search_config, left(description, 20000)), 'C')",
                persisted=True,
            ),
            nullable=False,
        ),
        sa.Column("metadata", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$' AND length(slug) <= 120", name=op.f("ck_product_slug")),
        sa.CheckConstraint("status IN ('DRAFT', 'ACTIVE', 'ARCHIVED')", name=op.f("ck_product_status")),
        sa.ForeignKeyConstraint(
            ["shop_id", "category_id"],
            ["category.shop_id", "category.id"],
            name=op.f("fk_product_category_id"),
            ondelete="SET NULL (category_id)",
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "product_type_id"],
            ["product_type.shop_id", "product_type.id"],
            name=op.f("fk_product_product_type_id"),
            ondelete="SET NULL (product_type_id)",
        ),
        sa.ForeignKeyConstraint(["shop_id"], ["shop.id"], name=op.f("fk_product_"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_product")),
    )
    op.create_index("ix_product_category_id", "product", ["shop_id", "category_id"], unique=False)
    op.create_index(
        "ix_product_name",
        "product",
        ["shop_id", "name"],
        unique=False,
        postgresql_using="gin",
        postgresql_ops={"name": "gin_trgm_ops"},
    )
    op.create_index("ix_product_product_type_id", "product", ["shop_id", "product_type_id"], unique=False)
    op.create_index(
        "ix_product_search_vector", "product", ["shop_id", "search_vector"], unique=False, postgresql_using="gin"
    )
    op.create_index(
        "uq_product_external_ref",
        "product",
        ["shop_id", "external_ref"],
        unique=True,
        postgresql_where="external_ref IS NOT NULL AND deleted_at IS NULL",
    )
    op.create_index(
        "uq_product_slug", "product", ["shop_id", "slug"], unique=True, postgresql_where="deleted_at IS NULL"
    )
    op.create_table(
        "product_type_attribute",
        sa.Column("shop_id", sa.Uuid(), nullable=False),
        sa.Column("product_type_id", sa.Uuid(), nullable=False),
        sa.Column("attribute_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", "attribute_id"],
            ["attribute.shop_id", "attribute.id"],
            name=op.f("fk_product_type_attribute_attribute_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "product_type_id"],
            ["product_type.shop_id", "product_type.id"],
            name=op.f("fk_product_type_attribute_product_type_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["shop_id"], ["shop.id"], name=op.f("fk_product_type_attribute_"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop_id", "product_type_id", "attribute_id", name=op.f("pk_product_type_attribute")),
    )
    op.create_table(
        "collection_product",
        sa.Column("shop_id", sa.Uuid(), nullable=False),
        sa.Column("collection_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", "collection_id"],
            ["collection.shop_id", "collection.id"],
            name=op.f("fk_collection_product_collection_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "product_id"],
            ["product.shop_id", "product.id"],
            name=op.f("fk_collection_product_product_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["shop_id"], ["shop.id"], name=op.f("fk_collection_product_"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop_id", "collection_id", "product_id", name=op.f("pk_collection_product")),
    )
    op.create_index(
        "ix_collection_product_position",
        "collection_product",
        ["shop_id", "collection_id", "position", "product_id"],
        unique=False,
    )
    op.create_index("ix_collection_product_product_id", "collection_product", ["shop_id", "product_id"], unique=False)
    op.create_table(
        "product_listing",
        sa.Column("shop_id", sa.Uuid(), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("category_id", sa.Uuid(), nullable=True),
        sa.Column("is_visible", sa.Boolean(), nullable=False),
        sa.Column("available_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("price_from_minor", sa.BigInteger(), nullable=True),
        sa.Column("price_to_minor", sa.BigInteger(), nullable=True),
        sa.Column("listed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("name_key", sa.Text(collation="C"), nullable=False),
        sa.Column(
            "price_key",
            sa.BigInteger(),
            sa.Computed("coalesce(price_from_minor, 9223372036854775807)", persisted=True),
            nullable=False,
        ),
        sa.Column("rating_key", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", "category_id"],
            ["category.shop_id", "category.id"],
            name=op.f("fk_product_listing_category_id"),
            ondelete="SET NULL (category_id)",
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "channel_id"],
            ["channel.shop_id", "channel.id"],
            name=op.f("fk_product_listing_channel_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "product_id"],
            ["product.shop_id", "product.id"],
            name=op.f("fk_product_listing_product_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["shop_id"], ["shop.id"], name=op.f("fk_product_listing_"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop_id", "channel_id", "product_id", name=op.f("pk_product_listing")),
    )
    op.create_index(
        "ix_product_listing_category_newest",
        "product_listing",
        ["shop_id", "channel_id", "category_id", "listed_at", "product_id"],
        unique=False,
    )
    op.create_index(
        "ix_product_listing_category_price",
        "product_listing",
        ["shop_id", "channel_id", "category_id", "price_key", "product_id"],
        unique=False,
    )
    op.create_index(
        "ix_product_listing_name", "product_listing", ["shop_id", "channel_id", "name_key", "product_id"], unique=False
    )
    op.create_index(
        "ix_product_listing_newest",
        "product_listing",
        ["shop_id", "channel_id", "listed_at", "product_id"],
        unique=False,
    )
    op.create_index(
        "ix_product_listing_price",
        "product_listing",
        ["shop_id", "channel_id", "price_key", "product_id"],
        unique=False,
    )
    op.create_index("ix_product_listing_product_id", "product_listing", ["shop_id", "product_id"], unique=False)
    op.create_index(
        "ix_product_listing_rating",
        "product_listing",
        ["shop_id", "channel_id", "rating_key", "product_id"],
        unique=False,
    )
    op.create_table(
        "product_relation",
        sa.Column("shop_id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("related_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.CheckConstraint("kind IN ('RELATED', 'UPSELL', 'ACCESSORY')", name=op.f("ck_product_relation_kind")),
        sa.CheckConstraint("product_id <> related_id", name=op.f("ck_product_relation_related_id")),
        sa.ForeignKeyConstraint(
            ["shop_id", "product_id"],
            ["product.shop_id", "product.id"],
            name=op.f("fk_product_relation_product_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "related_id"],
            ["product.shop_id", "product.id"],
            name=op.f("fk_product_relation_related_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["shop_id"], ["shop.id"], name=op.f("fk_product_relation_"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop_id", "product_id", "kind", "related_id", name=op.f("pk_product_relation")),
    )
    op.create_index(
        "ix_product_relation_position",
        "product_relation",
        ["shop_id", "product_id", "kind", "position", "related_id"],
        unique=False,
    )
    op.create_index("ix_product_relation_related_id", "product_relation", ["shop_id", "related_id"], unique=False)
    op.create_table(
        "review",
        sa.Column("shop_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("author_name", sa.Text(), nullable=False),
        sa.Column("author_subject", sa.Text(), nullable=True),
        sa.Column("rating", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("body", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), server_default="PENDING", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status IN ('PENDING', 'APPROVED', 'REJECTED')", name=op.f("ck_review_status")),
        sa.CheckConstraint("rating BETWEEN 1 AND 5", name=op.f("ck_review_rating")),
        sa.ForeignKeyConstraint(
            ["shop_id", "product_id"],
            ["product.shop_id", "product.id"],
            name=op.f("fk_review_product_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["shop_id"], ["shop.id"], name=op.f("fk_review_"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_review")),
    )
    op.create_index(
        "ix_review_product_id",
        "review",
        ["shop_id", "product_id", "created_at", "id"],
        unique=False,
        postgresql_where=sa.text("status = 'APPROVED'"),
    )
    op.create_index("ix_review_status", "review", ["shop_id", "status", "created_at", "id"], unique=False)
    op.create_index(
        "uq_review_author_subject",
        "review",
        ["shop_id", "product_id", "author_subject"],
        unique=True,
        postgresql_where=sa.text("author_subject IS NOT NULL"),
    )
    op.create_table(
        "variant",
        sa.Column("shop_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("barcode", sa.Text(), nullable=True),
        sa.Column("weight_g", sa.Integer(), nullable=True),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("track_inventory", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("backorder_limit", sa.Integer(), server_default="0", nullable=False),
        sa.Column("external_ref", sa.Text(), nullable=True),
        sa.Column("metadata", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("backorder_limit >= 0", name=op.f("ck_variant_backorder_limit")),
        sa.CheckConstraint("weight_g >= 0", name=op.f("ck_variant_weight_g")),
        sa.ForeignKeyConstraint(
            ["shop_id", "product_id"],
            ["product.shop_id", "product.id"],
            name=op.f("fk_variant_product_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["shop_id"], ["shop.id"], name=op.f("fk_variant_"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_variant")),
    )
    op.create_index("ix_variant_product_id", "variant", ["shop_id", "product_id", "position", "id"], unique=False)
    op.create_index(
        "uq_variant_external_ref",
        "variant",
        ["shop_id", "external_ref"],
        unique=True,
        postgresql_where="external_ref IS NOT NULL AND deleted_at IS NULL",
    )
    op.create_index(
        "uq_variant_sku",
        "variant",
        ["shop_id", "sku"],
        unique=True,
        postgresql_where="sku IS NOT NULL AND deleted_at IS NULL",
    )
    op.create_table(
        "attribute_assignment",
        sa.Column("shop_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("variant_id", sa.Uuid(), nullable=True),
        sa.Column("attribute_id", sa.Uuid(), nullable=False),
        sa.Column("value_id", sa.Uuid(), nullable=True),
        sa.Column("text_value", sa.Text(), nullable=True),
        sa.Column("number_value", sa.Numeric(), nullable=True),
        sa.Column("boolean_value", sa.Boolean(), nullable=True),
        sa.Column("date_value", sa.Date(), nullable=True),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["shop_id", "attribute_id"],
            ["attribute.shop_id", "attribute.id"],
            name=op.f("fk_attribute_assignment_attribute_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "product_id"],
            ["product.shop_id", "product.id"],
            name=op.f("fk_attribute_assignment_product_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "value_id"],
            ["attribute_value.shop_id", "attribute_value.id"],
            name=op.f("fk_attribute_assignment_value_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "variant_id"],
            ["variant.shop_id", "variant.id"],
            name=op.f("fk_attribute_assignment_variant_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["shop_id"], ["shop.id"], name=op.f("fk_attribute_assignment_"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_attribute_assignment")),
    )
    op.create_index(
        "ix_attribute_assignment_product_id",
        "attribute_assignment",
        ["shop_id", "product_id", "position"],
        unique=False,
    )
    op.create_index(
        "ix_attribute_assignment_value_id",
        "attribute_assignment",
        ["shop_id", "attribute_id", "value_id", "product_id"],
        unique=False,
    )
    op.create_index(
        "ix_attribute_assignment_variant_id",
        "attribute_assignment",
        ["shop_id", "variant_id"],
        unique=False,
        postgresql_where=sa.text("variant_id IS NOT NULL"),
    )
    op.create_table(
        "listing",
        sa.Column("shop_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel_id", sa.Uuid(), nullable=False),
        sa.Column("variant_id", sa.Uuid(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("compare_at_minor", sa.BigInteger(), nullable=True),
        sa.Column("cost_minor", sa.BigInteger(), nullable=True),
        sa.Column("is_published", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("available_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("compare_at_minor >= 0", name=op.f("ck_listing_compare_at_minor")),
        sa.CheckConstraint("cost_minor >= 0", name=op.f("ck_listing_cost_minor")),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_listing_price_minor")),
        sa.ForeignKeyConstraint(
            ["shop_id", "channel_id"],
            ["channel.shop_id", "channel.id"],
            name=op.f("fk_listing_channel_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "variant_id"],
            ["variant.shop_id", "variant.id"],
            name=op.f("fk_listing_variant_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["shop_id"], ["shop.id"], name=op.f("fk_listing_"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_listing")),
    )
    op.create_index("ix_listing_channel_id", "listing", ["shop_id", "channel_id"], unique=False)
    op.create_index("uq_listing_variant_id", "listing", ["shop_id", "variant_id", "channel_id"], unique=True)
    op.create_table(
        "media",
        sa.Column("shop_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("product_id", sa.Uuid(), nullable=False),
        sa.Column("variant_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), server_default="IMAGE", nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("alt", sa.Text(), server_default="", nullable=False),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('IMAGE', 'VIDEO')", name=op.f("ck_media_kind")),
        sa.ForeignKeyConstraint(
            ["shop_id", "product_id"],
            ["product.shop_id", "product.id"],
            name=op.f("fk_media_product_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "variant_id"],
            ["variant.shop_id", "variant.id"],
            name=op.f("fk_media_variant_id"),
            ondelete="SET NULL (variant_id)",
        ),
        sa.ForeignKeyConstraint(["shop_id"], ["shop.id"], name=op.f("fk_media_"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop_id", "id", name=op.f("pk_media")),
    )
    op.create_index("ix_media_product_id", "media", ["shop_id", "product_id", "position", "id"], unique=False)
    op.create_index(
        "ix_media_variant_id",
        "media",
        ["shop_id", "variant_id"],
        unique=False,
        postgresql_where=sa.text("variant_id IS NOT NULL"),
    )
    op.create_table(
        "stock_level",
        sa.Column("shop_id", sa.Uuid(), nullable=False),
        sa.Column("variant_id", sa.Uuid(), nullable=False),
        sa.Column("warehouse_id", sa.Uuid(), nullable=False),
        sa.Column("on_hand", sa.Integer(), server_default="0", nullable=False),
        sa.Column("allocated", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reserved", sa.Integer(), server_default="0", nullable=False),
        sa.Column("safety", sa.Integer(), server_default="0", nullable=False),
        sa.Column("backorder_limit", sa.Integer(), server_default="0", nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "allocated + reserved <= on_hand + backorder_limit", name=op.f("ck_stock_level_not_oversold")
        ),
        sa.CheckConstraint("backorder_limit >= 0", name=op.f("ck_stock_level_backorder_limit")),
        sa.CheckConstraint(
            "on_hand >= 0 AND allocated >= 0 AND reserved >= 0 AND safety >= 0",
            name=op.f("ck_stock_level_not_negative"),
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "variant_id"],
            ["variant.shop_id", "variant.id"],
            name=op.f("fk_stock_level_variant_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["shop_id", "warehouse_id"],
            ["warehouse.shop_id", "warehouse.id"],
            name=op.f("fk_stock_level_warehouse_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["shop_id"], ["shop.id"], name=op.f("fk_stock_level_"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("shop_id", "variant_id", "warehouse_id", name=op.f("pk_stock_level")),
    )
    op.create_index("ix_stock_level_warehouse_id", "stock_level", ["shop_id", "warehouse_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_stock_level_warehouse_id", table_name="stock_level")
    op.drop_table("stock_level")
    op.drop_index("ix_media_variant_id", table_name="media", postgresql_where=sa.text("variant_id IS NOT NULL"))
    op.drop_index("ix_media_product_id", table_name="media")
    op.drop_table("media")
    op.drop_index("uq_listing_variant_id", table_name="listing")
    op.drop_index("ix_listing_channel_id", table_name="listing")
    op.drop_table("listing")
    op.drop_index(
        "ix_attribute_assignment_variant_id",
        table_name="attribute_assignment",
        postgresql_where=sa.text("variant_id IS NOT NULL"),
    )
    op.drop_index("ix_attribute_assignment_value_id", table_name="attribute_assignment")
    op.drop_index("ix_attribute_assignment_product_id", table_name="attribute_assignment")
    op.drop_table("attribute_assignment")
    op.drop_index("uq_variant_sku", table_name="variant", postgresql_where="sku IS NOT NULL AND deleted_at IS NULL")
    op.drop_index(
        "uq_variant_external_ref",
        table_name="variant",
        postgresql_where="external_ref IS NOT NULL AND deleted_at IS NULL",
    )
    op.drop_index("ix_variant_product_id", table_name="variant")
    op.drop_table("variant")
    op.drop_index(
        "uq_review_author_subject", table_name="review", postgresql_where=sa.text("author_subject IS NOT NULL")
    )
    op.drop_index("ix_review_status", table_name="review")
    op.drop_index("ix_review_product_id", table_name="review", postgresql_where=sa.text("status = 'APPROVED'"))
    op.drop_table("review")
    op.drop_index("ix_product_relation_related_id", table_name="product_relation")
    op.drop_index("ix_product_relation_position", table_name="product_relation")
    op.drop_table("product_relation")
    op.drop_index("ix_product_listing_rating", table_name="product_listing")
    op.drop_index("ix_product_listing_product_id", table_name="product_listing")
    op.drop_index("ix_product_listing_price", table_name="product_listing")
    op.drop_index("ix_product_listing_newest", table_name="product_listing")
    op.drop_index("ix_product_listing_name", table_name="product_listing")
    op.drop_index("ix_product_listing_category_price", table_name="product_listing")
    op.drop_index("ix_product_listing_category_newest", table_name="product_listing")
    op.drop_table("product_listing")
    op.drop_index("ix_collection_product_product_id", table_name="collection_product")
    op.drop_index("ix_collection_product_position", table_name="collection_product")
    op.drop_table("collection_product")
    op.drop_table("product_type_attribute")
    op.drop_index("uq_product_slug", table_name="product", postgresql_where="deleted_at IS NULL")
    op.drop_index(
        "uq_product_external_ref",
        table_name="product",
        postgresql_where="external_ref IS NOT NULL AND deleted_at IS NULL",
    )
    op.drop_index("ix_product_search_vector", table_name="product", postgresql_using="gin")
    op.drop_index("ix_product_product_type_id", table_name="product")
    op.drop_index(
        "ix_product_name", table_name="product", postgresql_using="gin", postgresql_ops={"name": "gin_trgm_ops"}
    )
    op.drop_index("ix_product_category_id", table_name="product")
    op.drop_table("product")
    op.drop_index("ix_channel_warehouse_warehouse_id", table_name="channel_warehouse")
    op.drop_table("channel_warehouse")
    op.drop_index("uq_attribute_value_slug", table_name="attribute_value")
    op.drop_table("attribute_value")
    op.drop_index("uq_warehouse_slug", table_name="warehouse")
    op.drop_table("warehouse")
    op.drop_table("translation")
    op.drop_index("uq_product_type_slug", table_name="product_type")
    op.drop_table("product_type")
    op.drop_index("uq_domain_host", table_name="domain")
    op.drop_table("domain")
    op.drop_index("uq_collection_slug", table_name="collection")
    op.drop_table("collection")
    op.drop_index("uq_channel_slug", table_name="channel")
    op.drop_index("uq_channel_is_default", table_name="channel", postgresql_where=sa.text("is_default"))
    op.drop_table("channel")
    op.drop_index("uq_category_slug", table_name="category")
    op.drop_index("ix_category_path", table_name="category")
    op.drop_index("ix_category_parent_id", table_name="category")
    op.drop_table("category")
    op.drop_index("uq_attribute_slug", table_name="attribute")
    op.drop_table("attribute")
    op.drop_index("uq_shop_slug", table_name="shop")
    op.drop_table("shop")
