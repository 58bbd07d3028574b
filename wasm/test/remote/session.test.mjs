// Promise: a database on a server is used as one that was opened here, and answers the same.

import assert from "node:assert/strict";
import test from "node:test";
import { connect, open } from "vectordoc";
import { Random } from "../random.mjs";
import { collect } from "../products.mjs";
import { ENCODINGS, WebSocket, startServer } from "./server.mjs";

const DIM = 8;
const COUNT = 300;
const SCHEMA = {
  id: "string",
  embedding: { vector: DIM, metric: "cosine" },
  price: { type: "number", filter: true },
  stock: { type: "u64", filter: true },
  debt: "i64?",
  tags: { type: "string[]", filter: true },
  title: { type: "string", text: true },
  photo: "bytes?",
  since: { type: "timestamp?", filter: true },
  place: { type: "geo?", filter: true },
  maker: { fields: { country: { type: "string", filter: true }, logo: "bytes?" }, optional: true },
  more: "json?",
};

function docs(random) {
  return Array.from({ length: COUNT }, (_, number) => ({
    id: `p${number}`,
    embedding: number % 2 === 0 ? random.vector(DIM) : Float32Array.from(random.vector(DIM)),
    price: number + 0.25,
    stock: number % 3 === 0 ? 2n ** 64n - 1n - BigInt(number) : number,
    ...(number % 4 === 0 && { debt: -(2n ** 63n) + BigInt(number) }),
    tags: [number % 2 === 0 ? "even" : "odd", "any"],
    title: `kettle ${["red", "blue", "grün"][number % 3]} ${number}`,
    ...(number % 5 === 0 && { photo: Uint8Array.of(0, number % 256, 255) }),
    ...(number % 6 === 0 && { since: new Date(number * 86_400_000) }),
    ...(number % 7 === 0 && { place: { lat: number / 10, lon: -number / 10 } }),
    ...(number % 8 === 0 && { maker: { country: "NL", logo: Uint8Array.of(1, 2) } }),
    ...(number % 9 === 0 && { more: { deep: [1, -2.5, null, { text: "12345678901234567890" }] } }),
  }));
}

/** Everything that can be done with a database, one after the other. */
function script(random) {
  const vector = random.vector(DIM);
  const all = docs(random);
  return [
    (db) => db.index(all),
    (db) => db.index({ ...all[0], title: "pot" }),
    (db) => db.index([]),
    (db) => db.update([all[1], all[2]]),
    (db) => db.update({ ...all[3], price: 1 }),
    (db) => db.update({ ...all[3], id: "nobody" }),
    (db) => db.index({ ...all[4], embedding: [1] }),
    (db) => db.index({ ...all[4], prise: 1 }),
    (db) => db.index({ ...all[4], price: NaN }),
    (db) => db.index({ ...all[4], title: () => 1 }),
    (db) => db.index({ ...all[4] }, { ifVersion: 0 }),
    (db) => db.patch("p5", { set: { "maker.country": "DE", embedding: vector, tags: [] } }),
    (db) => db.patch("p5", { unset: ["photo"], increment: { price: -0.5, stock: 7 } }),
    (db) => db.patch({ filter: { tags: "odd" } }, { increment: { price: 1000 } }),
    (db) => db.patch("p5", { set: { prise: 1 } }),
    (db) => db.patch("p5", { sat: {} }),
    (db) => db.get(["p0", "p3", "p4", "p5", "p35", "p72", "nobody"], { include: "*" }),
    (db) => db.get("p6"),
    (db) => db.get("p7", { include: ["price"], versions: true }).then((found) => found.doc),
    (db) => db.get("nobody"),
    (db) => db.get(7),
    (db) => db.count(),
    (db) => db.count({ filter: { stock: { $gte: 2n ** 64n - 100n } } }),
    (db) => db.count({ filter: { since: { $lt: new Date(50 * 86_400_000) } } }),
    (db) => db.count({ filter: { price: { $near: 1 } } }),
    (db) => db.facet("tags"),
    (db) => db.facet("stock", { limit: 3, filter: { tags: "even" } }),
    (db) => db.facet("tag"),
    (db) => db.search(vector, { limit: 7 }),
    (db) => db.search(Float32Array.from(vector), { limit: 3, include: "*" }),
    (db) => db.search(vector, { limit: 5, offset: 2, filter: { price: { $lt: 50 } }, include: [] }),
    (db) => db.search(vector, { text: "blue", fusion: { weighted: 0.5 }, limit: 4 }),
    (db) => db.search(vector, { groupBy: "maker.country", groupSize: 2, limit: 3 }),
    (db) => db.search(vector, { minScore: 0.2, exact: true, ef: 50, field: "embedding" }),
    (db) => db.search([1, 2]),
    (db) => db.search("near"),
    (db) => db.search(vector, { limit: -1 }),
    (db) => db.searchText("grün", { limit: 3, textField: "title" }),
    (db) => db.searchLike("p8", { unlike: "p9", limit: 3 }),
    (db) => db.searchLike(["p8", "p10"], { unlike: ["p9"], limit: 3 }),
    (db) => db.searchLike("nobody"),
    (db) => collect(db.scroll({ filter: { tags: "even" } })),
    (db) => collect(db.scroll({ orderBy: "price", descending: true, include: ["embedding"] })),
    (db) => collect(db.scroll({ descending: true })),
    (db) => db.delete(["p1", "p2", "nobody"]),
    (db) => db.delete("p3"),
    (db) => db.delete({ filter: { tags: "odd" } }),
    (db) => db.waitIndexed(),
    (db) => db.count(),
  ];
}

