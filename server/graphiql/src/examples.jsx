// The example operations: the tabs of a first visit, and a panel to get one back at any time.
import { useGraphiQL, useGraphiQLActions } from "@graphiql/react";

/** Fetch the examples as GraphiQL tabs, each with its title. */
export async function fetchExamples() {
  const response = await fetch(new URL("graphiql/examples.json", document.baseURI));
  if (!response.ok) {
    throw new Error(`The examples could not be read: ${response.status} ${response.statusText}`);
  }
  const examples = await response.json();
  return examples.map(({ title, query, variables, headers }) => ({
    title,
    query,
    variables: formatted(variables),
    headers: formatted(headers),
  }));
}

function formatted(values) {
  return Object.keys(values).length > 0 ? JSON.stringify(values, null, 2) : "";
}

/** Make the panel that lists the examples and opens one in a new tab. */
export function examplesPlugin(examples) {
  return { title: "Examples", icon: ExamplesIcon, content: () => <Examples examples={examples} /> };
}

function Examples({ examples }) {
  const { addTab } = useGraphiQLActions();
  const { queryEditor, variableEditor, headerEditor } = useGraphiQL((state) => ({
    queryEditor: state.queryEditor,
    variableEditor: state.variableEditor,
    headerEditor: state.headerEditor,
  }));
  function open({ query, variables, headers }) {
    addTab();
    queryEditor?.setValue(query);
    variableEditor?.setValue(variables);
    headerEditor?.setValue(headers);
  }
  return (
    <section className="galleria-examples" aria-label="Examples">
      <h2>Examples</h2>
      <p>Each opens in a new tab.</p>
      <ul>
        {examples.map((example) => (
          <li key={example.title}>
            <button type="button" onClick={() => open(example)}>
              {example.title}
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function ExamplesIcon() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true">
      <path d="M5 3.75h14v16.5l-7-4.5-7 4.5z" strokeLinejoin="round" />
    </svg>
  );
}
