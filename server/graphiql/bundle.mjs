// Bundles GraphiQL in memory: what `build` writes and `check` compares.
import { readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import * as esbuild from "esbuild";
import { licences } from "./licences.mjs";

const here = path.dirname(fileURLToPath(import.meta.url));
const outputFolder = path.join(here, "dist");

// The entry points keep their names, since index.html and MonacoEnvironment name them; everything that they share is
// named after its content.
const entryPoints = {
  main: "src/main.jsx",
  "editor.worker": "monaco-editor/esm/vs/editor/editor.worker.js",
  "graphql.worker": "monaco-graphql/esm/graphql.worker.js",
  "json.worker": "monaco-editor/esm/vs/language/json/json.worker.js",
};

// GraphiQL asks for these by old names, under which prettier has no modules but scripts whose parsers esbuild does not see.
const parsers = {
  "prettier/parser-babel": "prettier/plugins/babel",
  "prettier/parser-graphql": "prettier/plugins/graphql",
};

/** Bundle everything; returns the content of each file by its path below `dist`. */
export async function bundle() {
  const result = await esbuild.build({
    absWorkingDir: here,
    alias: parsers,
    assetNames: "chunks/[name]-[hash]",
    bundle: true,
    chunkNames: "chunks/[hash]",
    // The toolkit chooses between `import` and `require` by this variable.
    define: { "process.env.NODE_ENV": '"production"', "process.env.USE_IMPORT": '"true"' },
    entryPoints,
    format: "esm",
    jsx: "automatic",
    // GraphiQL tells a screen reader the name of the component that draws an icon.
    keepNames: true,
    legalComments: "none",
    loader: { ".ttf": "file" },
    logLevel: "warning",
    metafile: true,
    minify: true,
    outdir: outputFolder,
    splitting: true,
    target: ["chrome115", "firefox115", "safari16.4"],
    write: false,
  });
  const files = new Map(result.outputFiles.map((file) => [relative(file.path), Buffer.from(file.contents)]));
  // main.css holds the style sheets of all modules. esbuild writes those of later imports once more, for nobody.
  for (const name of [...files.keys()].filter((name) => name.startsWith("chunks/") && name.endsWith(".css"))) {
    files.delete(name);
  }
  for (const name of ["index.html", "icon.svg"]) {
    files.set(name, await readFile(path.join(here, "src", name)));
  }
  files.set("licences.txt", await licences(here, Object.keys(result.metafile.inputs)));
  return files;
}

function relative(file) {
  return path.relative(outputFolder, file).split(path.sep).join("/");
}
