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

// The tab that was open when the page was left. GraphiQL would fill its editors from copies that it stores apart from the
// tabs and at other times, and open one more tab where the two differ; on a first visit it would forget the variables.
function storedTab() {
  try {
    const { tabs, activeTabIndex } = JSON.parse(storage.getItem("graphiql:tabState"));
    return tabs[activeTabIndex];
  } catch {
    return undefined;
  }
}

function Page({ examples }) {
  const tab = storedTab() ?? examples[0];
  return (
    <GraphiQL
      fetcher={fetcher}
      storage={storage}
      defaultTabs={examples}
      defaultHeaders={examples[0]?.headers}
      initialQuery={tab?.query ?? ""}
      initialVariables={tab?.variables ?? ""}
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
