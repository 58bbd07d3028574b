// Compares vectordoc in a browser with other packages, on the same bytes in a real Chromium, and
// what it writes with bare IndexedDB: `bench/browser/run HARNESS`. The contenders take turns in
// each round; every other round goes the other way round.

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { round } from "./browser.mjs";
import { OURS, aloneTable, peersTable, ratiosTable } from "./table.mjs";
import { HARNESS, fail, prepare, run } from "./workplace.mjs";

const BUILT = fileURLToPath(new URL("../../wasm/dist", import.meta.url));
const USAGE = `usage: bench/browser/run HARNESS [options]

HARNESS is the folder of the peers' harness (or the environment says VECTORDOC_BROWSER_HARNESS).
It is no part of this repository: a folder with run-browser.mjs, server.mjs, gen-data.mjs and
adapters/, which drives each package by an adapter and writes results/PEER-N-iso-TAG.json.

  --peers NAMES       adapters of the harness (default ferrovec,sol,hnswlib-wasm,orama)
  --documents COUNTS  10000, 50000 or both (default 10000,50000)
  --rounds N          rounds (default 3)
  --package DIST      the built package (default wasm/dist, by npm run build)
  --alone             only vectordoc beside bare IndexedDB, without peers
  --peers-only        only the peers, without bare IndexedDB
  --json              print everything measured`;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    peers: { type: "string", default: "ferrovec,sol,hnswlib-wasm,orama" },
    documents: { type: "string", default: "10000,50000" },
    rounds: { type: "string", default: "3" },
    package: { type: "string", default: BUILT },
    alone: { type: "boolean", default: false },
    "peers-only": { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (options.help) {
  console.log(USAGE);
  process.exit(0);
}

const harness = positionals[0] ?? process.env.VECTORDOC_BROWSER_HARNESS;
if (harness === undefined || !existsSync(`${harness}/run-browser.mjs`)) {
  fail(`${harness ?? "no folder"} is given as the peers' harness.\n\n${USAGE}`);
}
const counts = options.documents.split(",").map(Number);
const rounds = Number(options.rounds);
const peers = options.peers.split(",");
if (counts.some((count) => ![10_000, 50_000].includes(count)) || !(rounds >= 1)) fail(USAGE);
const missing = peers.find((peer) => !existsSync(`${harness}/adapters/${peer}.js`));
if (missing !== undefined) fail(`the harness has no adapter called ${missing}`);

if (!existsSync(`${options.package}/browser.js`)) {
  fail(`${options.package} has no browser.js: npm ci && npm run build in wasm/`);
}

prepare(harness, options.package, [...OURS, ...peers], Math.max(...counts));
const results = [];
for (const documents of counts) {
  for (let turn = 1; turn <= rounds; turn++) {
    const names = options.alone ? [] : [...OURS, ...peers];
    if (turn % 2 === 0) names.reverse();
    const searched = Object.fromEntries(names.map((name) => [name, search(name, documents, turn)]));
    const alone = options["peers-only"] ? undefined : await round(documents);
    results.push({ documents, searched, alone });
  }
}
console.log(options.json ? JSON.stringify(results) : report());

/** What the harness measures of one contender. */
function search(name, documents, turn) {
  console.error(`round ${turn} of ${rounds}, ${documents} documents: ${name}`);
  const tag = `round${turn}`;
  const without = ["--no-persist", "--no-open", "--no-remove", "--quiet"];
  run("bash", ["bench.sh", name, documents, ...without, "--tag", tag], HARNESS);
  const file = `${HARNESS}/results/${name}-${documents}-iso-${tag}.json`;
  const { build } = JSON.parse(readFileSync(file, "utf8"));
  if (build.error || build.partial) {
    console.error(`${name} has no figures: ${build.error ?? "it was too slow to be built"}`);
    return {};
  }
  return build;
}

function report() {
  const parts = [];
  if (!options.alone) parts.push(peersTable(results), ratiosTable(results));
  if (!options["peers-only"]) parts.push(aloneTable(results));
  return parts.join("\n\n");
}