/** What a call comes to: its answer, or the code of its error. */
async function outcome(call, db) {
  try {
    return await call(db);
  } catch (error) {
    assert.equal(error.name, "VectordocError", String(error));
    return { code: error.code };
  }
}

/** Asserts that two answers are the same, but for how sums were rounded, and what versions count. */
function assertSame(actual, expected, message) {
  const [known, wanted] = [actual, expected].map((answer) => plain(answer));
  assert.deepEqual(known.answer, wanted.answer, message);
  const nearly = (number, at) => Math.abs(number - wanted.measures[at]) < 1e-4;
  assert.ok(known.measures.every(nearly), message);
}

/** An answer without its versions, and its scores and distances on their own. */
function plain(value, measures = []) {
  const without = (value) => {
    if (Array.isArray(value)) return value.map(without);
    if (value === null || typeof value !== "object" || ArrayBuffer.isView(value)) return value;
    const fields = Object.entries(value).map(([name, field]) => {
      const isMeasure = name === "score" || name === "distance";
      if (isMeasure) measures.push(field);
      return [name, isMeasure || name === "version" ? typeof field : without(field)];
    });
    return Object.fromEntries(fields);
  };
  return { answer: without(value), measures };
}

for (const encoding of ENCODINGS) {
  test(`${encoding}: every call answers as it does in an opened database`, async (t) => {
    const server = await startServer(t);
    const random = new Random();
    const here = await open("products", { schema: SCHEMA });
    const there = await connect(server.url, { db: "products", schema: SCHEMA, encoding, WebSocket });
    assert.deepEqual(there.schema, here.schema);
    for (const call of script(random)) {
      const [actual, expected] = [await outcome(call, there), await outcome(call, here)];
      assertSame(actual, expected, `${call} ${random.story}`);
    }
    await Promise.all([here.close(), there.close()]);
    await assert.rejects(there.count(), { code: "closed" });
    await assert.rejects(there.index([]), { code: "closed" });
    await there.close();
  });

  test(`${encoding}: a condition holds between two that are connected`, async (t) => {
    const server = await startServer(t);
    const schema = { id: "u64", count: "u64" };
    const options = { db: "counts", schema, encoding, WebSocket };
    const [one, other] = await Promise.all([connect(server.url, options), connect(server.url, options)]);
    const { version } = await one.index({ id: 2n ** 64n - 1n, count: 0 }, { ifVersion: 0 });
    const found = await other.get(2n ** 64n - 1n, { versions: true });
    assert.deepEqual(found, { doc: { id: 2n ** 64n - 1n, count: 0 }, version });
    await other.patch(2n ** 64n - 1n, { increment: { count: 1 } }, { ifVersion: version });
    const late = one.patch(2n ** 64n - 1n, { increment: { count: 1 } }, { ifVersion: version });
    await assert.rejects(late, { code: "conflict" });
    await assert.rejects(one.delete(2n ** 64n - 1n, { ifVersion: version }), { code: "conflict" });
    await Promise.all([one.close(), other.close()]);
  });

  test(`${encoding}: what one message cannot carry goes in several`, async (t) => {
    const server = await startServer(t);
    const options = { db: "long", schema: { id: "u64", text: "string" }, encoding, WebSocket };
    const db = await connect(server.url, options);
    // Longer than four messages may be, and than one answer.
    const text = "é".repeat(17_000);
    const long = Array.from({ length: 1_000 }, (_, id) => ({ id, text }));
    const progress = [];
    assert.deepEqual(await db.index(long, { onProgress: (at) => progress.push(at) }), { indexed: 1_000 });
    assert.equal(progress.length, 5);
    assert.deepEqual(progress.at(-1), { done: 1_000, total: 1_000 });
    assert.deepEqual(await collect(db.scroll()), long);
    const tooLong = { id: 2_000, text: "x".repeat(9_000_000) };
    await assert.rejects(db.index([{ id: 1_999, text }, tooLong]), {
      code: "limit_exceeded",
      message: /after 1 of 2, which are done: element 1 is longer/,
    });
    assert.equal(await db.count(), 1_001);
    await assert.rejects(db.search("x".repeat(9_000_000)), { code: "limit_exceeded" });
    const ids = Array.from({ length: 150_000 }, (_, id) => id);
    const { deleted, missing } = await db.delete(ids);
    assert.deepEqual([deleted, missing.length], [1_001, 148_999]);
    await db.close();
  });

  test(`${encoding}: many at once are answered, and writes keep their order`, async (t) => {
    const server = await startServer(t);
    const db = await connect(server.url, { db: "many", schema: { id: "u64", n: "u64" }, encoding, WebSocket });
    const writes = Array.from({ length: 200 }, (_, n) => db.index({ id: 1, n }));
    const reads = Array.from({ length: 500 }, () => db.count());
    await Promise.all(writes);
    assert.ok((await Promise.all(reads)).every((count) => count <= 1));
    assert.deepEqual(await db.get(1), { id: 1, n: 199 });
    const last = db.index({ id: 2, n: 0 });
    await db.close();
    assert.equal((await last).indexed, 1);
  });
}

