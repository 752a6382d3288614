// How values look to clients.
const UUID_DIGITS = 32
const DECIMALS = new Map([['JPY', 0], ['KWD', 3]]) // Of the demo shops' currencies; the others have two.

// A global id is base64url of the type's name, a colon and the 16 bytes of the uuid.
export function idOf(type) {
  const prefix = Buffer.from(`${type}:`)
  return (uuid) => Buffer.concat([prefix, Buffer.from(uuid.replaceAll('-', ''), 'hex')]).toString('base64url')
}

export function uuidOf(globalId) {
  const digits = Buffer.from(globalId, 'base64url').toString('hex').slice(-UUID_DIGITS)
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

export function amount({ minor, currency }) {
  const decimals = DECIMALS.get(currency) ?? 2
  const digits = String(minor).padStart(decimals + 1, '0')
  return decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`
}
