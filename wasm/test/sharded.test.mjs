// A database in several engines that share no memory answers as one engine does.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { Database } from "../dist/database.js";
import { Host } from "../dist/host.js";
import { moduleUrl } from "../dist/module.js";
import * as raw from "../dist/raw/engine.js";
import { claim } from "../dist/shard.js";
import { Sharded } from "../dist/sharded.js";
import { MemoryStore } from "./memory_store.mjs";
import { collect } from "./products.mjs";
import { Random } from "./random.mjs";

await raw.default({ module_or_path: readFile(moduleUrl()) });

const SCHEMA = {
  id: "string",
  v: { vector: 4, metric: "l2" },
  w: { vector: 3, metric: "cosine", optional: true },
  text: { type: "string", text: true },
  note: { type: "string", text: true, optional: true },
  kind: { type: "string", filter: true },
  price: { type: "f64", filter: true, optional: true },
  stock: { type: "u8", filter: true },
  tags: { type: "string[]", filter: true },
};
/** So few that no list is cut off before ids put equally good documents in order. */
const IDS = 45;
const PROGRAMS = Number(process.env.PROGRAMS ?? 12);

/** The database in so many engines of this thread, each over a store of its own if there are any. */
async function openSharded(count, schema = SCHEMA, stores = []) {
  const json = schema && JSON.stringify(schema);
  const opening = Array.from({ length: count }, async (_, shard) => {
    const store = stores[shard];
    const isNew = store === undefined || (await claim("db", store, { shard, of: count }));
    return { shard: await Host.open("db", raw, json, store), isNew };
  });
  return new Database("db", await Sharded.open("db", raw, opening));
}

async function openOne(schema = SCHEMA) {
  return new Database("db", await Host.open("db", raw, JSON.stringify(schema)));
}

/** What can be drawn from `random`. */
class Draw {
  constructor(random) {
    this.random = random;
  }
  below = (count) => Math.floor(((this.random.number() + 1) / 2) * count);
  of = (values) => values[this.below(values.length)];
  some = (count, draw) => Array.from({ length: this.below(count) }, draw);
  maybe = (name, draw) => (this.below(3) === 0 ? { [name]: draw() } : {});
  id = () => `d${this.below(IDS)}`;
  words = () => this.some(7, () => this.of(["cat", "wild", "dog", "of", "the", "x1", "rare"])).join(" ");
  tags = () => this.some(3, () => this.of(["a", "b", "c"]));
  vector = (dim) => this.random.vector(dim);
  doc = (id = this.id()) => ({
    id,
    v: this.vector(4),
    text: this.words(),
    kind: this.of(["k1", "k2", "k3"]),
    stock: this.below(200),
    tags: this.tags(),
    ...this.maybe("w", () => this.vector(3)),
    ...this.maybe("note", this.words),
    ...this.maybe("price", () => this.below(8) / 3),
  });
  /** One in twenty is wrong. */
  docs = () => this.some(12, () => (this.below(20) === 0 ? this.wrong() : this.doc()));
  wrong = () =>
    this.of([
      { ...this.doc(), v: [1, 2] },
      { ...this.doc(), stock: 300 },
      { ...this.doc(), other: 1 },
      { ...this.doc(), id: "" },
      { ...this.doc(), id: 7 },
      "no document",
    ]);
  filter = () =>
    this.of([
      {},
      { kind: this.of(["k1", "k2"]) },
      { price: { $gte: this.below(3) } },
      { $or: [{ tags: "a" }, { stock: { $lt: this.below(200) } }] },
      { text: { $text: "wild" } },
      { price: { $exists: false } },
      { nothing: 1 },
      { kind: { $like: "k" } },
    ]);
  include = () => this.of(["*", [], ["kind"], ["v", "price"], ["wrong"]]);
  options = () => ({
    ...this.maybe("limit", () => this.of([0, 1, 5, 60, 60, -1, 20_000])),
    ...this.maybe("offset", () => this.below(5)),
    ...this.maybe("filter", this.filter),
    ...this.maybe("include", this.include),
    ...this.maybe("exact", () => true),
    ...this.maybe("ef", () => this.of([64, 100_000])),
    ...this.maybe("minScore", () => this.random.number() + 0.2),
  });
  grouping = () =>
    this.below(3) > 0
      ? {}
      : { groupBy: this.of(["kind", "price", "tags", "none"]), ...this.maybe("groupSize", () => this.below(4)) };
  textual = () => ({ textField: this.of(["text", "text", "note", "kind"]) });
  fusion = () => this.of(["rrf", { rrf: 3 }, { weighted: 0.3 }, { weighted: 2 }]);
  field = () => this.of([{ field: "v" }, { field: "v" }, { field: "w" }, {}]);
  changes = () =>
    this.of([
      { set: { kind: this.of(["k1", "k4"]) } },
      { set: { text: this.words(), v: this.vector(4) } },
      { increment: { stock: this.of([1, 100]) } },
      { unset: ["price"] },
      { set: { stock: -1 } },
      { unset: ["kind"] },
      {},
    ]);
}

