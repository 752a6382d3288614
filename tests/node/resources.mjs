// Checks custom resources against the schemas of those who define them.
// Standard input: a JSON list of objects, each with the module that knows it. Standard output: a JSON list of faults.
import { text } from "node:stream/consumers";

const faults = [];
for (const { module, object } of JSON.parse(await text(process.stdin))) {
  const { [object.kind]: Model } = await import(module);
  try {
    new Model(object).validate();
  } catch (error) {
    faults.push(`${object.kind}/${object.metadata.name}: ${error.message}`);
  }
}
console.log(JSON.stringify(faults));
