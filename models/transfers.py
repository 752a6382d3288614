"""Statements that move many products at once, for imports and exports.

Rows travel as one JSON document a statement: they are as many as a batch has, and the application's role may not make
temporary tables.
"""

from collections.abc import Sequence

from sqlalchemy import TextClause, text

CSV_METADATA = "csv"
"""Key of the metadata in which imports keep cells that no column has a place for."""

_PRODUCTS = f"""
    SELECT p.id, p.slug, p.name, p.description, p.vendor, p.tags, p.status, p.seo_title, p.seo_description,
           CAST(p.metadata -> '{CSV_METADATA}' AS text) AS extras, t.name AS type_name,
           ARRAY(SELECT k.name FROM category k
                 WHERE k.shop_id = p.shop_id
                     AND k.id = ANY (CAST(string_to_array(rtrim(c.path, '/'), '/') AS uuid[]))
                 ORDER BY length(k.path)) AS category
    FROM product p
        LEFT JOIN product_type t ON t.shop_id = p.shop_id AND t.id = p.product_type_id
        LEFT JOIN category c ON c.shop_id = p.shop_id AND c.id = p.category_id
    WHERE p.shop_id = app_shop() AND p.deleted_at IS NULL
"""  # noqa: S608 - the name is ours.

products_to_change = text(f"{_PRODUCTS} AND p.slug = ANY (CAST(:slugs AS text[])) ORDER BY p.id FOR UPDATE OF p")
"""Products with these slugs, locked until the end of the block."""

products_after = text(f"{_PRODUCTS} AND p.slug > :after ORDER BY p.slug LIMIT :count")
"""The next products by slug."""

stock_to_change = text(
    """
    SELECT s.variant_id FROM stock_level s JOIN variant v ON v.shop_id = s.shop_id AND v.id = s.variant_id
    WHERE s.shop_id = app_shop() AND v.product_id = ANY (CAST(:products AS uuid[]))
        AND s.warehouse_id = :warehouse
    ORDER BY s.variant_id FOR UPDATE OF s
    """
)
"""Locks the stock of these products in a warehouse; what is read afterwards does not change until the block ends."""

variants_of = text(
    f"""
    SELECT v.id, v.product_id, v.sku, v.name, v.barcode, v.weight_g, v.position, v.track_inventory, v.backorder_limit,
           CAST(v.metadata -> '{CSV_METADATA}' AS text) AS extras,
           l.id AS listing_id, l.price_minor, l.compare_at_minor, l.cost_minor, l.is_published,
           s.on_hand, s.allocated + s.reserved AS promised, s.backorder_limit AS stock_backorder_limit
    FROM variant v
        LEFT JOIN listing l
            ON l.shop_id = v.shop_id AND l.variant_id = v.id AND l.channel_id = :channel
        LEFT JOIN stock_level s
            ON s.shop_id = v.shop_id AND s.variant_id = v.id AND s.warehouse_id = :warehouse
    WHERE v.shop_id = app_shop() AND v.product_id = ANY (CAST(:products AS uuid[])) AND v.deleted_at IS NULL
    ORDER BY v.product_id, v.position, v.id
    """  # noqa: S608 - the name is ours.
)
"""Variants of products, with their price in a channel and their stock in a warehouse."""

options_of = text(
    """
    SELECT x.variant_id, a.name, w.name AS value
    FROM attribute_assignment x
        JOIN attribute a ON a.shop_id = x.shop_id AND a.id = x.attribute_id AND a.is_variant_selection
        JOIN attribute_value w ON w.shop_id = x.shop_id AND w.id = x.value_id
    WHERE x.shop_id = app_shop() AND x.product_id = ANY (CAST(:products AS uuid[])) AND x.variant_id IS NOT NULL
    ORDER BY x.variant_id, x.position, x.id
    """
)
"""What the variants of products are chosen by."""

images_of = text(
    """
    SELECT m.id, m.product_id, m.variant_id, m.url, m.alt, m.position FROM media m
    WHERE m.shop_id = app_shop() AND m.product_id = ANY (CAST(:products AS uuid[])) AND m.kind = 'IMAGE'
    ORDER BY m.product_id, m.position, m.url, m.id
    """
)