/** Requests: each says what it is, and makes it of a database. */
function request(draw) {
  const { doc, docs, id, options, changes, filter } = draw;
  const call = (verb, ...given) => ({ verb, given, run: (db) => db[verb](...given) });
  const [one, some, isWrong] = [doc(), draw.some(4, id), draw.below(3) === 0];
  const versioned = (verb, at, ...given) => ({
    verb,
    given,
    run: async (db) => {
      const found = await db.get(at, { versions: true });
      const ifVersion = isWrong ? 0 : (found?.version ?? 0);
      return db[verb](...given, { ifVersion });
    },
  });
  const vector = draw.vector(draw.below(20) === 0 ? 5 : 4);
  const asked = { ...options(), ...draw.grouping() };
  const text = draw.words();
  return draw.of([
    () => call("index", docs()),
    () => call("index", Array.from({ length: 12 }, () => doc())),
    () => call("index", one),
    () => call("update", draw.some(3, () => doc())),
    () => call("delete", some),
    () => call("delete", id()),
    () => call("patch", id(), changes()),
    () => versioned("index", one.id, one),
    () => versioned("patch", one.id, one.id, changes()),
    () => versioned("delete", one.id, one.id),
    () => call("index", [doc(), doc()], { ifVersion: 1 }),
    () => call("delete", [id(), id()], { ifVersion: 1 }),
    () => call("delete", [id(), 7]),
    () => call("get", draw.some(9, id), { ...draw.maybe("include", draw.include) }),
    () => call("get", [], { ...draw.maybe("include", draw.include) }),
    () => call("count", { filter: filter() }),
    () => call("facet", draw.of(["kind", "tags", "price", "v"]), { filter: filter(), limit: draw.of([2, 9, 99_999]) }),
    () => call("search", vector, { ...asked, ...draw.field() }),
    () => call("search", vector, { ...asked, field: "v", text, ...draw.textual(), ...draw.maybe("fusion", draw.fusion) }),
    () => call("searchText", text, { ...asked, ...draw.textual() }),
    () => call("searchLike", some, { ...asked, ...draw.field(), ...draw.maybe("unlike", id) }),
    () => {
      const given = { filter: filter(), ...draw.maybe("include", draw.include) };
      return { verb: "scroll", given, run: (db) => collect(db.scroll(given)) };
    },
    () => call("waitIndexed"),
  ])();
}

/** What came of a request: its answer without versions, which each shard counts for itself. */
async function outcome(run, db) {
  try {
    return { answer: withoutVersions(await run(db)) };
  } catch (error) {
    return { code: error.code, message: error.message.replace(/version \d+(, not \d+)?/g, "version") };
  }
}

function withoutVersions(answer) {
  if (answer === null || typeof answer !== "object" || !("version" in answer)) return answer;
  const { version, ...rest } = answer;
  return rest;
}

