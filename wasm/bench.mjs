// How fast the package searches in Node, by one thread, and how that compares with the native
// program: `npm run bench -- [DIR] [--native path/to/vectordoc] [--rounds N]`.
//
// DIR has base.npy, queries.npy and gt_ids.npy (`vectordoc bench --help` describes it). The rates
// are those at which the recall of 10 hits is 0.95 and 0.99, interpolated between values of `ef`.
// Every module this Node runs rightly is measured, the one that `open` chooses last; with `--native`
// so is that program. They take turns in this run: machines are not as fast at all times.

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { CHOSEN, MODULES, openIn } from "./modules.mjs";
import { readRows } from "./npy.mjs";

const LIMIT = 10;
const EF = [10, 15, 20, 30, 40, 60, 80, 120, 160, 240, 320];
const RECALLS = [0.95, 0.99];
/** Queries are asked again, all of them, until they took this long; as the native program does. */
const MEASURED_MS_MIN = 1_000;
const BATCH_DOCUMENTS = 1_000;
const DEFAULT_FOLDER = fileURLToPath(new URL("../../shared/data/wordnet50k", import.meta.url));
/** What both programs read. Others, such as filters, would only be measured by one of them. */
const FILES = ["dataset.json", "base.npy", "queries.npy", "gt_ids.npy"];

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { native: { type: "string" }, rounds: { type: "string", default: "5" } },
});
const folder = resolve(positionals[0] ?? DEFAULT_FOLDER);
if (!existsSync(folder)) {
  console.error(`there is no ${folder}; name a data set folder: npm run bench -- DIR`);
  process.exit(2);
}

const dataset = JSON.parse(await readFile(join(folder, "dataset.json"), "utf8"));
const queries = await readRows(join(folder, "queries.npy"));
const truth = await readRows(join(folder, "gt_ids.npy"));
const modules = MODULES.slice(0, MODULES.indexOf(CHOSEN) + 1);
console.log(`Node ${process.version} chooses ${CHOSEN}`);
const databases = [];
for (const name of modules) databases.push(await build(name));
const rounds = [];
for (let round = 1; round <= Number(options.rounds); round++) {
  const native = options.native === undefined ? undefined : sweepNative();
  for (const db of databases) {
    rounds.push({ module: db.name, wasm: await sweep(db), native });
    print(`round ${round}`, rounds.at(-1));
  }
}
for (const db of databases) await db.close();
modules.forEach(printSummary);

/** A database of all rows in the engine of a module, their index built. */
async function build(name) {
  const { dim, metric } = dataset;
  const db = await openIn(name, { id: "u64", v: { vector: dim, metric } });
  const rows = await readRows(join(folder, "base.npy"));
  const started = performance.now();
  for (let from = 0; from < rows.length; from += BATCH_DOCUMENTS) {
    await db.index(rows.slice(from, from + BATCH_DOCUMENTS).map((v, i) => ({ id: from + i, v })));
  }
  await db.waitIndexed();
  const seconds = (performance.now() - started) / 1_000;
  console.log(`${name}: ${rows.length} documents of ${dim} numbers in ${seconds.toFixed(1)} s`);
  return db;
}

/** Rate and recall by `ef`. */
async function sweep(db) {
  const points = [];
  for (const ef of EF) {
    points.push(await measure(db, ef));
  }
  return points;
}

/** The first round over the queries warms up, and tells the recall. */
async function measure(db, ef) {
  const answers = await ask(db, ef);
  let [rounds, elapsed] = [0, 0];
  const started = performance.now();
  while (elapsed < MEASURED_MS_MIN) {
    await ask(db, ef);
    rounds += 1;
    elapsed = performance.now() - started;
  }
  const found = answers.map((hits, query) => {
    const ids = new Set(truth[query].subarray(0, LIMIT));
    return hits.filter(({ id }) => ids.has(Number(id))).length;
  });
  const recall = found.reduce((sum, found) => sum + found, 0) / (LIMIT * queries.length);
  return { ef, recall, qps: (rounds * queries.length * 1_000) / elapsed };
}

async function ask(db, ef) {
  const answers = [];
  for (const query of queries) {
    answers.push(await db.search(query, { limit: LIMIT, ef, include: [] }));
  }
  return answers;
}

/** The same by the native program, which builds its own database. */
function sweepNative() {
  const bare = mkdtempSync(join(tmpdir(), "vectordoc-bench-"));
  try {
    FILES.forEach((file) => symlinkSync(join(folder, file), join(bare, file)));
    const args = ["bench", bare, "--json", "--threads=1", `--limit=${LIMIT}`, `--ef=${EF}`];
    const output = { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] };
    return JSON.parse(execFileSync(resolve(options.native), args, output)).search;
  } finally {
    rmSync(bare, { recursive: true });
  }
}

/**
 * The rate at which a recall is reached, between two values of `ef` on a line of the rate's
 * logarithm; `undefined` when none reaches it, and the fastest there is when the first does.
 */
function rateAt(points, recall) {
  const at = points.findIndex((point) => point.recall >= recall);
  if (at <= 0) return points[at]?.qps;
  const [below, above] = [points[at - 1], points[at]];
  const part = (recall - below.recall) / (above.recall - below.recall);
  return below.qps * (above.qps / below.qps) ** part;
}

function print(name, { module, wasm, native }) {
  const cells = RECALLS.map((recall) => {
    const [ours, theirs] = [rateAt(wasm, recall), native && rateAt(native, recall)];
    return `recall ${recall}: ${row(ours, theirs)}`;
  });
  console.log(`${name}, ${module}: ${cells.join("; ")}`);
}

function row(wasm, native) {
  const rate = (qps) => (qps === undefined ? "not reached" : `${qps.toFixed(0)} queries/s`);
  if (options.native === undefined) return rate(wasm);
  return `${rate(wasm)}, native ${rate(native)}, ratio ${(wasm / native).toFixed(2)}`;
}

/** Every `ef` of the last round of a module, and the medians of all its rounds. */
function printSummary(module) {
  const own = rounds.filter((round) => round.module === module);
  for (const { ef, recall, qps } of own.at(-1).wasm) {
    console.log(`${module}, ef ${ef}: recall ${recall.toFixed(4)}, ${qps.toFixed(0)} queries/s`);
  }
  for (const recall of RECALLS) {
    const rates = own.map(({ wasm }) => rateAt(wasm, recall));
    const natives = own.map(({ native }) => native && rateAt(native, recall));
    const ratios = rates.map((rate, round) => rate / natives[round]);
    const compared = options.native && `, ratio to native ${median(ratios).toFixed(2)}`;
    const rate = `${median(rates)?.toFixed(0)} queries/s${compared ?? ""}`;
    console.log(`${module}, median at recall ${recall}: ${rate}`);
  }
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1];
}
