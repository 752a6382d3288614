// Reads in batches: one statement for many keys, its rows handed back in the order of the keys.
const SHOWN = 'is_visible AND (available_from IS NULL OR available_from <= now())'
const PRODUCT = `p.id, p.name, p.slug, p.description, p.rating_average::float8 AS "ratingAverage",
  p.rating_count AS "ratingCount", p.category_id`
const OF_KEYS = 'unnest($3::uuid[]) AS keys(key) JOIN LATERAL'

// Products of a category and what is below it, newest first; each branch is read in the order of its index.
const LISTED = (category) => `
  SELECT ${PRODUCT}, listed.listed_at FROM (
    SELECT branch.* FROM (
      SELECT id FROM category
      WHERE shop_id = $1 AND path >= (SELECT path FROM category WHERE shop_id = $1 AND id = ${category})
        AND path < (SELECT path FROM category WHERE shop_id = $1 AND id = ${category}) || 'g'
    ) AS subtree JOIN LATERAL (
      SELECT product_id, listed_at FROM product_listing
      WHERE shop_id = $1 AND channel_id = $2 AND category_id = subtree.id AND ${SHOWN}
      ORDER BY listed_at DESC, product_id DESC LIMIT $4
    ) AS branch ON true
    ORDER BY branch.listed_at DESC, branch.product_id DESC LIMIT $4
  ) AS listed JOIN product p ON p.shop_id = $1 AND p.id = listed.product_id
  ORDER BY listed.listed_at DESC, p.id DESC`

const SQL = {
  products: `SELECT keys.key, found.* FROM ${OF_KEYS} (${LISTED('keys.key')}) AS found ON true`,
  productBySlug: `SELECT ${PRODUCT} FROM product p
    WHERE p.shop_id = $1 AND p.slug = $3 AND p.deleted_at IS NULL AND EXISTS (
      SELECT FROM product_listing l WHERE l.shop_id = $1 AND l.channel_id = $2 AND l.product_id = p.id AND ${SHOWN})`,
  categoryBySlug: 'SELECT id, name, slug, description FROM category WHERE shop_id = $1 AND $2::uuid IS NOT NULL AND slug = $3',
  categories: `SELECT id AS key, id, name, slug, description FROM category
    WHERE shop_id = $1 AND $2::uuid IS NOT NULL AND id = ANY($3::uuid[])`,
  media: `SELECT keys.key, found.* FROM ${OF_KEYS} (
      SELECT url, alt FROM media WHERE shop_id = $1 AND $2::uuid IS NOT NULL AND product_id = keys.key
      ORDER BY position, id LIMIT $4) AS found ON true`,
  variants: `SELECT keys.key, found.* FROM ${OF_KEYS} (
      SELECT id, sku, name FROM variant
      WHERE shop_id = $1 AND $2::uuid IS NOT NULL AND product_id = keys.key AND deleted_at IS NULL
      ORDER BY position, id LIMIT $4) AS found ON true`,
  prices: `SELECT l.variant_id AS key, l.price_minor AS minor, c.currency FROM listing l
    JOIN channel c ON c.shop_id = l.shop_id AND c.id = l.channel_id
    WHERE l.shop_id = $1 AND l.channel_id = $2 AND l.variant_id = ANY($3::uuid[])
      AND l.is_published AND (l.available_from IS NULL OR l.available_from <= now())`,
  availabilities: `SELECT v.id AS key,
      CASE WHEN v.track_inventory THEN coalesce(stock.quantity, 0) END AS quantity,
      EXISTS (SELECT FROM listing l WHERE l.shop_id = $1 AND l.channel_id = $2 AND l.variant_id = v.id
          AND l.is_published AND (l.available_from IS NULL OR l.available_from <= now()))
        AND (NOT v.track_inventory OR stock.in_stock) AS "isAvailable"
    FROM variant v JOIN LATERAL (
      SELECT least(greatest(sum(on_hand - allocated - reserved - safety), 0), 2147483647)::int AS quantity,
        coalesce(bool_or(on_hand - allocated - reserved - safety + backorder_limit > 0), false) AS in_stock
      FROM stock_level s JOIN channel_warehouse w
        ON w.shop_id = s.shop_id AND w.warehouse_id = s.warehouse_id AND w.channel_id = $2
      WHERE s.shop_id = $1 AND s.variant_id = v.id) AS stock ON true
    WHERE v.shop_id = $1 AND v.id = ANY($3::uuid[])`,
  assignments: `SELECT keys.key, found.* FROM ${OF_KEYS} (
      SELECT attribute_id, value_id, text_value AS text, number_value AS number, boolean_value AS boolean
      FROM attribute_assignment
      WHERE shop_id = $1 AND $2::uuid IS NOT NULL AND product_id = keys.key AND variant_id IS NULL
      ORDER BY position, id LIMIT $4) AS found ON true`,
  attributes: `SELECT id AS key, name, unit FROM attribute
    WHERE shop_id = $1 AND $2::uuid IS NOT NULL AND id = ANY($3::uuid[])`,
  attributeValues: `SELECT id AS key, name, color FROM attribute_value
    WHERE shop_id = $1 AND $2::uuid IS NOT NULL AND id = ANY($3::uuid[])`,
  related: `SELECT keys.key, found.* FROM ${OF_KEYS} (
      SELECT ${PRODUCT} FROM product p JOIN product_relation r ON r.shop_id = p.shop_id AND r.related_id = p.id
      WHERE p.shop_id = $1 AND r.product_id = keys.key AND r.kind = 'RELATED' AND EXISTS (
        SELECT FROM product_listing l WHERE l.shop_id = $1 AND l.channel_id = $2 AND l.product_id = p.id AND ${SHOWN})
      ORDER BY r.position, r.related_id LIMIT $4) AS found ON true`,
  reviews: `SELECT keys.key, found.* FROM ${OF_KEYS} (
      SELECT id, rating, title, body, created_at AS "createdAt", author_name FROM review
      WHERE shop_id = $1 AND $2::uuid IS NOT NULL AND product_id = keys.key AND status = 'APPROVED'
      ORDER BY created_at DESC, id DESC LIMIT $4) AS found ON true`,
  describeCategory: `UPDATE category SET description = $3, version = version + 1, updated_at = now()
    WHERE shop_id = $1 AND id = $2`,
  categoryById: 'SELECT id, name, slug, description FROM category WHERE shop_id = $1 AND id = $2',
}

