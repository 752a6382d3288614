// Fails when `dist` is not what the sources build: `npm run check`.
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { bundle } from "./bundle.mjs";

const dist = fileURLToPath(new URL("dist", import.meta.url));

// Compressed bytes depend on the version of zlib, the content does not.
async function committed() {
  const entries = await readdir(dist, { recursive: true, withFileTypes: true });
  const names = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath ?? entry.path, entry.name));
  const read = async (file) => {
    const name = path.relative(dist, file).split(path.sep).join("/");
    const content = await readFile(file);
    return name.endsWith(".gz") ? [name.slice(0, -3), gunzipSync(content)] : [`${name} (not compressed)`, content];
  };
  return new Map(await Promise.all(names.map(read)));
}

function differences(wanted, found) {
  const all = [...new Set([...wanted.keys(), ...found.keys()])].sort();
  return all.flatMap((name) => {
    if (!found.has(name)) return `missing: ${name}`;
    if (!wanted.has(name)) return `left over: ${name}`;
    return wanted.get(name).equals(found.get(name)) ? [] : `differs: ${name}`;
  });
}

const found = differences(await bundle(), await committed());
if (found.length > 0) {
  console.error(`server/graphiql/dist is not what its sources build:\n  ${found.join("\n  ")}`);
  console.error("Run `npm ci && npm run build` in server/graphiql and commit the result.");
  process.exit(1);
}
console.log("server/graphiql/dist is what its sources build.");
