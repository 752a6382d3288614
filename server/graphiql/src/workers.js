// Tells Monaco where its three workers are: beside this script, on the same origin.
const names = { graphql: "graphql.worker.js", json: "json.worker.js" };

globalThis.MonacoEnvironment = {
  getWorker(_, label) {
    const name = names[label] ?? "editor.worker.js";
    return new Worker(new URL(`graphiql/${name}`, document.baseURI), { name: label, type: "module" });
  },
};
