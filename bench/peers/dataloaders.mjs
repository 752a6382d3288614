// Resolvers that load relations through dataloader: one loader for each relation and its arguments, for each request.
import DataLoader from 'dataloader'
import { sessionOf } from './database.mjs'
import { plain, relations, roots } from './fields.mjs'

function resolverOf({ key, load }) {
  return (parent, given, { session, loaders }) => {
    if (parent[key] === null) return null
    let bySize = loaders.get(load)
    if (bySize === undefined) loaders.set(load, (bySize = new Map()))
    let loader = bySize.get(given.first)
    if (loader === undefined) {
      bySize.set(given.first, (loader = new DataLoader((keys) => load(session, keys, given))))
    }
    return loader.load(parent[key])
  }
}

const resolversOf = (fields) => Object.fromEntries(Object.entries(fields).map(([name, each]) => [name, resolverOf(each)]))

export const resolvers = { ...roots, ...plain }
for (const [type, fields] of Object.entries(relations)) {
  resolvers[type] = { ...resolvers[type], ...resolversOf(fields) }
}

export const contextOf = async ({ req, res }) => ({ session: await sessionOf(req, res), loaders: new Map() })
