// How hits were found, the way through the graph, and how large a database is.

import assert from "node:assert/strict";
import test from "node:test";
import { connect, open } from "vectordoc";
import { Random } from "./random.mjs";
import { WebSocket, startServer } from "./remote/server.mjs";

const DIM = 8;
const DOCUMENTS = 1_500;
const SCHEMA = {
  id: "u64",
  v: { vector: DIM, metric: "cosine", index: "hnsw" },
  even: { type: "bool", filter: true },
};

function docs(random) {
  return Array.from({ length: DOCUMENTS }, (_, id) => ({ id, v: random.vector(DIM), even: id % 2 === 0 }));
}

test("a search that is explained finds the same, and says how", async () => {
  const random = new Random();
  const db = await open("explained", { schema: SCHEMA });
  await db.index(docs(random));
  await db.waitIndexed();
  const vector = random.vector(DIM);
  for (const options of [{}, { ef: 12, limit: 3 }, { exact: true }, { filter: { even: true }, include: [] }]) {
    const { hits, plan, visited, exact, allowed, path } = await db.explain(vector, options);
    assert.deepEqual(hits, await db.search(vector, options), random.story);
    assert.equal(exact, options.exact === true);
    assert.equal(plan === "exact", exact);
    assert.equal(allowed, options.filter ? DOCUMENTS / 2 : DOCUMENTS);
    assert.ok(visited > 0 && visited <= DOCUMENTS + 100, String(visited));
    assert.equal(path, undefined);
  }
  await db.close();
});

test("the path of a search goes down the levels and over its hits", async () => {
  const random = new Random();
  const db = await open("path", { schema: SCHEMA });
  await db.index(docs(random));
  await db.waitIndexed();
  const { hits, path } = await db.explain(random.vector(DIM), { path: true, ef: 20, limit: 5 });
  const levels = path.map(({ level }) => level);
  assert.deepEqual(levels, levels.toSorted((a, b) => b - a));
  assert.ok(levels[0] > 0 && levels.at(-1) === 0);
  const compared = new Set(path.flatMap((hop) => hop.compared));
  assert.ok(hits.every(({ id }) => compared.has(id)), random.story);
  for (const { at, compared, distances } of path) {
    assert.ok(at >= 0 && at < DOCUMENTS);
    assert.ok(distances instanceof Float32Array && distances.length === compared.length);
  }
  await db.close();
});

test("where there is no graph the path is empty, and a mistake is named", async () => {
  const db = await open("flat", { schema: { ...SCHEMA, v: { vector: 2, index: "exact" } } });
  await db.index({ id: 1, v: [1, 0], even: false });
  assert.deepEqual((await db.explain([1, 0], { path: true })).path, []);
  await assert.rejects(db.explain([1, 0], { groupBy: "even" }), /unknown option "groupBy"/);
  await assert.rejects(db.explain([1, 0, 0]), { code: "invalid" });
  await db.close();
});

test("a database knows how large it is", async () => {
  const random = new Random();
  const db = await open("sized", { schema: SCHEMA });
  const empty = await db.stats();
  assert.equal(empty.documents, 0);
  await db.index(docs(random));
  await db.waitIndexed();
  const { documents, unindexed, memoryBytes } = await db.stats();
  assert.deepEqual([documents, unindexed], [DOCUMENTS, 0]);
  assert.ok(memoryBytes > empty.memoryBytes + DOCUMENTS * DIM * 4, String(memoryBytes));
  await db.close();
});

test("a server explains too, but for the path", async (t) => {
  const server = await startServer(t);
  const random = new Random();
  const db = await connect(server.url, { db: "explained", schema: SCHEMA, WebSocket });
  await db.index(docs(random));
  const vector = random.vector(DIM);
  const { hits, plan, allowed, exact } = await db.explain(vector, { exact: true, include: [] });
  assert.deepEqual(hits, await db.search(vector, { exact: true, include: [] }));
  assert.deepEqual([plan, allowed, exact], ["exact", DOCUMENTS, true]);
  assert.equal((await db.stats()).documents, DOCUMENTS);
  await assert.rejects(db.explain(vector, { path: true }), { code: "unsupported" });
  await db.close();
});
