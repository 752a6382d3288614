// Browser storage of this page alone: other programs are developed on the same `localhost:8000`, and many of them
// bring a GraphiQL whose tabs would otherwise appear here.
const prefix = "galleria:";

function ownKeys() {
  return Object.keys(localStorage).filter((key) => key.startsWith(prefix));
}

// GraphiQL leaves the headers, where tokens are, out of the tabs that it stores, but not out of the history.
const histories = ["graphiql:queries", "graphiql:favorites"];

function withoutHeaders(history) {
  return JSON.stringify(JSON.parse(history), (key, value) => (key === "headers" ? undefined : value));
}

export const storage = {
  getItem: (key) => localStorage.getItem(prefix + key),
  setItem: (key, value) => localStorage.setItem(prefix + key, histories.includes(key) ? withoutHeaders(value) : value),
  removeItem: (key) => localStorage.removeItem(prefix + key),
  clear: () => ownKeys().forEach((key) => localStorage.removeItem(key)),
  get length() {
    return ownKeys().length;
  },
};
