// What the peers with resolvers serve: the part of Galleria's schema that is measured.
export const typeDefs = `
  scalar DateTime
  scalar Decimal

  type Query {
    products(filter: ProductFilterInput!, first: Int! = 20): ProductConnection!
    product(slug: String!): Product
    category(slug: String!): Category
  }
  type Mutation {
    categoryUpdate(id: ID!, input: CategoryUpdateInput!): CategoryPayload!
  }
  input ProductFilterInput { category: ID! }
  input CategoryUpdateInput { description: String! }
  type CategoryPayload { category: Category }

  type PageInfo { hasNextPage: Boolean! }
  type ProductConnection { nodes: [Product!]! pageInfo: PageInfo! }
  type ReviewConnection { nodes: [Review!]! pageInfo: PageInfo! }

  type Category {
    id: ID!
    name: String!
    slug: String!
    description: String!
    products(first: Int! = 20): ProductConnection!
  }
  type Product {
    id: ID!
    name: String!
    slug: String!
    description: String!
    ratingAverage: Float
    ratingCount: Int!
    category: Category
    media(first: Int! = 10): [Media!]!
    attributes(first: Int! = 20): [AssignedAttribute!]!
    variants(first: Int! = 10): [Variant!]!
    related(first: Int! = 8): [Product!]!
    reviews(first: Int! = 20): ReviewConnection!
  }
  type Media { url: String! alt: String! }
  type Variant { id: ID! sku: String name: String! price: Money availability: Availability }
  type Money { amount: Decimal! currency: String! }
  type Availability { isAvailable: Boolean! quantity: Int }
  type AssignedAttribute { attribute: Attribute! value: AttributeValue text: String number: Decimal boolean: Boolean }
  type Attribute { name: String! unit: String }
  type AttributeValue { name: String! color: String }
  type Review { id: ID! rating: Int! title: String! body: String! createdAt: DateTime! author: ReviewAuthor! }
  type ReviewAuthor { name: String! }
`