/** Hits in one order; those as good as the last may be others, which the limit cuts off. */
function sameHits(found, expected, story) {
  assert.equal(found.length, expected.length, story);
  const last = expected.at(-1)?.distance;
  found.forEach((hit, at) => {
    if (hit.distance === last) {
      assert.equal(expected[at].distance, last, story);
    } else {
      assert.deepEqual(hit, expected[at], story);
    }
  });
}

function same(found, expected, story) {
  const isOfHits = (list) => Array.isArray(list) && list[0]?.distance !== undefined;
  const isOfGroups = (list) => Array.isArray(list) && list[0]?.hits !== undefined;
  if (isOfHits(expected.answer)) return sameHits(found.answer, expected.answer, story);
  if (!isOfGroups(expected.answer)) return assert.deepEqual(found, expected, story);
  assert.deepEqual(found.answer.map(({ value }) => value), expected.answer.map(({ value }) => value), story);
  expected.answer.forEach(({ hits }, at) => sameHits(found.answer[at].hits, hits, story));
}

test("random programs over one engine, one shard and three shards give the same answers", async () => {
  const random = new Random();
  const draw = new Draw(random);
  const counted = { answered: 0, refused: 0 };
  for (let program = 0; program < PROGRAMS; program++) {
    const one = await openOne();
    const several = [await openSharded(1), await openSharded(3)];
    for (let step = 0; step < 120; step++) {
      const asked = request(draw);
      const expected = await outcome(asked.run, one);
      counted[expected.code === undefined ? "answered" : "refused"] += 1;
      for (const db of several) {
        const story = `${asked.verb}(${JSON.stringify(asked.given)}), ${random.story}`;
        same(await outcome(asked.run, db), expected, story);
      }
    }
    const docs = await collect(one.scroll({ include: "*" }));
    for (const db of several) assert.deepEqual(await collect(db.scroll({ include: "*" })), docs, random.story);
    await Promise.all([one, ...several].map((db) => db.close()));
  }
  assert.ok(counted.answered > counted.refused && counted.refused > PROGRAMS, JSON.stringify(counted));
});

test("changes by filter reach all shards, and none when they are wrong", async () => {
  const random = new Random();
  const draw = new Draw(random);
  const dbs = [await openOne(), await openSharded(3)];
  const docs = Array.from({ length: IDS }, (_, at) => ({ ...draw.doc(`d${at}`), stock: at }));
  const each = (act) => Promise.all(dbs.map((db) => outcome(act, db)));
  const equal = async (act) => {
    const [expected, found] = await each(act);
    assert.deepEqual(found, expected, random.story);
    return expected;
  };
  await equal((db) => db.index(docs));
  const patched = await equal((db) => db.patch({ filter: { kind: "k1" } }, { increment: { stock: 5 } }));
  assert.ok(patched.answer.patched > 0, random.story);
  assert.equal((await equal((db) => db.patch({ filter: { nothing: 1 } }, { unset: ["price"] }))).code, "invalid");
  assert.equal((await equal((db) => db.patch({ filter: {} }, { set: { other: 1 } }))).code, "invalid");
  assert.ok((await equal((db) => db.delete({ filter: { stock: { $lt: 20 } } }))).answer.deleted > 0);
  assert.equal((await equal((db) => db.delete({ filter: { $what: 1 } }))).code, "invalid");
  await equal((db) => collect(db.scroll({ orderBy: "price", descending: true })));
  await Promise.all(dbs.map((db) => db.close()));
});

test("pages of a scroll over shards have every document once, in the order of a field", async () => {
  const schema = { id: "u64", v: { vector: 1 }, price: { type: "f64", filter: true, optional: true } };
  const random = new Random();
  const docs = Array.from({ length: 3_500 }, (_, id) => ({
    id,
    v: [1],
    ...(id % 7 > 0 && { price: Math.round(random.number() * 100) / 3 }),
  }));
  const dbs = [await openOne(schema), await openSharded(3, schema)];
  for (const db of dbs) await db.index(docs);
  for (const options of [{}, { orderBy: "price" }, { orderBy: "price", descending: true }]) {
    const [expected, found] = await Promise.all(dbs.map((db) => collect(db.scroll(options))));
    assert.equal(expected.length, docs.length);
    assert.deepEqual(found, expected, random.story);
  }
  await Promise.all(dbs.map((db) => db.close()));
});

