import assert from "node:assert/strict";
import test from "node:test";
import { open } from "vectordoc";
import { CHAIR, LAMP, TABLE, collect, openProducts } from "./products.mjs";

test("a document comes back as it was indexed, its vectors when asked for", async () => {
  const db = await openProducts();
  const { embedding, ...values } = CHAIR;
  assert.deepEqual(await db.get("chair"), values);
  const whole = await db.get("chair", { include: "*" });
  assert.deepEqual(whole, { ...values, embedding: Float32Array.from(embedding) });
  assert.deepEqual(await db.get("chair", { include: ["title"] }), { id: "chair", title: "Chair" });
  assert.deepEqual(await db.get(["lamp", "none", "table"], { include: [] }), [
    { id: "lamp" },
    undefined,
    { id: "table" },
  ]);
  await db.close();
});

test("indexing replaces, updating needs the document to be there", async () => {
  const db = await openProducts();
  assert.deepEqual(await db.index({ ...CHAIR, price: 35 }), { indexed: 1, version: 2 });
  assert.deepEqual(await db.update([{ ...TABLE, price: 80 }]), { updated: 1 });
  assert.equal(await db.count(), 3);
  const prices = (await db.get(["chair", "table"])).map((doc) => doc.price);
  assert.deepEqual(prices, [35, 80]);
  await db.close();
});

test("a deletion says how many there were and which were not", async () => {
  const db = await openProducts();
  assert.deepEqual(await db.delete(["chair", "none"]), { deleted: 1, missing: ["none"] });
  assert.deepEqual(await db.delete("lamp"), { deleted: 1, missing: [] });
  assert.equal(await db.get("chair"), undefined);
  assert.deepEqual(
    (await db.search([1, 0])).map((hit) => hit.id),
    ["table"],
  );
  await db.close();
});

test("a deletion by filter deletes what passes, and everything only when told to", async () => {
  const db = await openProducts();
  assert.equal((await db.delete({ filter: { tags: "wood" } })).deleted, 2);
  assert.deepEqual(
    (await collect(db.scroll())).map((doc) => doc.id),
    ["lamp"],
  );
  assert.equal((await db.delete({ filter: {} })).deleted, 1);
  assert.equal(await db.count(), 0);
  await db.close();
});

test("a scroll yields every document that passes once, in order of the ids", async () => {
  const db = await open("numbers", {
    schema: { id: "u64", v: { vector: 1, metric: "l2" }, even: { type: "boolean", filter: true } },
  });
  const docs = Array.from({ length: 2_500 }, (_, id) => ({ id, v: [id], even: id % 2 === 0 }));
  await db.index(docs.toReversed());
  const all = await collect(db.scroll({ include: [] }));
  assert.deepEqual(
    all,
    docs.map(({ id }) => ({ id })),
  );
  assert.equal((await collect(db.scroll({ filter: { even: true } }))).length, 1_250);
  await db.close();
});

test("a batch with one bad document changes nothing", async () => {
  const db = await openProducts();
  const bad = { ...LAMP, id: "bad", embedding: [1, 2, 3] };
  await assert.rejects(db.index([{ ...CHAIR, price: 1 }, bad]));
  await assert.rejects(
    db.update([
      { ...CHAIR, price: 1 },
      { ...LAMP, id: "none" },
    ]),
  );
  assert.equal((await db.get("chair")).price, CHAIR.price);
  assert.equal(await db.count(), 3);
  await db.close();
});

test("every type of value survives", async () => {
  const db = await open("values", {
    schema: {
      key: { type: "uuid", id: true },
      v: { vector: 1, metric: "l2" },
      truth: "boolean",
      real: "number",
      big: "u64",
      small: "i8[]",
      raw: "bytes",
      text: "string[]",
      inner: { fields: { deep: { fields: { down: "string?" } } } },
    },
  });
  const doc = {
    key: "0f0e0d0c-0b0a-0908-0706-050403020100",
    v: new Float32Array([0.5]),
    truth: false,
    real: -0.1,
    big: 2n ** 64n - 1n,
    small: [-128, 127],
    raw: new Uint8Array([0, 255]),
    text: ["", "naïve 😀"],
    inner: { deep: { down: "here" } },
  };
  await db.index(doc);
  assert.deepEqual(await db.get(doc.key, { include: "*" }), doc);
  await db.index({ ...doc, big: 7n, inner: { deep: {} } });
  const { big, inner } = await db.get(doc.key);
  assert.deepEqual({ big, inner }, { big: 7, inner: { deep: {} } });
  await db.close();
});

test("writes happen in the order they were asked for, and closing waits for them", async () => {
  const db = await openProducts();
  const writes = [db.delete({ filter: {} }), db.index(CHAIR), db.update({ ...CHAIR, price: 1 })];
  const last = db.delete("chair");
  await db.close();
  await Promise.all(writes);
  assert.deepEqual(await last, { deleted: 1, missing: [] });
});

test("progress goes from the first documents to all of them", async () => {
  const db = await openProducts();
  const docs = Array.from({ length: 500 }, (_, i) => ({ ...CHAIR, id: `chair ${i}` }));
  const seen = [];
  await db.index(docs, { onProgress: (progress) => seen.push(progress) });
  assert.ok(seen.length > 1 && seen.every(({ done, total }) => done <= total && total === 500));
  assert.equal(seen.at(-1).done, 500);
  await db.close();
});
