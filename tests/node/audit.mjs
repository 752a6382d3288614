// Runs the audits of graphql-http against a server: `node audit.mjs URL`.
// Prints all results as JSON. Ends with 1 unless every audit is ok, also those that the specification only recommends,
// and with 2 when there is nothing to audit.
import { auditServer } from "graphql-http";

const [url] = process.argv.slice(2);
if (!url) {
  console.error("Say which endpoint to audit: node audit.mjs http://127.0.0.1:8000/graphql");
  process.exit(2);
}

const deadlineSeconds = 10;
// The audits send queries by GET, which the server takes only from clients that no foreign page can imitate.
const preflight = { "graphql-require-preflight": "1" };
const fetchFn = (input, init) =>
  fetch(input, {
    ...init,
    headers: { ...init?.headers, ...preflight },
    signal: AbortSignal.timeout(deadlineSeconds * 1000),
  });

async function described({ id, name, status, reason, response }) {
  if (status === "ok") {
    return { id, name, status };
  }
  // The audit may have read the body already.
  const body = response.bodyUsed ? null : await response.text();
  return { id, name, status, reason, httpStatus: response.status, contentType: response.headers.get("content-type"), body };
}

async function audited() {
  try {
    return await auditServer({ url, fetchFn });
  } catch (error) {
    console.error(`${url} does not answer (${error.cause?.message ?? error.message}). Start the server and check the address.`);
    process.exit(2);
  }
}

const results = await Promise.all((await audited()).map(described));
console.log(JSON.stringify(results, null, 2));
process.exitCode = results.length > 0 && results.every(({ status }) => status === "ok") ? 0 : 1;
