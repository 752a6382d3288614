// Browser storage of this page alone: other programs are developed on the same `localhost:8000`, and many of them
// bring a GraphiQL whose tabs would otherwise appear here.
const prefix = "galleria:";

function ownKeys() {
  return Object.keys(localStorage).filter((key) => key.startsWith(prefix));
}

export const storage = {
  getItem: (key) => localStorage.getItem(prefix + key),
  setItem: (key, value) => localStorage.setItem(prefix + key, value),
  removeItem: (key) => localStorage.removeItem(prefix + key),
  clear: () => ownKeys().forEach((key) => localStorage.removeItem(key)),
  get length() {
    return ownKeys().length;
  },
};