variants_by_sku = text(
    """
    SELECT v.id, v.sku, p.slug FROM variant v JOIN product p ON p.shop_id = v.shop_id AND p.id = v.product_id
    WHERE v.shop_id = app_shop() AND v.sku = ANY (CAST(:skus AS text[])) AND v.deleted_at IS NULL
    """
)

most_options = text(
    """
    SELECT coalesce(max(options), 0) AS most FROM (
        SELECT count(*) AS options FROM attribute_assignment x
            JOIN attribute a ON a.shop_id = x.shop_id AND a.id = x.attribute_id AND a.is_variant_selection
        WHERE x.shop_id = app_shop() AND x.variant_id IS NOT NULL AND x.value_id IS NOT NULL
        GROUP BY x.variant_id
    ) AS counted
    """
)
"""How many options the variant has that has most."""

extra_names = text(
    f"""
    SELECT DISTINCT jsonb_object_keys(metadata -> '{CSV_METADATA}') AS name FROM (
        SELECT p.metadata FROM product p WHERE p.shop_id = app_shop() AND p.deleted_at IS NULL
        UNION ALL
        SELECT v.metadata FROM variant v WHERE v.shop_id = app_shop() AND v.deleted_at IS NULL
    ) AS kept
    WHERE jsonb_typeof(metadata -> '{CSV_METADATA}') = 'object'
    """  # noqa: S608 - the name is ours.
)
"""Names of the cells that imports kept."""

default_channel = text(
    """
    SELECT c.id, c.currency, s.default_locale FROM channel c JOIN shop s ON s.id = c.shop_id
    WHERE c.shop_id = app_shop() AND c.is_default
    """
)

first_warehouse = text(
    """
    SELECT w.id, l.channel_id IS NOT NULL AS is_linked
    FROM warehouse w
        LEFT JOIN channel_warehouse l
            ON l.shop_id = w.shop_id AND l.warehouse_id = w.id AND l.channel_id = :channel
    WHERE w.shop_id = app_shop() AND w.is_active
    ORDER BY l.priority NULLS LAST, w.created_at, w.id LIMIT 1
    """
)
"""The warehouse that a channel sells from first, or else the shop's oldest."""

make_warehouse = text(
    """
    INSERT INTO warehouse (shop_id, id, slug, name)
    SELECT app_shop(), CAST(:id AS uuid),
           CASE WHEN EXISTS (SELECT FROM warehouse WHERE shop_id = app_shop() AND slug = 'main')
                THEN 'main-' || right(CAST(CAST(:id AS uuid) AS text), 12) ELSE 'main' END,
           'Main'
    """
)
link_warehouse = text(
    """
    INSERT INTO channel_warehouse (shop_id, channel_id, warehouse_id)
    VALUES (app_shop(), :channel, :warehouse) ON CONFLICT DO NOTHING
    """
)

begin_batch = text("SELECT pg_advisory_xact_lock(hashtextextended('import ' || app_shop(), 0))")
"""Lets one import a shop store at a time."""

gather_statistics = (
    "ANALYZE product, variant, attribute_assignment, attribute_value, listing, stock_level, media, product_listing"
)
"""For the owner of the tables, once they have some rows.

Until then the planner takes every index that leads with the shop for as good as another, since row-level security
states the shop a second time: it may read a whole shop to look up one variant's price.
"""

plan_anew = text("SELECT set_config('plan_cache_mode', 'force_custom_plan', true)")
"""Before reading: a plan made for an empty table would scan it when it has grown."""

plan_once = text("SELECT set_config('plan_cache_mode', 'auto', true)")
"""Before storing: the checks of foreign keys run once a row, and planning them each time takes most of the time."""


def _known(table: str, more: str = "", condition: str = "") -> TextClause:
    return text(
        f"SELECT id, slug, name{more} FROM {table} WHERE shop_id = app_shop() {condition}"  # noqa: S608
        " AND (slug = ANY (CAST(:slugs AS text[])) OR name = ANY (CAST(:names AS text[])))"
    )


