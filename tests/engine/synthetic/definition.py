"""The types of the synthetic schema: every feature of the type system, each field with the way it is delivered."""

SDL = '''
"""How a field comes by its value; without this, graphql-core's default resolver reads it off the parent."""
directive @by(how: How!) on FIELD_DEFINITION

"Without meaning, to stand wherever a document may have a directive."
directive @note(text: String, colour: Colour = RED) repeatable on
  QUERY | MUTATION | SUBSCRIPTION | FIELD | FRAGMENT_DEFINITION | FRAGMENT_SPREAD | INLINE_FRAGMENT

enum How { SYNC ASYNC LATE FUTURE ECHO }

scalar Money
scalar Json
scalar Plain

enum Colour { RED GREEN BLUE @deprecated(reason: "Faded.") }
enum Size { SMALL LARGE }

input Filter {
  colour: Colour = GREEN
  size: Size
  tags: [String!]
  rows: [[Int]!]
  within: Filter
  limit: Int! = 3
  price: Money
  choice: Choice
  oldName: String @deprecated(reason: "Use tags.")
}

input Choice @oneOf { id: ID, name: String, colour: Colour }

input Strict { id: ID!, values: [Float!]! }

interface Node { id: ID! }
interface Named implements Node { id: ID!, name: String, friend: Named @by(how: SYNC) }
interface Being implements Named & Node {
  id: ID!
  name: String
  friend: Named @by(how: SYNC)
  age: Int
  likes(first: Int = 2): [Thing!] @by(how: SYNC)
}

union Found = Person | Robot | Place
union Thing = Robot | Gadget
union Spot = Place | Gadget

type Person implements Being & Named & Node {
  id: ID!
  name: String
  friend: Person @by(how: ASYNC)
  age: Int
  likes(first: Int = 2): [Thing!] @by(how: LATE)
  home: Place! @by(how: LATE)
  spouse: Person
  best: Being! @by(how: SYNC)
  friends: [Person!]! @by(how: ASYNC)
  rivals: [Person!] @by(how: SYNC)
  nearby: [Person]! @by(how: LATE)
  distant: [Being] @by(how: SYNC)
  wallet: Wallet
  required: String!
  shout(loudly: Boolean! = true, words: [String!] = ["hey", "you"]): String! @by(how: ECHO)
}

type Robot implements Being & Named & Node {
  id: ID!
  name: String
  friend: Being
  age: Int
  likes(first: Int = 2): [Thing!]
  serial: Int!
  colour: Colour
  colours: [Colour!]!
  parts: [[Gadget!]]
  maker: Person @by(how: FUTURE)
  owner: Person! @by(how: SYNC)
  found: [Found] @by(how: LATE)
}

type Place implements Named & Node {
  id: ID!
  name: String!
  friend: Person @by(how: LATE)
  grid: [[Int!]!]!
  holes: [[Int]]
  plain: Plain
  settings: Json
  spots: [Spot!]! @by(how: ASYNC)
  size: Size! @deprecated(reason: "Places have grown.")
  within(filter: Filter, strict: Strict): Place @by(how: SYNC)
  ratio: Float!
  open: Boolean
}

type Gadget implements Node {
  id: ID!
  price: Money
  prices: [Money!]
  weight: Float
  works: Boolean!
  label: String
  place: Place @by(how: SYNC)
  next: Gadget
}

"A value without an identity, read off a frozen record."
type Wallet { amount: Money!, currency: String!, cards: [String], note: Json, size: Size }

type Query {
  node(id: ID): Node @by(how: SYNC)
  nodes(ids: [ID!]!): [Node]! @by(how: ASYNC)
  named: Named! @by(how: LATE)
  being: Being @by(how: SYNC)
  beings(first: Int = 3, filter: Filter): [Being!] @by(how: LATE)
  found: Found @by(how: ASYNC)
  finds(filter: Filter = {colour: RED, limit: 1}): [Found!]! @by(how: SYNC)
  thing: Thing @by(how: SYNC)
  things: [[Thing]!] @by(how: LATE)
  spot: Spot! @by(how: ASYNC)
  person(id: ID! = "p1"): Person @by(how: ASYNC)
  people(first: Int! = 3, after: String): [Person!]! @by(how: LATE)
  robot: Robot! @by(how: FUTURE)
  robots: [Robot] @by(how: SYNC)
  place(within: Filter): Place @by(how: SYNC)
  places(strict: Strict): [Place!] @by(how: ASYNC)
  gadget: Gadget @by(how: LATE)
  gadgets: [Gadget]! @by(how: SYNC)
  wallets: [Wallet!]! @by(how: SYNC)
  greeting: String
  count: Int!
  colour(colour: Colour): Colour @by(how: SYNC)
  echo(
    filter: Filter, choice: Choice, strict: Strict, colour: Colour = BLUE, price: Money, json: Json,
    list: [Int!] = [1, 2], grid: [[Boolean]], text: String! = "t", ratio: Float = 1.5, id: ID, size: Size! = SMALL
  ): String @by(how: ECHO)
  lateEcho(filters: [Filter!], choices: [Choice], plain: Plain): String! @by(how: ECHO)
}

type Mutation {
  add(n: Int! = 1): Int! @by(how: LATE)
  addSlowly(n: Int = 2): Int @by(how: LATE)
  addAtOnce(n: Int = 3): Int @by(how: SYNC)
  rename(filter: Filter!): Person @by(how: LATE)
  build(choice: Choice!): Found! @by(how: ASYNC)
  total: Int @by(how: SYNC)
}

type Subscription {
  ticks(first: Int = 3): Int!
  seen(filter: Filter): Found
  arrivals: [Person!]
}
'''
