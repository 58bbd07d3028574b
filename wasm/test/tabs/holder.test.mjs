// A write that is sent again happens once, whichever holder gets it, and half a write never.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { Host } from "../../dist/host.js";
import { moduleUrl } from "../../dist/module.js";
import * as raw from "../../dist/raw/engine.js";
import { Answered } from "../../dist/tabs/answered.js";
import { Holder } from "../../dist/tabs/holder.js";
import { MemoryStore } from "../memory_store.mjs";
import { CHAIR, LAMP, SCHEMA } from "../products.mjs";

await raw.default({ module_or_path: readFile(moduleUrl()) });

/** A client, and the holder it asks. */
class Asking {
  static async over(store, isAlive = () => true) {
    const asking = new Asking();
    asking.host = await Host.open("products", raw, JSON.stringify(SCHEMA), store);
    asking.answered = new Answered(store);
    const keeper = { evolve() {}, lose: () => (asking.isLost = true), announce() {} };
    const outcomes = await asking.answered.load(isAlive);
    asking.holder = new Holder(asking.host, keeper, asking.answered, outcomes);
    return asking;
  }

  /** What the holder replies to a request. */
  ask(asked, oldest = asked.number) {
    return new Promise((resolve) =>
      this.holder.receive({ client: "client", oldest, ...asked }, { postMessage: resolve }),
    );
  }

  async price(id) {
    return (await this.host.read("get", { ids: [id], versions: false })).docs[0]?.price;
  }
}

const raise = (number) => ({
  kind: "write",
  number,
  round: 1,
  sliced: 0,
  change: { verb: "patch", id: "chair", changes: { increment: { price: 1 } } },
});
const slice = (number, at, docs) => ({ kind: "slice", number, round: 1, at, docs });
const index = (number, sliced) => ({
  kind: "write",
  number,
  round: 1,
  sliced,
  change: { verb: "index", docs: [] },
});

/** A store in which the chair costs 40. */
async function stocked() {
  const store = new MemoryStore();
  const asking = await Asking.over(store);
  await asking.host.write({ verb: "index", docs: [CHAIR] });
  return { store, asking };
}

test("a write that is sent twice happens once, with one answer", async () => {
  const { asking } = await stocked();
  const answers = await Promise.all([asking.ask(raise(1)), asking.ask(raise(1))]);
  answers.push(await asking.ask(raise(1)));
  assert.equal(await asking.price("chair"), 41);
  assert.deepEqual(answers.map(({ answer }) => answer.version), [2, 2, 2]);
});

test("the next holder answers what the last one made happen and did not say", async () => {
  const { store, asking } = await stocked();
  const { answer } = await asking.ask(raise(1));
  const next = await Asking.over(store.snapshot());
  assert.deepEqual((await next.ask(raise(1))).answer, answer);
  assert.equal(await next.price("chair"), 41);
  await next.ask(raise(2));
  assert.equal(await next.price("chair"), 42);
});

test("a crash at any put leaves a write that happens once when it is sent again", async () => {
  for (const moment of ["before", "after"]) {
    const { store, asking } = await stocked();
    const fault = () => {
      store.isDown = true;
      throw new Error("gone");
    };
    store.faults.set(store.puts + 1, { [moment]: fault });
    asking.ask(raise(1));
    while (!asking.isLost) await new Promise(setImmediate);
    const next = await Asking.over(store.snapshot());
    assert.equal((await next.ask(raise(1))).kind, "answer");
    assert.equal(await next.price("chair"), 41, moment);
  }
});

test("outcomes go once the client knows them, or is long gone", async () => {
  const { store, asking } = await stocked();
  for (let number = 1; number <= 100; number++) await asking.ask(raise(number));
  await asking.answered.flush();
  assert.equal(store.count("answered/"), 1);
  const later = store.snapshot();
  const { now } = Date;
  Date.now = () => now() + 2 * 60 * 60 * 1000;
  try {
    const kept = await Asking.over(store, () => true);
    await kept.answered.flush();
    assert.equal(store.count("answered/"), 1);
    const next = await Asking.over(later, () => false);
    await next.answered.flush();
  } finally {
    Date.now = now;
  }
  assert.equal(later.count("answered/"), 0);
});

test("ids beyond 2^53 come back from a stored outcome as they were", async () => {
  const store = new MemoryStore();
  const outcome = { indexed: 0, deleted: 0, missing: [2n ** 60n, "a", 3], version: 4 };
  await store.put(new Map([new Answered(store).entry("client", 7, outcome)]));
  const outcomes = await new Answered(store).load(() => true);
  assert.deepEqual(outcomes.get("client").get(7), outcome);
});

test("half a write is asked for again, and what a dead client sent of one is dropped", async () => {
  const { asking } = await stocked();
  assert.deepEqual(await asking.ask(slice(1, 0, [LAMP])), { kind: "taken", number: 1, docs: 1 });
  assert.deepEqual(await asking.ask(slice(1, 2, [CHAIR])), { kind: "again", number: 1, round: 1 });
  assert.equal((await asking.ask(index(1, 3))).kind, "again");
  await asking.ask(slice(2, 0, [LAMP]));
  asking.holder.bury("client");
  assert.equal((await asking.ask(index(2, 1))).kind, "again");
  assert.equal(await asking.price("lamp"), undefined);
  await asking.ask(slice(2, 0, [LAMP]));
  assert.equal((await asking.ask(index(2, 1))).answer.indexed, 1);
});
