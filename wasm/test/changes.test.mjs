import assert from "node:assert/strict";
import test from "node:test";
import { CHAIR, LAMP, TABLE, openProducts } from "./products.mjs";

test("a patch changes what it names and nothing else", async () => {
  const db = await openProducts();
  const { version } = await db.patch("chair", {
    set: { "maker.country": "NL", embedding: [0, 1], tags: ["old"] },
    unset: ["title"],
    increment: { price: -0.5 },
  });
  assert.deepEqual(await db.get("chair", { include: "*", versions: true }), {
    doc: {
      id: "chair",
      embedding: Float32Array.from([0, 1]),
      price: 39.5,
      tags: ["old"],
      maker: { country: "NL" },
    },
    version,
  });
  const { embedding, ...table } = TABLE;
  assert.deepEqual(await db.get("table"), table);
  await db.close();
});

test("a patch by filter changes all that pass, found by what they are now", async () => {
  const db = await openProducts();
  const cheaper = { increment: { price: -10 } };
  assert.deepEqual(await db.patch({ filter: { tags: "wood" } }, cheaper), { patched: 2 });
  assert.equal(await db.count({ filter: { price: { $in: [30, 80, LAMP.price] } } }), 3);
  assert.deepEqual(await db.patch({ filter: {} }, { unset: ["title", "maker"] }), { patched: 3 });
  assert.equal(await db.count({ filter: { "maker.country": { $exists: true } } }), 0);
  await db.close();
});

test("of two writes on the same condition one happens", async () => {
  const db = await openProducts();
  const { version } = await db.get("chair", { versions: true });
  const condition = { ifVersion: version };
  const prices = [1, 2].map((price) => db.patch("chair", { set: { price } }, condition));
  const [first, second] = await Promise.allSettled(prices);
  assert.ok(first.value.version > version);
  assert.equal(second.reason.code, "conflict");
  const doc = { ...CHAIR, price: 3 };
  await assert.rejects(db.update(doc, { ifVersion: version }), { code: "conflict" });
  const updated = await db.update(doc, { ifVersion: first.value.version });
  await assert.rejects(db.delete("chair", { ifVersion: version }), { code: "conflict" });
  const deleted = await db.delete("chair", { ifVersion: updated.version });
  assert.deepEqual(deleted, { deleted: 1, missing: [] });
  await assert.rejects(db.index(doc, { ifVersion: updated.version }), { code: "conflict" });
  const { version: last } = await db.index(doc, { ifVersion: 0 });
  assert.deepEqual(
    await db.get(["chair", "none"], { include: ["price"], versions: true }),
    [{ doc: { id: "chair", price: 3 }, version: last }, undefined],
  );
  await assert.rejects(db.index(doc, { ifVersion: 0 }), { code: "conflict" });
  await db.close();
});
