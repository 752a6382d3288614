// PostgreSQL: one transaction for each request, in which row-level security knows the shop.
import pg from 'pg'
import { claimsOf } from './tokens.mjs'

const TIMESTAMPTZ = 1184
const SHOP_LIFETIME_MS = 5_000

// The sessions speak UTC, and the text of PostgreSQL is RFC 3339 but for two characters.
pg.types.setTypeParser(TIMESTAMPTZ, (text) => `${text.replace(' ', 'T')}:00`)

export const pool = new pg.Pool({
  connectionString: process.env.DATABASE_URL,
  max: Number(process.env.POOL_SIZE),
  idleTimeoutMillis: 0,
  options: '-c TimeZone=UTC -c jit=off',
})

const shops = new Map()

// Returns id and channel of the shop that a token names, looked up again every few seconds.
async function lookUp(slug) {
  const name = 'shop'
  const text = 'SELECT id, default_channel_id AS channel FROM find_shop(NULL, $1, NULL)'
  const { rows } = await pool.query({ name, text, values: [slug] })
  if (rows.length === 0) throw new Error('no such shop')
  const shop = { ...rows[0], until: Date.now() + SHOP_LIFETIME_MS }
  shops.set(slug, shop)
  return shop
}

export function shopOf(claims) {
  const known = shops.get(claims.shop)
  return known !== undefined && Date.now() < known.until ? known : lookUp(claims.shop)
}

const BEGIN = { read: 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY', write: 'BEGIN' }

// What a request reads and writes through. Reads share one snapshot, which ends when the answer is sent.
export class Session {
  constructor(shop) {
    this.shop = shop
    this.reading = null
    this.isOver = false
  }

  async begin(mode) {
    const client = await pool.connect()
    await client.query(`${BEGIN[mode]}; SET LOCAL app.shop_id = '${this.shop.id}'`) // One message.
    return client
  }

  // Runs a named statement whose first two parameters are the shop and its channel.
  async read(name, text, ...values) {
    if (this.isOver) throw new Error('the request is over')
    const client = await (this.reading ??= this.begin('read'))
    return (await client.query({ name, text, values: [this.shop.id, this.shop.channel, ...values] })).rows
  }

  async close() {
    this.isOver = true
    if (this.reading === null) return
    const client = await this.reading
    try {
      await client.query('COMMIT')
    } finally {
      client.release()
    }
  }

  // Does some work in a transaction that is committed before the answer is sent.
  async write(work) {
    const client = await this.begin('write')
    try {
      const done = await work(client)
      await client.query('COMMIT')
      return done
    } catch (error) {
      await client.query('ROLLBACK')
      throw error
    } finally {
      client.release()
    }
  }
}

// Opens the session of a request.
export async function sessionOf(request, response) {
  const claims = await claimsOf(request.headers.authorization)
  const session = new Session(await shopOf(claims))
  session.claims = claims
  response.once('close', () => session.close())
  return session
}
