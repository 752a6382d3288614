// Runs one operation by graphql-sse and prints what becomes of it, a JSON text a line: `node sse.mjs CONFIGURATION`.
// The configuration is JSON: urls (each connection takes the next one, the last one again and again), headers, request,
// results (after so many it ends; left out, when the operation does). It goes on after the last sequence that it has seen.
import { createClient } from "graphql-sse";

const { urls, headers, request, results = Infinity } = JSON.parse(process.argv[2]);
const say = (kind, value) => console.log(JSON.stringify({ [kind]: value }));

let connections = 0;
let sequence;
const client = createClient({
  url: () => urls[Math.min(connections++, urls.length - 1)],
  headers: () => (sequence === undefined ? headers : { ...headers, "last-event-id": sequence }),
  retryAttempts: 3,
  retry: () => new Promise((resolve) => setTimeout(resolve, 50)),
  on: { connected: (isAgain) => say("connected", isAgain) },
});

let seen = 0;
try {
  for await (const result of client.iterate(request)) {
    say("result", result);
    sequence = result.data?.news?.sequence ?? sequence;
    seen += 1;
    if (seen >= results) {
      break;
    }
  }
  say("end", seen);
} catch (error) {
  say("error", { message: error.message, status: error.response?.status });
}
client.dispose();