const distinct = (keys) => [...new Set(keys)]

async function one(session, name, keys) {
  const found = new Map()
  for (const row of await session.read(name, SQL[name], distinct(keys))) found.set(row.key, row)
  return keys.map((key) => found.get(key) ?? null)
}

async function many(session, name, keys, first) {
  const found = new Map(keys.map((key) => [key, []]))
  for (const row of await session.read(name, SQL[name], distinct(keys), first)) found.get(row.key).push(row)
  return keys.map((key) => found.get(key))
}

// A page knows whether rows follow, since it reads one more than it shows.
async function pages(session, name, keys, first) {
  const lists = await many(session, name, keys, first + 1)
  return lists.map((rows) => ({ nodes: rows.slice(0, first), pageInfo: { hasNextPage: rows.length > first } }))
}

export const toOne = (name) => (session, keys) => one(session, name, keys)
export const toMany = (name) => (session, keys, { first }) => many(session, name, keys, first)
export const toPage = (name) => (session, keys, { first }) => pages(session, name, keys, first)

export async function bySlug(session, name, slug) {
  return (await session.read(name, SQL[name], slug))[0] ?? null
}

// Changes a category and reads it back, in one transaction.
export function describeCategory(session, id, description) {
  if (!session.claims.permissions.includes('catalogue:write')) throw new Error('forbidden')
  return session.write(async (client) => {
    const { id: shop } = session.shop
    await client.query({ name: 'describeCategory', text: SQL.describeCategory, values: [shop, id, description] })
    const { rows } = await client.query({ name: 'categoryById', text: SQL.categoryById, values: [shop, id] })
    return rows[0] ?? null
  })
}
