# ruff: noqa: S608 - all parts are of this file.
"""The statements of the limit: each operation as one that returns the JSON of its answer.

$1 is the shop and $2 its channel, here and in all parts.
"""

_SOLD = "l.is_published AND (l.available_from IS NULL OR l.available_from <= now())"
_VISIBLE = "is_visible AND (available_from IS NULL OR available_from <= now())"


def _id(type_name: str, column: str) -> str:
    """Return the global id of a row: base64url of the type's name, a colon and the 16 bytes of the uuid."""
    prefix = f"{type_name}:".encode().hex()
    return f"rtrim(translate(encode('\\x{prefix}'::bytea || uuid_send({column}), 'base64'), '+/', '-_'), '=')"


def _amount(minor: str, currency: str) -> str:
    """Return an amount in major units; the demo shops' currencies have two decimals but for these."""
    unit = f"CASE {currency} WHEN 'JPY' THEN 1 WHEN 'KWD' THEN 1000 ELSE 100 END"
    return f"round({minor}::numeric / {unit}, CASE {currency} WHEN 'JPY' THEN 0 WHEN 'KWD' THEN 3 ELSE 2 END)::text"


def _shown(column: str) -> str:
    """Return the condition that shoppers see a product."""
    return f"""EXISTS (
  SELECT FROM product_listing WHERE shop_id = $1 AND channel_id = $2 AND product_id = {column} AND {_VISIBLE})"""


def _variants(most: int) -> str:
    """Return the variants of the product `p`."""
    return f"""(
  SELECT coalesce(json_agg(json_build_object(
    'id', {_id("Variant", "v.id")}, 'sku', v.sku, 'name', v.name,
    'price', CASE WHEN l.id IS NOT NULL THEN
      json_build_object('amount', {_amount("l.price_minor", "ch.currency")}, 'currency', ch.currency) END,
    'availability', json_build_object(
      'isAvailable', l.id IS NOT NULL AND (NOT v.track_inventory OR stock.in_stock),
      'quantity', CASE WHEN v.track_inventory THEN coalesce(stock.quantity, 0) END)
  ) ORDER BY v.position, v.id), '[]') FROM (
    SELECT * FROM variant WHERE shop_id = $1 AND product_id = p.id AND deleted_at IS NULL
    ORDER BY position, id LIMIT {most}) v
  LEFT JOIN listing l ON l.shop_id = $1 AND l.variant_id = v.id AND l.channel_id = $2
    AND {_SOLD}
  LEFT JOIN channel ch ON ch.shop_id = $1 AND ch.id = l.channel_id
  CROSS JOIN LATERAL (
    SELECT least(greatest(sum(s.on_hand - s.allocated - s.reserved - s.safety), 0), 2147483647)::int AS quantity,
      coalesce(bool_or(s.on_hand - s.allocated - s.reserved - s.safety + s.backorder_limit > 0), false) AS in_stock
    FROM stock_level s JOIN channel_warehouse w
      ON w.shop_id = $1 AND w.channel_id = $2 AND w.warehouse_id = s.warehouse_id
    WHERE s.shop_id = $1 AND s.variant_id = v.id) stock)"""


def _listed(top: str, most: int) -> str:
    """Return the newest products in and below the category `c` that meets a condition."""
    return f"""(
  SELECT branch.* FROM (
    SELECT id FROM category
    WHERE shop_id = $1 AND path >= (SELECT path FROM category c WHERE c.shop_id = $1 AND {top})
      AND path < (SELECT path FROM category c WHERE c.shop_id = $1 AND {top}) || 'g') subtree
  CROSS JOIN LATERAL (
    SELECT product_id, listed_at FROM product_listing
    WHERE shop_id = $1 AND channel_id = $2 AND category_id = subtree.id
      AND {_VISIBLE}
    ORDER BY listed_at DESC, product_id DESC LIMIT {most}) branch
  ORDER BY branch.listed_at DESC, branch.product_id DESC LIMIT {most}) listed"""


