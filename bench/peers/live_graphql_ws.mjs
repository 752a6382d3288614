// graphql-ws over ws: each subscriber has an iterator of its own, which graphql-js executes for each event.
import { createServer } from 'node:http'
import { readFileSync } from 'node:fs'
import { buildSchema } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import { WebSocketServer } from 'ws'
import { claimsOf } from './tokens.mjs'

const KEPT = 1_000
const schema = buildSchema(readFileSync(new URL('./live.graphql', import.meta.url), 'utf8'))
const kept = []
const feeds = new Set()

// What has happened and was not asked for yet; the leanest iterator that graphql-js can follow.
class Feed {
  constructor(ids, after) {
    this.ids = ids
    this.waiting = null
    this.queue = after === undefined ? [] : kept.filter((event) => this.wants(event) && Number(event.sequence) > after)
    feeds.add(this)
  }

  wants(event) {
    return this.ids.includes(event.variantId)
  }

  push(event) {
    const value = { stockChanged: event }
    if (this.waiting === null) return void this.queue.push(event)
    this.waiting({ value, done: false })
    this.waiting = null
  }

  next() {
    if (this.queue.length > 0) return Promise.resolve({ value: { stockChanged: this.queue.shift() }, done: false })
    return new Promise((resolve) => { this.waiting = resolve })
  }

  return() {
    feeds.delete(this)
    this.waiting?.({ value: undefined, done: true })
    return Promise.resolve({ value: undefined, done: true })
  }

  [Symbol.asyncIterator]() {
    return this
  }
}

schema.getSubscriptionType().getFields().stockChanged.subscribe = (_, { variantIds, after }) =>
  new Feed(variantIds, after === undefined ? undefined : Number(after))

function publish(event) {
  kept.push(event)
  if (kept.length > KEPT) kept.shift()
  for (const feed of feeds) if (feed.wants(event)) feed.push(event)
}

// Answers first: the event happens when its publisher is told so, and spreading it is what is measured.
async function take(request, response) {
  try {
    await claimsOf(request.headers.authorization)
  } catch {
    return void response.writeHead(401).end()
  }
  const parts = []
  for await (const part of request) parts.push(part)
  const event = JSON.parse(Buffer.concat(parts).toString())
  response.setHeader('content-type', 'application/json')
  response.end('{}')
  publish(event)
}

const server = createServer((request, response) => {
  if (request.method === 'POST' && request.url === '/publish') return void take(request, response)
  response.writeHead(404).end()
})

async function onConnect({ connectionParams }) {
  try {
    await claimsOf(connectionParams.authorization)
  } catch {
    return false
  }
}

useServer({ schema, onConnect }, new WebSocketServer({ server, path: '/graphql' }))
server.listen(Number(process.env.PORT), '127.0.0.1')
