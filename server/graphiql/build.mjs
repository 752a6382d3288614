// Writes the bundle to a folder, compressed: `npm run build`, or `node build.mjs FOLDER`.
import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { bundle } from "./bundle.mjs";

const target = path.resolve(process.argv[2] ?? fileURLToPath(new URL("dist", import.meta.url)));

const files = await bundle();
await rm(target, { force: true, recursive: true });
let total = 0;
for (const [name, content] of files) {
  const file = path.join(target, `${name}.gz`);
  await mkdir(path.dirname(file), { recursive: true });
  const compressed = gzipSync(content, { level: 9 });
  total += compressed.length;
  await writeFile(file, compressed);
}
console.log(`${files.size} files, ${Math.round(total / 1024)} KiB compressed, in ${target}`);
