// Collects the licences of the bundled packages, which all ask to travel with their code.
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";

const licenceFile = /^(licen[cs]e|notice|third-?party-?notices)/i;

/** Gather name, version and licence text of every package that an input of the bundle comes from. */
export async function licences(root, inputs) {
  const folders = new Set(inputs.map(packageFolder).filter(Boolean));
  const texts = await Promise.all([...folders].sort().map((folder) => licence(path.join(root, folder))));
  return Buffer.from(`${texts.join(`\n${"=".repeat(80)}\n\n`)}\n`);
}

function packageFolder(input) {
  return /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0];
}

async function licence(folder) {
  const { name, version, license } = JSON.parse(await readFile(path.join(folder, "package.json"), "utf8"));
  const names = (await readdir(folder)).filter((file) => licenceFile.test(file)).sort();
  const texts = await Promise.all(names.map((file) => readFile(path.join(folder, file), "utf8")));
  return [`${name} ${version} (${license})`, ...texts.map((text) => text.trim())].join("\n\n");
}
