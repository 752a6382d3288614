// How fields are resolved: relations as batches, which each server brings to its own kind of loader, and plain fields.
import { amount, idOf, uuidOf } from './scalars.mjs'
import { bySlug, describeCategory, toMany, toOne, toPage } from './batches.mjs'

const globalId = (type) => {
  const make = idOf(type)
  return ({ id }) => make(id)
}

const productsIn = toPage('products')

export const roots = {
  Query: {
    products: async (_, { filter, first }, { session }) =>
      (await productsIn(session, [uuidOf(filter.category)], { first }))[0],
    product: (_, { slug }, { session }) => bySlug(session, 'productBySlug', slug),
    category: (_, { slug }, { session }) => bySlug(session, 'categoryBySlug', slug),
  },
  Mutation: {
    categoryUpdate: async (_, { id, input }, { session }) =>
      ({ category: await describeCategory(session, uuidOf(id), input.description) }),
  },
}

export const plain = {
  Category: { id: globalId('Category') },
  Product: { id: globalId('Product') },
  Variant: { id: globalId('Variant') },
  Review: { id: globalId('Review'), author: ({ author_name: name }) => ({ name }) },
  Money: { amount },
}

// Each relation with the column that its key is in.
export const relations = {
  Category: { products: { key: 'id', load: productsIn } },
  Product: {
    category: { key: 'category_id', load: toOne('categories') },
    media: { key: 'id', load: toMany('media') },
    attributes: { key: 'id', load: toMany('assignments') },
    variants: { key: 'id', load: toMany('variants') },
    related: { key: 'id', load: toMany('related') },
    reviews: { key: 'id', load: toPage('reviews') },
  },
  Variant: {
    price: { key: 'id', load: toOne('prices') },
    availability: { key: 'id', load: toOne('availabilities') },
  },
  AssignedAttribute: {
    attribute: { key: 'attribute_id', load: toOne('attributes') },
    value: { key: 'value_id', load: toOne('attributeValues') },
  },
}
