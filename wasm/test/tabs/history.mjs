// What tabs wrote, as they said it, kept outside of them; and whether a database agrees with it.

import assert from "node:assert/strict";
import { crash } from "./browser.mjs";

const SCHEMA = {
  id: "string",
  embedding: { vector: 4, metric: "cosine" },
  batch: { type: "string", filter: true },
  count: "i64",
};
/** Documents that all tabs increment. */
const COUNTERS = 5;
/** Documents that are inserted together. */
const BATCH_DOCUMENTS = 7;

/** Tabs that write to one database. */
export class History {
  #browser;
  #name;
  #tabs = new Set();
  #seed;
  /** Per write what it was, and what came of it: `done`, a code; nothing when the tab died before. */
  writes = new Map();
  /** What tabs saw that cannot be. */
  complaints = [];
  failoverMs = [];

  constructor(browser, name, seed) {
    this.#browser = browser;
    this.#name = name;
    this.#seed = seed;
  }

  get tabs() {
    return [...this.#tabs];
  }

  /** Opens a tab that writes and searches at random until it is stopped. */
  async join() {
    const tab = await this.#browser.tab();
    const writer = String(this.#seed++);
    await tab.exposeFunction("begin", (id, write) => void this.writes.set(id, { ...write, writer }));
    await tab.exposeFunction("end", (id, outcome) => void (this.writes.get(id).outcome = outcome));
    await tab.exposeFunction("complain", (what) => void this.complaints.push(what));
    const options = { name: this.#name, schema: SCHEMA, writer, counters: COUNTERS, batch: BATCH_DOCUMENTS };
    await tab.evaluate(write, options);
    this.#tabs.add(tab);
    return tab;
  }

  /** Ends a tab while it writes. */
  async end(tab, isCrash) {
    this.#tabs.delete(tab);
    await (isCrash ? crash(tab) : tab.close());
  }

  /** Lets what is asked come to its end, and closes all. */
  async stop() {
    await Promise.all(this.tabs.map((tab) => tab.evaluate(() => globalThis.stop())));
    const gaps = await Promise.all(this.tabs.map((tab) => tab.evaluate(() => globalThis.longest)));
    await Promise.all(this.tabs.map((tab) => tab.close()));
    return Math.max(...gaps);
  }

  /** Compares what is in the database with what was said. */
  async check() {
    const tab = await this.#browser.tab();
    const docs = await tab.evaluate(async (name) => {
      const db = await vectordoc.open(name);
      const docs = [];
      for await (const doc of db.scroll()) docs.push(doc);
      await db.close();
      await vectordoc.remove(name);
      return docs;
    }, this.#name);
    await tab.close();
    const story = `history of seed ${this.#name}`;
    assert.deepEqual(this.complaints, [], story);
    const outcomes = [...this.writes.values()];
    assert.deepEqual(outcomes.filter(({ outcome }) => ![undefined, "done"].includes(outcome)), [], story);
    for (const counter of Array.from({ length: COUNTERS }, (_, at) => `counter/${at}`)) {
      const increments = outcomes.filter((write) => write.counter === counter);
      const done = increments.filter(({ outcome }) => outcome === "done").length;
      const { count } = docs.find(({ id }) => id === counter) ?? { count: 0 };
      assert.ok(count >= done && count <= increments.length, `${story}: ${counter} is ${count}, not ${done} to ${increments.length}`);
    }
    const inserted = new Map();
    for (const { batch } of docs) inserted.set(batch, (inserted.get(batch) ?? 0) + 1);
    inserted.delete("");
    for (const [id, { counter, outcome }] of this.writes) {
      if (counter === undefined) {
        const found = inserted.get(id) ?? 0;
        assert.ok(found === BATCH_DOCUMENTS || (found === 0 && outcome !== "done"), `${story}: of batch ${id} there are ${found}`);
        inserted.delete(id);
      }
    }
    assert.deepEqual([...inserted.keys()], [], `${story}: batches nobody wrote`);
    const count = (outcome) => outcomes.filter((write) => write.outcome === outcome).length;
    return { done: count("done"), unknown: count(undefined) };
  }
}

/** Runs in a tab: writes until `stop` is called. */
async function write({ name, schema, writer, counters, batch }) {
  const db = await vectordoc.open(name, { schema });
  let state = Number(writer);
  const random = (below) => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x6d2b79f5) | 0;
    return (state >>> 8) % below;
  };
  const vector = () => Array.from({ length: 4 }, () => random(1_000) - 499.5);
  const own = new Map();
  let [isOver, number] = [false, 0];
  globalThis.longest = 0;
  const settle = async (id, what) => end(id, await what.then(() => "done", ({ code, message }) => `${code}: ${message}`));
  const increment = async (id) => {
    const counter = `counter/${random(counters)}`;
    await begin(id, { counter });
    const made = db.patch(counter, { increment: { count: 1 } });
    await settle(id, made);
    own.set(counter, (own.get(counter) ?? 0) + 1);
    const { count } = await db.get(counter);
    if (count < own.get(counter)) await complain(`${writer} does not see its increments of ${counter}`);
  };
  const insert = async (id) => {
    await begin(id, {});
    const docs = Array.from({ length: batch }, (_, at) => ({ id: `${id}/${at}`, embedding: vector(), batch: id, count: 0 }));
    await settle(id, db.index(docs));
    const found = await db.count({ filter: { batch: id } });
    if (found !== batch) await complain(`${writer} sees ${found} documents of batch ${id}`);
  };
  const search = async () => {
    const hits = await db.search(vector(), { limit: 5 });
    if (hits.some(({ score }, at) => at > 0 && score > hits[at - 1].score)) await complain("hits are not in order");
  };
  const work = async () => {
    while (!isOver) {
      const id = `${writer}-${number++}`;
      const began = performance.now();
      await [increment, insert, search][random(3)](id).catch((error) => complain(String(error)));
      globalThis.longest = Math.max(globalThis.longest, performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, random(40)));
    }
  };
  // Whoever is first makes the counters; they may be there.
  const missing = (await db.get(Array.from({ length: counters }, (_, at) => `counter/${at}`)))
    .map((doc, at) => (doc ? [] : [{ id: `counter/${at}`, embedding: [1, 0, 0, 0], batch: "", count: 0 }]))
    .flat();
  for (const doc of missing) await db.index(doc, { ifVersion: 0 }).catch(() => undefined);
  const working = Promise.all([work(), work()]);
  globalThis.stop = async () => {
    isOver = true;
    await working;
    await db.close();
  };
}
