// Starts GraphiQL against the GraphQL endpoint of the same origin.
import "./workers.js";
// GraphiQL imports Monaco when it is mounted. It is wanted at once in any case, and esbuild would leave the style sheets
// of a later import in a file that nothing loads.
import "monaco-graphql/esm/monaco-editor.js";
import "@graphiql/react/style.css";
import "@graphiql/plugin-doc-explorer/style.css";
import "@graphiql/plugin-history/style.css";
import "graphiql/graphiql.css";
import "./style.css";
import { createGraphiQLFetcher } from "@graphiql/toolkit";
import { GraphiQL, HISTORY_PLUGIN } from "graphiql";
import { createRoot } from "react-dom/client";
import { examplesPlugin, fetchExamples } from "./examples.jsx";
import { storage } from "./storage.js";

// GraphiQL opens a socket per subscription and hands it the request headers as the payload of `connection_init`.
// The server does not answer in parts, and says 406 to who accepts nothing else.
const fetcher = createGraphiQLFetcher({
  url: new URL("graphql", document.baseURI).href,
  subscriptionUrl: new URL("graphql", document.baseURI).href.replace(/^http/, "ws"),
  enableIncrementalDelivery: false,
});

function Page({ examples }) {
  const [first] = examples;
  // GraphiQL fills the editors of a first visit from these, not from the first of the default tabs; on later visits
  // they would open one more tab.
  const isFirstVisit = storage.getItem("graphiql:tabState") === null;
  return (
    <GraphiQL
      fetcher={fetcher}
      storage={storage}
      defaultTabs={examples}
      defaultHeaders={first?.headers}
      initialQuery={isFirstVisit ? first?.query : undefined}
      initialVariables={isFirstVisit ? first?.variables : undefined}
      defaultEditorToolsVisibility="headers"
      plugins={[HISTORY_PLUGIN, examplesPlugin(examples)]}
      inputValueDeprecation
      schemaDescription
    >
      <GraphiQL.Logo>
        <a className="galleria-logo" href=".">
          Galleria
        </a>
      </GraphiQL.Logo>
    </GraphiQL>
  );
}

const root = document.getElementById("graphiql");
try {
  createRoot(root).render(<Page examples={await fetchExamples()} />);
} catch (error) {
  root.firstElementChild.textContent = `GraphiQL did not start: ${error.message} Reload the page to try again.`;
}
