// Asks for one operation as the client of graphql-ws does: node sockets.mjs '{"urls": […], "params": […], "query": "…"}'.
// Each attempt to connect takes the next address and the next payload of connection_init; the last ones stay.
// Prints a line of JSON for whatever happens, until the operation has come to its end.
// A subscription of events goes on behind the last one that has arrived.
import { createClient } from "graphql-ws";
import WebSocket from "ws";

const { urls, params, query, variables = {}, completeAfter = Infinity } = JSON.parse(process.argv[2]);
const payload = { query, variables };
let attempts = 0;
let received = 0;

const say = (what) => console.log(JSON.stringify(what));
const ofAttempt = (choices) => choices[Math.min(attempts, choices.length) - 1];

const client = createClient({
  webSocketImpl: WebSocket,
  url: () => {
    attempts += 1;
    return ofAttempt(urls);
  },
  connectionParams: () => ofAttempt(params),
  retryAttempts: 5,
  retryWait: async () => {},
  on: {
    connected: () => say({ connected: attempts }),
    closed: ({ code, reason }) => say({ closed: code, reason: String(reason) }),
    ping: (isReceived, brought) => isReceived && brought?.resume && say({ resume: Object.values(brought.resume) }),
  },
});

const stop = client.subscribe(payload, {
  next: (result) => {
    say({ next: result });
    const sequence = result.data?.events?.sequence;
    if (sequence) {
      payload.variables = { ...payload.variables, after: sequence };
    }
    received += 1;
    if (received >= completeAfter) {
      stop();
    }
  },
  error: (error) => {
    say({ error: error.code ?? error });
    client.dispose();
  },
  complete: () => {
    say({ complete: true });
    client.dispose();
  },
});