test("a database is created, found, or another than wanted", async (t) => {
  const server = await startServer(t);
  const schema = { id: "string", title: "string" };
  await assert.rejects(connect(server.url, { db: "notes", WebSocket }), { code: "not_found" });
  const created = await connect(server.url, { db: "notes", schema, WebSocket });
  await created.index({ id: "a", title: "A" });
  const found = await connect(server.url, { db: "notes", WebSocket });
  assert.deepEqual(found.schema, schema);
  assert.deepEqual(await found.get("a"), { id: "a", title: "A" });
  const other = connect(server.url, { db: "notes", schema: { id: "u64" }, WebSocket });
  await assert.rejects(other, { code: "conflict" });
  await Promise.all([created.close(), found.close()]);
});

test("options that are wrong are refused before anything is sent", async () => {
  const right = { db: "notes", WebSocket };
  for (const [url, options, code, message] of [
    ["http://localhost", right, "invalid", /no address such as wss/],
    ["localhost:7700", right, "invalid", /no address/],
    ["", right, "invalid", /no address/],
    ["ws://localhost:1", right, "unavailable", /cannot connect to ws:\/\/localhost:1\/v1\/ws/],
    ["ws://localhost:1", { ...right, encoding: "xml" }, "invalid", /"cbor" or "json"/],
    ["ws://localhost:1", { ...right, db: undefined }, "invalid", /the name of a database/],
    ["ws://localhost:1", { ...right, apiKey: 5 }, "invalid", /apiKey/],
    ["ws://localhost:1", { ...right, timeoutMs: 0 }, "invalid", /timeoutMs/],
    ["ws://localhost:1", { ...right, key: "k" }, "invalid", /unknown option "key"/],
  ]) {
    await assert.rejects(connect(url, options), { name: "VectordocError", code, message });
  }
});

test("a runtime without a WebSocket says so", async (t) => {
  const kept = Object.getOwnPropertyDescriptor(globalThis, "WebSocket");
  Object.defineProperty(globalThis, "WebSocket", { value: undefined, configurable: true });
  t.after(() => kept && Object.defineProperty(globalThis, "WebSocket", kept));
  const message = /no WebSocket here \(Node has one from version 22 on\)/;
  await assert.rejects(connect("ws://localhost:1", { db: "a" }), { code: "unsupported", message });
});
