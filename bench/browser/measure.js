// What is measured in a page of ours, beside bare IndexedDB: writing, reading back, and how long
// the page's thread is kept from anything else.

import { open } from "/vectordoc/browser.js";
import { documentOf, indexRows, schema } from "./documents.js";

const NAME = "bench";
/** The databases we compare with: of values as large as documents, and of large ones. */
const BARE = "bare";
const BULK = "bare-bulk";
const LIMIT = 10;
const QUERIES = 500;
const ADDED = 50;
/** What a document is besides its vector, about: an id, two values and what frames them. */
const BESIDES_VECTOR_BYTES = 24;
/** Large values, which browsers keep as files, and how many of them one transaction writes. */
const BULK_VALUE_BYTES = 1024 * 1024;
const BULK_PIECE = 4;

let db;

/** Writes all documents, waits for the index and searches, all of it watched. */
export async function fill(documents, dim) {
  const base = await numbers(Float32Array, "iso-base.f32", documents * dim);
  const queries = await numbers(Float32Array, "iso-query.f32", QUERIES * dim);
  const watch = watchThread();
  const started = performance.now();
  db = await open(NAME, { schema: schema(dim) });
  await indexRows(db, base, dim);
  const acknowledged_ms = performance.now() - started;
  await db.waitIndexed();
  const ready_ms = performance.now() - started;
  const searches = [];
  for (let query = 0; query < QUERIES; query++) {
    const vector = queries.slice(query * dim, (query + 1) * dim);
    searches.push(await timed(() => db.search(vector, { limit: LIMIT, include: [] })));
  }
  return { acknowledged_ms, ready_ms, search_ms: median(searches), ...watch.stop() };
}

/** Adds one document after the other, each time before or after a put of as many bytes. */
export async function add(documents, dim) {
  const bare = await openBare(BARE);
  const [ours, bares] = [[], []];
  for (let added = 0; added < ADDED; added++) {
    const vector = Float32Array.from({ length: dim }, () => Math.random() - 0.5);
    const bytes = new Uint8Array(vector.byteLength + BESIDES_VECTOR_BYTES);
    const turns = [
      async () => ours.push(await timed(() => db.index(documentOf(documents + added, vector)))),
      async () => bares.push(await timed(() => put(bare, [[added, bytes]]))),
    ];
    for (const turn of added % 2 === 0 ? turns : turns.toReversed()) await turn();
  }
  bare.close();
  return { add_ms: median(ours), bare_put_ms: median(bares) };
}

/** Writes as many bytes as vectordoc did, in large values. */
export async function writeBulk(bytes) {
  const bulk = await openBare(BULK);
  const values = Math.ceil(bytes / BULK_VALUE_BYTES);
  for (let from = 0; from < values; from += BULK_PIECE) {
    const length = Math.min(BULK_PIECE, values - from);
    const piece = Array.from({ length }, (_, at) => [from + at, noise(BULK_VALUE_BYTES)]);
    await put(bulk, piece);
  }
  bulk.close();
}

/** Opens what was written and searches; rejects when the answer is not of `fill`'s documents. */
export async function firstAnswer(documents, dim) {
  const query = await numbers(Float32Array, "iso-query.f32", dim);
  const truth = await numbers(Int32Array, `iso-gt-${documents}.i32`, LIMIT);
  const started = performance.now();
  db = await open(NAME, { schema: schema(dim) });
  const hits = await db.search(query, { limit: LIMIT, include: [] });
  const first_answer_ms = performance.now() - started;
  const found = hits.filter(({ id }) => truth.includes(id)).length;
  if (found < LIMIT - 1) {
    throw new Error(`${found} of the nearest ${LIMIT} were found after opening again`);
  }
  return { first_answer_ms };
}

/** Reads the value of every key that vectordoc wrote, and does nothing with it. */
export const readBare = async () => ({ bare_read_ms: await timed(readAll) });

/** Reads what `writeBulk` wrote. */
export const readBulk = async () => ({ bulk_read_ms: await timed(() => readDatabase(BULK)) });

/** What rests: the bytes of all values, and what the browser says is used. */
export async function stored() {
  const { usage } = await navigator.storage.estimate();
  return { bytes: await readAll(), usage };
}

/**
 * How long nothing else can run, at the longest: what the browser calls a long task (those under
 * 50 ms it does not tell), and the gap between two turns of a timer, which has its own 4 ms in it.
 */
function watchThread() {
  const longest = { task_ms: 0, gap_ms: 0 };
  const keep = (entries) => {
    for (const { duration } of entries) longest.task_ms = Math.max(longest.task_ms, duration);
  };
  const observer = new PerformanceObserver((list) => keep(list.getEntries()));
  observer.observe({ type: "longtask" });
  let last = performance.now();
  let timer = setTimeout(function turn() {
    const now = performance.now();
    longest.gap_ms = Math.max(longest.gap_ms, now - last);
    last = now;
    timer = setTimeout(turn);
  });
  const stop = () => {
    clearTimeout(timer);
    keep(observer.takeRecords());
    observer.disconnect();
    return longest;
  };
  return { stop };
}

/** The same of a page that does nothing: what the machine adds. */
export async function idle(ms) {
  const watch = watchThread();
  await new Promise((resolve) => setTimeout(resolve, ms));
  return watch.stop();
}

async function readAll() {
  let bytes = 0;
  for (const { name } of await indexedDB.databases()) {
    if (!name.startsWith(BARE)) bytes += await readDatabase(name);
  }
  return bytes;
}

async function readDatabase(name) {
  let bytes = 0;
  const database = await settled(indexedDB.open(name));
  for (const store of database.objectStoreNames) bytes += await readStore(database, store);
  database.close();
  return bytes;
}

/** All requests at once, one for each key: requests for several keys took longer. */
async function readStore(database, name) {
  const store = database.transaction(name).objectStore(name);
  const keys = await settled(store.getAllKeys());
  const values = await Promise.all(keys.map((key) => settled(store.get(key))));
  return values.reduce((sum, value) => sum + sizeOf(value), 0);
}

const sizeOf = (value) => value.byteLength ?? value.size ?? 0;

async function openBare(name) {
  const request = indexedDB.open(name);
  request.onupgradeneeded = () => request.result.createObjectStore("values");
  return settled(request);
}

async function put(database, entries) {
  const transaction = database.transaction("values", "readwrite", { durability: "relaxed" });
  for (const [key, value] of entries) transaction.objectStore("values").put(value, key);
  await new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
}

const settled = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** Bytes that no disk packs. */
function noise(length) {
  const words = Uint32Array.from({ length: length / 4 }, () => Math.random() * 2 ** 32);
  return new Uint8Array(words.buffer);
}

async function numbers(Kind, file, length) {
  const bytes = length * Kind.BYTES_PER_ELEMENT;
  return new Kind(await (await fetch(`/data/${file}?bytes=${bytes}`)).arrayBuffer());
}

async function timed(work) {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
