// Apollo Server with dataloader, on its own HTTP server; documents are cached by default.
import { ApolloServer } from '@apollo/server'
import { startStandaloneServer } from '@apollo/server/standalone'
import { contextOf, resolvers } from './dataloaders.mjs'
import { typeDefs } from './schema.mjs'

const server = new ApolloServer({ typeDefs, resolvers })
await startStandaloneServer(server, { context: contextOf, listen: { port: Number(process.env.PORT), host: '127.0.0.1' } })
