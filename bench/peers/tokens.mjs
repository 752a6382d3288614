// Who asks: tokens are verified as Galleria verifies them (EdDSA, issuer, audience, expiry) and remembered for a minute.
import { readFileSync } from 'node:fs'
import { createLocalJWKSet, jwtVerify } from 'jose'

const LIFETIME_MS = 60_000
const MOST = 10_000
const { keys } = JSON.parse(readFileSync(process.env.TOKEN_KEYS, 'utf8'))
const publicKeys = createLocalJWKSet({ keys: keys.map(({ d, ...rest }) => rest) })
const rules = { issuer: process.env.TOKEN_ISSUER, audience: process.env.TOKEN_AUDIENCE, algorithms: ['EdDSA'], typ: 'at+jwt' }
const verified = new Map()

async function verify(header) {
  const { payload } = await jwtVerify(header.slice('Bearer '.length), publicKeys, rules)
  const until = Math.min(Date.now() + LIFETIME_MS, payload.exp * 1000)
  if (verified.size >= MOST) verified.delete(verified.keys().next().value)
  verified.set(header, { payload, until })
  return payload
}

// Returns the claims of an Authorization header, or a promise of them where the token is new.
export function claimsOf(header) {
  const known = verified.get(header)
  return known !== undefined && Date.now() < known.until ? known.payload : verify(header)
}