STATEMENTS = {
    "listing": f"""
SELECT json_build_object('data', json_build_object('products', json_build_object(
  'nodes', coalesce(json_agg(json_build_object(
    'id', {_id("Product", "p.id")}, 'name', p.name, 'slug', p.slug,
    'ratingAverage', p.rating_average, 'ratingCount', p.rating_count,
    'category', (
      SELECT json_build_object('id', {_id("Category", "c.id")}, 'name', c.name, 'slug', c.slug)
      FROM category c WHERE c.shop_id = $1 AND c.id = p.category_id),
    'media', (
      SELECT coalesce(json_agg(json_build_object('url', m.url, 'alt', m.alt) ORDER BY m.position, m.id), '[]') FROM (
        SELECT * FROM media WHERE shop_id = $1 AND product_id = p.id ORDER BY position, id LIMIT 1) m),
    'variants', {_variants(3)}
  ) ORDER BY p.listed_at DESC, p.id DESC) FILTER (WHERE p.place <= 24), '[]'),
  'pageInfo', json_build_object('hasNextPage', count(*) > 24))))::text
FROM (
  SELECT product.*, listed.listed_at, row_number() OVER (ORDER BY listed.listed_at DESC, product.id DESC) AS place
  FROM {_listed("c.id = $3", 25)} JOIN product ON product.shop_id = $1 AND product.id = listed.product_id
) p""",
    "detail": f"""
SELECT json_build_object('data', json_build_object('product', (SELECT json_build_object(
  'id', {_id("Product", "p.id")}, 'name', p.name, 'slug', p.slug, 'description', p.description,
  'ratingAverage', p.rating_average, 'ratingCount', p.rating_count,
  'category', (
    SELECT json_build_object('id', {_id("Category", "c.id")}, 'name', c.name, 'slug', c.slug)
    FROM category c WHERE c.shop_id = $1 AND c.id = p.category_id),
  'media', (
    SELECT coalesce(json_agg(json_build_object('url', m.url, 'alt', m.alt) ORDER BY m.position, m.id), '[]') FROM (
      SELECT * FROM media WHERE shop_id = $1 AND product_id = p.id ORDER BY position, id LIMIT 10) m),
  'attributes', (
    SELECT coalesce(json_agg(json_build_object(
      'attribute', json_build_object('name', a.name, 'unit', a.unit),
      'value', CASE WHEN v.id IS NOT NULL THEN json_build_object('name', v.name, 'color', v.color) END,
      'text', s.text_value, 'number', s.number_value::text, 'boolean', s.boolean_value
    ) ORDER BY s.position, s.id), '[]') FROM (
      SELECT * FROM attribute_assignment WHERE shop_id = $1 AND product_id = p.id AND variant_id IS NULL
      ORDER BY position, id LIMIT 20) s
    JOIN attribute a ON a.shop_id = $1 AND a.id = s.attribute_id
    LEFT JOIN attribute_value v ON v.shop_id = $1 AND v.id = s.value_id),
  'variants', {_variants(50)},
  'related', (
    SELECT coalesce(json_agg(json_build_object(
      'id', {_id("Product", "r.id")}, 'name', r.name, 'slug', r.slug,
      'media', (
        SELECT coalesce(json_agg(json_build_object('url', m.url, 'alt', m.alt) ORDER BY m.position, m.id), '[]') FROM (
          SELECT * FROM media WHERE shop_id = $1 AND product_id = r.id ORDER BY position, id LIMIT 1) m)
    ) ORDER BY r.place, r.id), '[]') FROM (
      SELECT product.*, relation.position AS place
      FROM product_relation relation JOIN product ON product.shop_id = $1 AND product.id = relation.related_id
      WHERE relation.shop_id = $1 AND relation.product_id = p.id AND relation.kind = 'RELATED'
        AND {_shown("product.id")}
      ORDER BY relation.position, relation.related_id LIMIT 8) r),
  'reviews', (
    SELECT json_build_object('nodes', coalesce(json_agg(json_build_object(
      'id', {_id("Review", "w.id")}, 'rating', w.rating, 'title', w.title, 'body', w.body,
      'createdAt', replace(w.created_at::text, ' ', 'T') || ':00', 'author', json_build_object('name', w.author_name)
    ) ORDER BY w.created_at DESC, w.id DESC) FILTER (WHERE w.place <= 10), '[]'),
    'pageInfo', json_build_object('hasNextPage', count(*) > 10)) FROM (
      SELECT *, row_number() OVER (ORDER BY created_at DESC, id DESC) AS place FROM review
      WHERE shop_id = $1 AND product_id = p.id AND status = 'APPROVED' ORDER BY created_at DESC, id DESC LIMIT 11) w)
) FROM product p WHERE p.shop_id = $1 AND p.slug = $3 AND p.deleted_at IS NULL AND {_shown("p.id")})))::text""",
    "tiny": f"""
SELECT json_build_object('data', json_build_object('product', (
  SELECT json_build_object('id', {_id("Product", "p.id")}, 'name', p.name)
  FROM product p WHERE p.shop_id = $1 AND p.slug = $3 AND p.deleted_at IS NULL AND {_shown("p.id")})))::text""",
    "deep": f"""
SELECT json_build_object('data', json_build_object('category', (SELECT json_build_object(
  'id', {_id("Category", "top.id")}, 'name', top.name,
  'products', json_build_object('nodes', (
    SELECT coalesce(json_agg(json_build_object(
      'id', {_id("Product", "p.id")}, 'name', p.name,
      'reviews', json_build_object('nodes', (
        SELECT coalesce(json_agg(json_build_object(
          'id', {_id("Review", "w.id")}, 'rating', w.rating, 'title', w.title,
          'author', json_build_object('name', w.author_name)
        ) ORDER BY w.created_at DESC, w.id DESC), '[]') FROM (
          SELECT * FROM review WHERE shop_id = $1 AND product_id = p.id AND status = 'APPROVED'
          ORDER BY created_at DESC, id DESC LIMIT 5) w))
    ) ORDER BY listed.listed_at DESC, p.id DESC), '[]')
    FROM {_listed("c.slug = $3", 24)} JOIN product p ON p.shop_id = $1 AND p.id = listed.product_id))
) FROM category top WHERE top.shop_id = $1 AND $2::uuid IS NOT NULL AND top.slug = $3)))::text""",
    "mutation": f"""
WITH changed AS (
  UPDATE category SET description = $4, version = version + 1, updated_at = now()
  WHERE shop_id = $1 AND $2::uuid IS NOT NULL AND id = $3 RETURNING id, slug, description
)
SELECT json_build_object('data', json_build_object('categoryUpdate', json_build_object('category', (
  SELECT json_build_object('id', {_id("Category", "id")}, 'slug', slug, 'description', description) FROM changed
))))::text""",
}
