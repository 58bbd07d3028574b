// The raw binding: what a host that keeps records builds on.

import assert from "node:assert/strict";
import test from "node:test";
import { open } from "vectordoc";
import { Engine } from "../dist/raw/engine.js";
import { CHAIR, LAMP, SCHEMA, TABLE } from "./products.mjs";

await open("loads the engine", { schema: SCHEMA });

/** Makes a record of what `fill` puts in a batch, and applies it. */
function write(engine, fill) {
  const batch = engine.batch();
  fill(batch);
  const prepared = engine.prepare(batch);
  const bytes = prepared.bytes();
  engine.apply(prepared);
  return bytes;
}

test("an engine is its records: replayed they make the same one", () => {
  const first = new Engine(JSON.stringify(SCHEMA));
  const records = [
    write(first, (batch) => batch.index([CHAIR, TABLE])),
    write(first, (batch) => (batch.update([{ ...CHAIR, price: 1 }]), batch.index([LAMP]))),
    write(first, (batch) => batch.delete(["table"])),
  ];
  const second = new Engine(first.schema());
  records.forEach((record) => second.replay(record));
  assert.equal(second.recordNumber, 3n);
  const everything = { include: "*" };
  assert.deepEqual(second.scroll(undefined, everything), first.scroll(undefined, everything));
  assert.deepEqual(second.search([1, 0]), first.search([1, 0]));
});

test("preparing changes nothing, and says what applying will do", () => {
  const engine = new Engine(JSON.stringify(SCHEMA));
  const batch = engine.batch();
  batch.index([CHAIR]);
  batch.delete(["none"]);
  const { number, indexed, deleted, missing } = engine.prepare(batch);
  assert.deepEqual([number, indexed, deleted, missing], [1n, 1, 0, ["none"]]);
  assert.equal(engine.count(), 0);
});

test("a damaged record and one out of order are corrupt", () => {
  const engine = new Engine(JSON.stringify(SCHEMA));
  const record = write(engine, (batch) => batch.index([CHAIR]));
  assert.throws(() => engine.replay(record), {
    code: "corrupt",
    message: /record 1 follows record 1/,
  });
  const damaged = record.with(20, record[20] ^ 1);
  const fresh = new Engine(JSON.stringify(SCHEMA));
  assert.throws(() => fresh.replay(damaged), { code: "corrupt", message: /checksum/ });
  assert.equal(fresh.count(), 0);
});