test("writes happen in the order in which they are asked for", async () => {
  const draw = new Draw(new Random());
  const db = await openSharded(3);
  const docs = Array.from({ length: IDS }, (_, at) => draw.doc(`d${at}`));
  const results = await Promise.all([
    db.index(docs),
    db.update(docs.slice(0, 9)),
    db.delete(["d1", "none", "d1", "d2"]),
    db.patch("d3", { set: { kind: "last" } }),
    db.delete({ filter: { kind: { $ne: "last" } } }),
  ]);
  assert.deepEqual(results[2], { deleted: 2, missing: ["none", "d1"] });
  assert.deepEqual((await collect(db.scroll())).map(({ id }) => id), ["d3"]);
  await db.close();
});

test("progress and indexing add up over shards", async () => {
  const random = new Random();
  const schema = { id: "u64", v: { vector: 8, index: "hnsw" } };
  const db = await openSharded(3, schema);
  const docs = Array.from({ length: 3_000 }, (_, id) => ({ id, v: random.vector(8) }));
  const heard = { index: [], settle: [] };
  const listen = (list) => ({ onProgress: ({ done, total }) => list.push([done, total]) });
  await db.index(docs, listen(heard.index));
  await db.waitIndexed(listen(heard.settle));
  for (const list of Object.values(heard)) {
    assert.ok(list.every(([done], at) => at === 0 || done >= list[at - 1][0]), JSON.stringify(list));
    assert.deepEqual(list.at(-1)[0], list.at(-1)[1]);
  }
  assert.deepEqual(heard.index.at(-1), [3_000, 3_000]);
  let found = 0;
  for (let asked = 0; asked < 30; asked++) {
    const query = random.vector(8);
    const exact = (await db.search(query, { exact: true })).map(({ id }) => id);
    found += (await db.search(query)).filter(({ id }) => exact.includes(id)).length;
  }
  assert.ok(found >= 285, `${found} of 300, ${random.story}`);
  await db.close();
});

test("a database keeps its number of shards, and says when one is lost", async () => {
  const draw = new Draw(new Random());
  const stores = [new MemoryStore(), new MemoryStore(), new MemoryStore()];
  const db = await openSharded(3, SCHEMA, stores);
  await db.index(Array.from({ length: IDS }, (_, at) => draw.doc(`d${at}`)));
  const docs = await collect(db.scroll({ include: "*" }));
  await db.close();
  const again = await openSharded(3, undefined, stores);
  assert.deepEqual(await collect(again.scroll({ include: "*" })), docs);
  await again.close();
  const conflict = { code: "conflict", message: /shard 0 of 3 .* not 0 of/ };
  await assert.rejects(openSharded(2, SCHEMA, stores), conflict);
  await assert.rejects(openSharded(1, SCHEMA, stores), conflict);
  await assert.rejects(openSharded(3, SCHEMA, [...stores].reverse()), { code: "conflict" });
  const whole = new MemoryStore();
  await (await openSharded(1, SCHEMA, [whole])).close();
  await assert.rejects(openSharded(2, SCHEMA, [whole, new MemoryStore()]), { code: "conflict" });
  const lost = [stores[0], new MemoryStore(), stores[2]];
  await assert.rejects(openSharded(3, SCHEMA, lost), { code: "corrupt", message: /shard 1 of 3/ });
});

test("what is closed is closed, and errors of shards reach the caller", async () => {
  const db = await openSharded(3);
  const writing = db.index(new Draw(new Random()).doc());
  await db.close();
  assert.equal((await writing).indexed, 1);
  for (const call of [() => db.count(), () => db.delete("d1"), () => db.search([1, 2, 3, 4]), () => db.waitIndexed()]) {
    await assert.rejects(call(), { code: "closed" });
  }
  await db.close();
});
