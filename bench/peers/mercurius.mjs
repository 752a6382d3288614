// Mercurius: compiled by graphql-jit from the first request on, with its own loaders.
import Fastify from 'fastify'
import mercurius from 'mercurius'
import { sessionOf } from './database.mjs'
import { plain, relations, roots } from './fields.mjs'
import { typeDefs } from './schema.mjs'

// A batch of Mercurius may hold queries of different arguments; all of one field of one document have the same here.
const loaderOf = ({ key, load }) => async (queries, { session }) => {
  const present = queries.filter(({ obj }) => obj[key] !== null)
  if (present.length === 0) return queries.map(() => null)
  const found = await load(session, present.map(({ obj }) => obj[key]), present[0].params)
  if (present.length === queries.length) return found
  const results = found.values()
  return queries.map(({ obj }) => (obj[key] === null ? null : results.next().value))
}
const loadersOf = (fields) => Object.fromEntries(Object.entries(fields).map(([name, each]) => [name, loaderOf(each)]))

const app = Fastify()
app.register(mercurius, {
  schema: typeDefs,
  resolvers: { ...roots, ...plain },
  loaders: Object.fromEntries(Object.entries(relations).map(([type, fields]) => [type, loadersOf(fields)])),
  context: async (request, reply) => ({ session: await sessionOf(request.raw, reply.raw) }),
  jit: 1,
  graphiql: false,
})
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' })
