// GraphQL Yoga with dataloader; parsed and validated documents are cached by default.
import { createServer } from 'node:http'
import { createSchema, createYoga } from 'graphql-yoga'
import { contextOf, resolvers } from './dataloaders.mjs'
import { typeDefs } from './schema.mjs'

const yoga = createYoga({ schema: createSchema({ typeDefs, resolvers }), context: contextOf, graphiql: false, logging: false })
createServer(yoga).listen(Number(process.env.PORT), '127.0.0.1')
