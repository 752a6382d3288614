// Galleria's rules for PostGraphile: global ids, what shoppers see, order, prices and stock, as plans that become part
// of the statement of the operation.
import { withPgClientTransaction } from 'postgraphile/@dataplan/pg'
import { extendSchema } from 'postgraphile/utils'
import { amount, idOf, uuidOf } from './scalars.mjs'

const typeDefs = `
  extend type Query {
    listed(category: ID!): ProductConnection
    shownProduct(slug: String!): Product
    categoryOfSlug(slug: String!): Category
  }
  extend type Mutation { describeCategory(id: ID!, description: String!): DescribedCategory }
  type DescribedCategory { category: JSON }
  extend type Category { globalId: ID! listed: ProductConnection }
  extend type Product {
    globalId: ID!
    rating: Float
    gallery(first: Int!): [Media!]
    features(first: Int!): [AttributeAssignment!]
    offered(first: Int!): [Variant!]
    relatives(first: Int!): [Product!]
    approvedReviews: ReviewConnection
  }
  extend type Variant { globalId: ID! price: Price availability: Availability }
  type Price { amount: String currency: String }
  type Availability { isAvailable: Boolean quantity: Int }
  extend type AttributeAssignment { number: String }
  extend type Review { globalId: ID! writtenAt: String author: ReviewAuthor }
  type ReviewAuthor { name: String }
`

const DESCRIBE = `UPDATE category SET description = $3, version = version + 1, updated_at = now()
  WHERE shop_id = $1 AND id = $2`
const DESCRIBED = 'SELECT id, slug, description FROM category WHERE shop_id = $1 AND id = $2'

async function describe(client, { shop, permissions, id, description }) {
  if (!permissions.includes('catalogue:write')) throw new Error('forbidden')
  const of = [shop, uuidOf(id)]
  await client.query({ text: DESCRIBE, values: [...of, description] })
  const { rows: [row] } = await client.query({ text: DESCRIBED, values: of })
  return { category: row ? { id: idOf('Category')(row.id), slug: row.slug, description: row.description } : null }
}

