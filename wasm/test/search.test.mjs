import assert from "node:assert/strict";
import test from "node:test";
import { open } from "vectordoc";
import { openProducts } from "./products.mjs";
import { Random } from "./random.mjs";

/** For every metric: what it measures, and the score made of it. */
const METRICS = {
  cosine: {
    distance: (a, b) => 1 - dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b)),
    score: (distance) => 1 - distance,
  },
  l2: {
    distance: (a, b) => Math.hypot(...a.map((number, i) => number - b[i])),
    score: (distance) => 1 / (1 + distance),
  },
  dot: { distance: (a, b) => -dot(a, b), score: (distance) => -distance },
};

function dot(a, b) {
  return a.reduce((sum, number, i) => sum + number * b[i], 0);
}

for (const [metric, { distance, score }] of Object.entries(METRICS)) {
  test(`with ${metric} hits are those of a plain sort, best first`, async () => {
    const random = new Random();
    const schema = { id: "u64", v: { vector: 13, metric } };
    const docs = Array.from({ length: 300 }, (_, id) => ({ id, v: random.vector(13) }));
    const db = await open("random", { schema });
    await db.index(docs);
    const query = random.vector(13);
    const hits = await db.search(query, { limit: 20, offset: 5 });
    const expected = docs
      .map(({ id, v }) => ({ id, distance: distance(query, v) }))
      .sort((a, b) => a.distance - b.distance)
      .slice(5, 25);
    assert.deepEqual(
      hits.map((hit) => hit.id),
      expected.map((hit) => hit.id),
      random.story,
    );
    hits.forEach((hit, i) => {
      assert.ok(Math.abs(hit.distance - expected[i].distance) < 1e-5, random.story);
      assert.ok(Math.abs(hit.score - score(hit.distance)) < 1e-5, random.story);
      assert.ok(i === 0 || hit.score <= hits[i - 1].score, random.story);
    });
    await db.close();
  });
}

test("a filter leaves exactly the matching hits", async () => {
  const db = await openProducts();
  const ids = async (filter) => (await db.search([1, 0], { filter })).map((hit) => hit.id);
  assert.deepEqual(await ids({ price: { $lt: 50 } }), ["chair", "lamp"]);
  assert.deepEqual(await ids({ tags: "wood", price: { $gt: 50 } }), ["table"]);
  assert.deepEqual(await ids({ "maker.country": { $in: ["DE", "NL"] } }), ["table", "lamp"]);
  assert.deepEqual(await ids({ $or: [{ price: 15 }, { tags: "new" }] }), ["chair", "lamp"]);
  assert.deepEqual(await ids({ $not: { tags: { $contains: "wood" } } }), ["lamp"]);
  assert.deepEqual(await ids({ price: 1 }), []);
  assert.equal(await db.count({ filter: { price: { $lt: 50 } } }), 2);
  await db.close();
});

test("a search by example finds what is like it, away from what it is unlike", async () => {
  const db = await openProducts();
  const ids = async (...question) => (await db.searchLike(...question)).map((hit) => hit.id);
  assert.deepEqual(await ids("chair"), ["table", "lamp"]);
  assert.deepEqual(await ids(["chair", "lamp"]), ["table"]);
  assert.deepEqual(await ids("table", { unlike: "chair", limit: 1 }), ["lamp"]);
  assert.deepEqual(await ids(["table"], { filter: { price: { $lt: 20 } } }), ["lamp"]);
  await db.close();
});

test("groups are the best of each value, best first", async () => {
  const db = await openProducts();
  await db.index({ id: "desk", embedding: [0.8, 0.2], price: 90, tags: [], title: "Desk" });
  const shown = (groups) => groups.map(({ value, hits }) => [value, hits.map((hit) => hit.id)]);
  assert.deepEqual(shown(await db.search([1, 0], { groupBy: "price", groupSize: 2 })), [
    [40, ["chair"]],
    [90, ["table", "desk"]],
    [15, ["lamp"]],
  ]);
  assert.deepEqual(shown(await db.searchLike("lamp", { groupBy: "price", limit: 1 })), [
    [90, ["desk"]],
  ]);
  const [group] = await db.search([1, 0], { groupBy: "maker.country", include: ["title"] });
  assert.deepEqual(group.hits[0].doc, { id: "table" });
  await db.close();
});

test("options given as undefined are as if not given", async () => {
  const db = await openProducts();
  const plain = await db.search([1, 0]);
  const options = { limit: undefined, filter: undefined, include: undefined, ef: undefined };
  assert.deepEqual(await db.search([1, 0], options), plain);
  await db.close();
});

test("a score too low and a limit of none leave hits out", async () => {
  const db = await openProducts();
  assert.deepEqual(
    (await db.search([1, 0], { minScore: 0.95 })).map((hit) => hit.id),
    ["chair", "table"],
  );
  assert.deepEqual(await db.search([1, 0], { limit: 0 }), []);
  await db.close();
});

test("a graph finds what a scan finds, while it is built and after", async () => {
  const random = new Random();
  const schema = { id: "u64", v: { vector: 16, metric: "l2", index: "hnsw" } };
  const docs = Array.from({ length: 3_000 }, (_, id) => ({ id, v: random.vector(16) }));
  const db = await open("graph", { schema });
  await db.index(docs);
  const recall = async () => {
    let found = 0;
    for (let i = 0; i < 50; i++) {
      const query = random.vector(16);
      const exact = (await db.search(query, { exact: true })).map((hit) => hit.id);
      const hits = await db.search(query);
      assert.equal(hits.length, 10, random.story);
      found += hits.filter((hit) => exact.includes(hit.id)).length;
    }
    return found / 500;
  };
  assert.ok((await recall()) >= 0.95, random.story);
  const seen = [];
  await db.waitIndexed({ onProgress: ({ done, total }) => seen.push(done / total) });
  assert.equal(seen.at(-1), 1);
  assert.ok((await recall()) >= 0.95, random.story);
  await db.close();
});

test("words are found alone, and together with a vector", async () => {
  const gloss = { type: "string", text: true };
  const db = await open("notes", { schema: { id: "u64", v: { vector: 2, metric: "l2" }, gloss } });
  const texts = ["a wild cat", "the dog", "a cat", "wild geese", "cats"];
  await db.index(texts.map((text, id) => ({ id, v: [id, 0], gloss: text })));
  const ids = async (hits) => (await hits).map((hit) => hit.id);
  assert.deepEqual(await ids(db.searchText("Wild CAT!")), [0, 2, 3]);
  assert.deepEqual(await ids(db.searchText("cat", { textField: "gloss", limit: 1 })), [2]);
  assert.deepEqual(await ids(db.searchText("🐱")), []);
  assert.equal((await ids(db.search([2.2, 0], { text: "cat" })))[0], 2);
  const weighted = { text: "geese", fusion: { weighted: 0 } };
  assert.deepEqual(await ids(db.search([0, 0], weighted)), [0, 1, 2, 3, 4]);
  assert.equal(await db.count({ filter: { gloss: { $text: "cat" } } }), 2);
  await assert.rejects(db.search([0, 0], { fusion: "rrf" }), { code: "invalid", message: /give both/ });
  await assert.rejects(db.search(undefined, { text: "cat" }), { code: "invalid", message: /searchText/ });
  await assert.rejects(db.searchText("cat", { textField: "v" }), { code: "invalid" });
  await db.close();
});
