// Measures aside from the page: the same entries in several databases in memory, searched alike.

import { type Database, open } from "vectordoc";
import type { Entry } from "../corpus/entry";
import { EFS, type FromLaboratory, type Point, type Series, type ToLaboratory } from "./measurement";

/** As much of an entry as searches need. */
type Bare = Pick<Entry, "id" | "embedding" | "part" | "category">;

const ENTRIES_MAX = 10_000;
const QUERIES = 50;
const LIMIT = 10;

self.onmessage = ({ data }: MessageEvent<ToLaboratory>) => {
  measure(data).catch((error: unknown) =>
    tell({ kind: "failed", message: error instanceof Error ? error.message : String(error) }),
  );
};

async function measure({ name, part }: ToLaboratory): Promise<void> {
  const entries = await read(name);
  const queries = chosen(entries);
  const all: Series[] = [
    { name: "4 bits, the default", quantization: "bits4", filter: {} },
    { name: "1 bit", quantization: "binary", filter: {} },
    { name: "32 bits, not reduced", quantization: "f32", filter: {} },
  ];
  if (part !== undefined) {
    all.splice(1, 0, { name: "4 bits, filtered", quantization: "bits4", filter: { part } });
  }
  let db: Database<Bare> | undefined;
  for (const [number, series] of all.entries()) {
    if (all[number - 1]?.quantization !== series.quantization) {
      await db?.close();
      db = await build(entries, series);
    }
    await run(db as Database<Bare>, queries, series);
  }
  await db?.close();
  tell({ kind: "done", entries: entries.length });
}

/** The entries of a database that the page has open too. */
async function read(name: string): Promise<Entry[]> {
  const db = await open<Entry>(name);
  const total = Math.min(ENTRIES_MAX, await db.count());
  const entries: Entry[] = [];
  for await (const entry of db.scroll({ include: "*" })) {
    entries.push(entry as Entry);
    if (entries.length % 500 === 0) phase("Reading", entries.length, total);
    if (entries.length === total) break;
  }
  await db.close();
  return entries;
}

/** Entries that are asked with, spread over all. */
function chosen(entries: readonly Entry[]): Float32Array[] {
  const count = Math.min(QUERIES, entries.length);
  return Array.from({ length: count }, (_, number) => {
    const entry = entries[Math.floor((number * entries.length) / count)] as Entry;
    return entry.embedding;
  });
}

async function build(entries: readonly Entry[], { quantization, name }: Series): Promise<Database<Bare>> {
  const dim = entries[0]?.embedding.length ?? 1;
  const schema = {
    id: "integer",
    embedding: {
      vector: dim,
      metric: "cosine",
      index: "hnsw",
      ...(quantization !== "bits4" && { quantization }),
    },
    part: { type: "string", filter: true },
    category: { type: "string", filter: true },
  } as const;
  const db = await open<Bare>(`laboratory ${quantization}`, { schema, store: "memory" });
  const bare = entries.map(({ id, embedding, part, category }) => ({ id, embedding, part, category }));
  await db.index(bare);
  await db.waitIndexed({ onProgress: ({ done, total }) => phase(`Building the graph of ${name}`, done, total) });
  return db;
}

async function run(db: Database<Bare>, queries: readonly Float32Array[], series: Series): Promise<void> {
  const { memoryBytes } = await db.stats();
  const truths: Set<unknown>[] = [];
  for (const vector of queries) {
    const hits = await db.search(vector, { limit: LIMIT, filter: series.filter, exact: true, include: [] });
    truths.push(new Set(hits.map(({ id }) => id)));
  }
  for (const [number, ef] of EFS.entries()) {
    phase(`Searching ${series.name}`, number, EFS.length);
    const point = await measureAt(db, queries, truths, series, ef);
    tell({ kind: "point", series: series.name, point, memoryBytes });
  }
}

async function measureAt(
  db: Database<Bare>,
  queries: readonly Float32Array[],
  truths: readonly Set<unknown>[],
  { filter }: Series,
  ef: number,
): Promise<Point> {
  const options = { limit: LIMIT, filter, ef, include: [] } as const;
  const times: number[] = [];
  let [right, wanted, visited, plan] = [0, 0, 0, ""];
  for (const [number, vector] of queries.entries()) {
    const started = performance.now();
    const explained = await db.explain(vector, options);
    times.push(performance.now() - started);
    const truth = truths[number] as Set<unknown>;
    right += explained.hits.filter(({ id }) => truth.has(id)).length;
    wanted += truth.size;
    visited += explained.visited;
    plan = explained.plan;
  }
  times.sort((a, b) => a - b);
  const milliseconds = times[Math.floor(times.length / 2)] ?? 0;
  return { ef, recall: right / Math.max(1, wanted), milliseconds, visited: visited / queries.length, plan };
}

function phase(words: string, done: number, total: number): void {
  tell({ kind: "phase", words, done, total });
}

function tell(message: FromLaboratory): void {
  self.postMessage(message);
}
