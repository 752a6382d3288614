// PostGraphile with its Amber preset: types, columns and relations from the database, Galleria's rules as plans beside
// them. An operation becomes one statement (deep two), in a transaction in which row-level security knows the shop.
import { createServer } from 'node:http'
import { PgSimplifyInflectionPreset } from '@graphile/simplify-inflection'
import { makePgService } from 'postgraphile/adaptors/pg'
import { grafserv } from 'postgraphile/grafserv/node'
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber'
import { postgraphile } from 'postgraphile'
import { shopOf } from './database.mjs'
import { claimsOf } from './tokens.mjs'
import { rules } from './postgraphile_rules.mjs'

const pgServices = [makePgService({
  connectionString: process.env.DATABASE_URL,
  schemas: ['public'],
  poolConfig: { max: Number(process.env.POOL_SIZE), idleTimeoutMillis: 0, options: '-c TimeZone=UTC -c jit=off' },
})]

async function contextOf({ node }) {
  const claims = await claimsOf(node.req.headers.authorization)
  const { id, channel } = await shopOf(claims)
  return { pgSettings: { 'app.shop_id': id, 'app.channel_id': channel }, shop: id, channel, permissions: claims.permissions }
}

const instance = postgraphile({
  extends: [PostGraphileAmberPreset, PgSimplifyInflectionPreset],
  plugins: [rules],
  pgServices,
  grafserv: { graphqlPath: '/graphql', graphiql: false, watch: false },
  grafast: { explain: false, context: contextOf },
})
if (process.argv.includes('--print')) {
  const { printSchema } = await import('graphql')
  console.log(printSchema(await instance.getSchema()))
  process.exit()
}
const server = createServer()
await instance.createServ(grafserv).addTo(server)
server.listen(Number(process.env.PORT), '127.0.0.1')