known_types = _known("product_type")
known_attributes = _known("attribute", ", is_variant_selection AND kind IN ('DROPDOWN', 'SWATCH') AS is_option")
known_values = _known("attribute_value", ", attribute_id", "AND attribute_id = ANY (CAST(:attributes AS uuid[]))")
known_categories = _known("category", ", parent_id, path")


def _stored(table: str, columns: str, *, key: str = "id", changing: Sequence[str] = (), more: str = "") -> TextClause:
    """Return the statement that stores `rows`: new ones are inserted, the others changed in some columns.

    Args:
        table: Where to.
        columns: The members of a row, each with its type.
        key: What tells rows apart within the shop.
        changing: Columns that a later row may change; none, and what is there stays.
        more: Further assignments of a change.
    """
    names = ", ".join(column.split()[0] for column in columns.split(", "))
    assigned = ", ".join([*(f"{name} = excluded.{name}" for name in changing), "updated_at = now()"])
    action = f"DO UPDATE SET {assigned}{more}" if changing else "DO NOTHING"
    return text(
        f"INSERT INTO {table} (shop_id, {names}) SELECT app_shop(), {names} "  # noqa: S608 - all names are ours.
        f"FROM jsonb_to_recordset(CAST(CAST(:rows AS text) AS jsonb)) AS r({columns}) "
        f"ON CONFLICT (shop_id, {key}) {action}"
    )


def _next(table: str, *, keeps_extras: bool = False) -> str:
    merged = f", metadata = ({table}.metadata - '{CSV_METADATA}') || excluded.metadata" if keeps_extras else ""
    return f", version = {table}.version + 1{merged}"


store_types = _stored("product_type", "id uuid, slug text, name text")
store_attributes = _stored("attribute", "id uuid, slug text, name text, kind text, is_variant_selection boolean")
store_values = _stored("attribute_value", "id uuid, attribute_id uuid, slug text, name text")
store_type_attributes = _stored(
    "product_type_attribute",
    "product_type_id uuid, attribute_id uuid, position int",
    key="product_type_id, attribute_id",
)
store_categories = _stored("category", "id uuid, parent_id uuid, path text, slug text, name text")
store_products = _stored(
    "product",
    "id uuid, slug text, name text, description text, vendor text, tags text[], status text, seo_title text, "
    "seo_description text, product_type_id uuid, category_id uuid, metadata jsonb, search_config regconfig",
    changing=(
        *("name", "description", "vendor", "tags", "status", "seo_title", "seo_description"),
        *("product_type_id", "category_id", "search_config"),
    ),
    more=_next("product", keeps_extras=True),
)
store_variants = _stored(
    "variant",
    "id uuid, product_id uuid, sku text, name text, barcode text, weight_g int, position int, "
    "track_inventory boolean, backorder_limit int, metadata jsonb",
    changing=("sku", "name", "barcode", "weight_g", "track_inventory", "backorder_limit"),
    more=_next("variant", keeps_extras=True),
)
store_listings = _stored(
    "listing",
    "id uuid, channel_id uuid, variant_id uuid, price_minor bigint, compare_at_minor bigint, cost_minor bigint, "
    "is_published boolean",
    changing=("price_minor", "compare_at_minor", "cost_minor", "is_published"),
    more=_next("listing"),
)
store_stock = _stored(
    "stock_level",
    "variant_id uuid, warehouse_id uuid, on_hand int, backorder_limit int",
    key="variant_id, warehouse_id",
    changing=("on_hand", "backorder_limit"),
    more=_next("stock_level"),
)
store_images = _stored(
    "media",
    "id uuid, product_id uuid, variant_id uuid, url text, alt text, position int",
    changing=("variant_id", "alt", "position"),
)
store_options = _stored(
    "attribute_assignment", "id uuid, product_id uuid, variant_id uuid, attribute_id uuid, value_id uuid, position int"
)

forget_options = text(
    """
    DELETE FROM attribute_assignment x USING attribute a
    WHERE x.shop_id = app_shop() AND x.variant_id = ANY (CAST(:variants AS uuid[]))
        AND a.shop_id = x.shop_id AND a.id = x.attribute_id AND a.is_variant_selection
    """
)
"""Takes away what variants are chosen by, before they get it anew."""