export const rules = extendSchema((build) => {
  const { sql, input: { pgRegistry }, dataplanPg: { TYPES }, grafast: { connection, context, each, lambda, object } } = build
  const tables = pgRegistry.pgResources
  const executor = tables.category.executor
  const shop = () => context().get('shop')
  const channel = () => context().get('channel')

  const globalId = (type) => {
    const make = idOf(type)
    return ($row) => lambda($row.get('id'), make, true)
  }
  const inOrder = ($rows, columns, direction) => {
    for (const attribute of columns) $rows.orderBy({ attribute, direction })
    $rows.setOrderIsUnique()
    return $rows
  }
  const cut = ($rows, $first) => {
    $rows.setFirst($first)
    return $rows
  }
  const ofProduct = (table, $product) => table.find({ shop_id: $product.get('shop_id'), product_id: $product.get('id') })
  const started = sql`is_visible AND (available_from IS NULL OR available_from <= now())`

  // Keeps the products that shoppers see in the channel.
  const shown = ($products) => {
    $products.where(sql`${$products.alias}.deleted_at IS NULL`)
    $products.where(sql`EXISTS (
      SELECT FROM product_listing
      WHERE shop_id = ${$products.alias}.shop_id AND product_id = ${$products.alias}.id
        AND channel_id = ${$products.placeholder(channel(), TYPES.uuid)} AND ${started})`)
    return $products
  }

  // The newest products in and below a category; each branch is read in the order of its index.
  const newest = ($category, $first) => {
    const $products = tables.product.find({ shop_id: shop() })
    const [listed, $shop, top, most] = [
      sql.identifier(Symbol('listed')),
      $products.placeholder(shop(), TYPES.uuid),
      $products.placeholder($category, TYPES.uuid),
      sql`${$products.placeholder($first, TYPES.int)} + 1`,
    ]
    const path = sql`(SELECT path FROM category WHERE shop_id = ${$shop} AND id = ${top})`
    $products.join({
      type: 'inner',
      lateral: true,
      alias: listed,
      from: sql`(
        SELECT branch.* FROM (
          SELECT id FROM category WHERE shop_id = ${$shop} AND path >= ${path} AND path < ${path} || 'g'
        ) AS subtree CROSS JOIN LATERAL (
          SELECT product_id, listed_at FROM product_listing
          WHERE shop_id = ${$shop} AND channel_id = ${$products.placeholder(channel(), TYPES.uuid)}
            AND category_id = subtree.id AND ${started}
          ORDER BY listed_at DESC, product_id DESC LIMIT ${most}
        ) AS branch ORDER BY branch.listed_at DESC, branch.product_id DESC LIMIT ${most})`,
      conditions: [sql`${listed}.product_id = ${$products.alias}.id`],
    })
    $products.orderBy({ fragment: sql`${listed}.listed_at`, codec: TYPES.timestamptz, direction: 'DESC' })
    $products.orderBy({ attribute: 'id', direction: 'DESC' })
    $products.setOrderIsUnique()
    return connection($products)
  }

  const bySlug = (table, $slug) => table.find({ shop_id: shop(), slug: $slug })

  const sold = (listing) => sql`${listing}.is_published
    AND (${listing}.available_from IS NULL OR ${listing}.available_from <= now())`

  // The listing that sells a variant in the channel.
  const price = ($variant) => {
    const $of = { shop_id: $variant.get('shop_id'), variant_id: $variant.get('id'), channel_id: channel() }
    const $listings = tables.listing.find($of)
    $listings.where(sold($listings.alias))
    $listings.setUnique(true)
    const $listing = $listings.single()
    const $currency = $listing.singleRelation('channelByMyShopIdAndChannelId').get('currency')
    return lambda([$listing.get('price_minor'), $currency], ([minor, currency]) =>
      (minor === null ? null : { amount: amount({ minor, currency }), currency }), true)
  }

  // A setting, since a value of the context would be of a deeper layer of the plan than the variants' statement.
  const ofSession = sql`current_setting('app.channel_id')::uuid`
  const availability = ($variant) => {
    const { alias } = $variant.getClassStep()
    const stock = (aggregate) => sql`(
      SELECT ${aggregate} FROM stock_level s JOIN channel_warehouse w
        ON w.shop_id = s.shop_id AND w.warehouse_id = s.warehouse_id AND w.channel_id = ${ofSession}
      WHERE s.shop_id = ${alias}.shop_id AND s.variant_id = ${alias}.id)`
    const left = sql`s.on_hand - s.allocated - s.reserved - s.safety`
    const quantity = sql`CASE WHEN ${alias}.track_inventory
      THEN ${stock(sql`least(greatest(coalesce(sum(${left}), 0), 0), 2147483647)::int`)} END`
    const isAvailable = sql`EXISTS (
        SELECT FROM listing l WHERE l.shop_id = ${alias}.shop_id AND l.variant_id = ${alias}.id
          AND l.channel_id = ${ofSession} AND ${sold(sql`l`)})
      AND (NOT ${alias}.track_inventory OR ${stock(sql`coalesce(bool_or(${left} + s.backorder_limit > 0), false)`)})`
    return object({
      quantity: $variant.select(quantity, TYPES.int),
      isAvailable: $variant.select(isAvailable, TYPES.boolean),
    })
  }

  const related = ($product, $first) => {
    const $relations = ofProduct(tables.product_relation, $product)
    const { alias } = $relations
    $relations.where(sql`${alias}.kind = 'RELATED' AND EXISTS (
      SELECT FROM product_listing
      WHERE shop_id = ${alias}.shop_id AND product_id = ${alias}.related_id AND channel_id = ${ofSession} AND ${started})`)
    cut(inOrder($relations, ['position', 'related_id'], 'ASC'), $first)
    return each($relations, ($relation) => $relation.singleRelation('productByMyShopIdAndRelatedId'))
  }

  return {
    typeDefs,
    objects: {
      Query: {
        plans: {
          listed: (_, { $category, $first }) => newest(lambda($category, uuidOf, true), $first),
          shownProduct: (_, { $slug }) => shown(bySlug(tables.product, $slug)).setUnique(true).single(),
          categoryOfSlug: (_, { $slug }) => bySlug(tables.category, $slug).setUnique(true).single(),
        },
      },
      Mutation: {
        plans: {
          describeCategory: (_, { $id, $description }) => withPgClientTransaction(executor, object({
            id: $id, description: $description, shop: shop(), permissions: context().get('permissions'),
          }), describe),
        },
      },
      Category: {
        plans: { globalId: globalId('Category'), listed: ($category, { $first }) => newest($category.get('id'), $first) },
      },
      Product: {
        plans: {
          globalId: globalId('Product'),
          rating: ($product) => lambda($product.get('rating_average'), (text) => (text === null ? null : Number(text)), true),
          gallery: ($product, { $first }) =>
            cut(inOrder(ofProduct(tables.media, $product), ['position', 'id'], 'ASC'), $first),
          features: ($product, { $first }) => {
            const $assigned = ofProduct(tables.attribute_assignment, $product)
            $assigned.where(sql`${$assigned.alias}.variant_id IS NULL`)
            return cut(inOrder($assigned, ['position', 'id'], 'ASC'), $first)
          },
          offered: ($product, { $first }) => {
            const $variants = ofProduct(tables.variant, $product)
            $variants.where(sql`${$variants.alias}.deleted_at IS NULL`)
            return cut(inOrder($variants, ['position', 'id'], 'ASC'), $first)
          },
          relatives: ($product, { $first }) => related($product, $first),
          approvedReviews: ($product) => {
            const $reviews = ofProduct(tables.review, $product)
            $reviews.where(sql`${$reviews.alias}.status = 'APPROVED'`)
            return connection(inOrder($reviews, ['created_at', 'id'], 'DESC'))
          },
        },
      },
      Variant: { plans: { globalId: globalId('Variant'), price, availability } },
      AttributeAssignment: { plans: { number: ($row) => $row.get('number_value') } },
      Review: {
        plans: {
          globalId: globalId('Review'),
          writtenAt: ($review) => lambda($review.get('created_at'), (text) => text.replace('.000000', ''), true),
          author: ($review) => object({ name: $review.get('author_name') }),
        },
      },
    },
  }
})
