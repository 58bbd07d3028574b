// What is acknowledged is there when a database is opened again, whatever its store did meanwhile.

import assert from "node:assert/strict";
import { test as nodeTest } from "node:test";
import { VectordocError, open } from "vectordoc";
import { KeyedStore, MemoryStore } from "./memory_store.mjs";
import { CHAIR, LAMP, SCHEMA, TABLE } from "./products.mjs";

/** Tests what holds for stores that read one key at a time, and for those that read several. */
function test(name, body) {
  for (const Store of [MemoryStore, KeyedStore]) {
    nodeTest(`${name} (${Store.name})`, () => body(Store));
  }
}

const openOver = (store, schema = SCHEMA) => open("products", { schema, store });

async function all(db) {
  const docs = [];
  for await (const doc of db.scroll({ include: "*" })) docs.push(doc);
  return docs;
}

test("a database is opened again as it was, without its schema too", async (Store) => {
  const store = new Store();
  const db = await openOver(store);
  await db.index([CHAIR, TABLE, LAMP]);
  await db.delete("table");
  await db.patch("lamp", { set: { price: 16 } });
  const before = await all(db);
  await db.close();
  const again = await open("products", { store });
  assert.deepEqual(await all(again), before);
  assert.deepEqual(again.schema, db.schema);
  assert.deepEqual((await again.search([1, 0])).map(({ id }) => id), ["chair", "lamp"]);
  await again.close();
});

test("a crash after any put loses nothing that was acknowledged, and shows nothing by half", async (Store) => {
  const store = new Store();
  const db = await openOver(store);
  for (let round = 0; round < 10; round++) {
    const docs = Array.from({ length: 20 }, (_, at) => ({ ...CHAIR, id: `${round}/${at}` }));
    await db.index(docs);
    const crashed = await openOver(store.snapshot());
    assert.equal(await crashed.count(), (round + 1) * 20);
    await crashed.close();
  }
  await db.close();
});

test("a crash in a checkpoint leaves the last one, and what it left behind is removed", async (Store) => {
  const store = new Store();
  const first = await openOver(store);
  await first.index(CHAIR);
  await first.close();
  const db = await openOver(store);
  await db.index(TABLE);
  const before = store.snapshot();
  let after;
  store.faults.set(store.puts + 1, { after: () => (after = store.snapshot()) });
  await db.close();
  // Pages of a checkpoint whose meta never came.
  const torn = after.snapshot();
  torn.entries.set("meta", before.entries.get("meta"));
  for (const [key, value] of before.entries) torn.entries.set(key, value);
  assert.ok(torn.count("page/") > store.count("page/"));
  for (const crashed of [torn, after]) {
    const again = await openOver(crashed);
    assert.equal(await again.count(), 2);
    await again.close();
    assert.equal(crashed.count("page/"), store.count("page/"));
    assert.equal(crashed.count("record/"), 0);
    assert.equal(crashed.count("checkpoint"), 0);
  }
});

test("records a finished checkpoint did not remove are not applied twice", async (Store) => {
  const store = new Store();
  const db = await openOver(store);
  await db.index([CHAIR]);
  const records = [...store.entries].filter(([key]) => key.startsWith("record/"));
  assert.equal(records.length, 1);
  await db.close();
  assert.equal(store.count("record/"), 0);
  records.forEach(([key, value]) => store.entries.set(key, value));
  const again = await openOver(store);
  const [chair] = await again.get(["chair"], { versions: true });
  assert.equal(chair.version, 1);
  await again.index(TABLE);
  assert.equal(await again.count(), 2);
  await again.close();
});

test("a put that is full changes nothing, reading goes on, and so does writing later", async (Store) => {
  const store = new Store();
  const db = await openOver(store);
  await db.index(CHAIR);
  const full = () => {
    throw new VectordocError("full", "no space");
  };
  store.faults.set(store.puts + 1, { before: full });
  await assert.rejects(db.index(TABLE), { code: "full" });
  assert.equal(await db.count(), 1);
  await db.index(LAMP);
  await db.close();
  const again = await openOver(store);
  assert.deepEqual((await all(again)).map(({ id }) => id), ["chair", "lamp"]);
  await again.close();
});

test("a put that fails after it happened is acknowledged", async (Store) => {
  const store = new Store();
  const db = await openOver(store);
  const late = () => {
    throw new Error("the connection was lost");
  };
  store.faults.set(store.puts + 1, { after: late });
  assert.deepEqual(await db.index(CHAIR), { indexed: 1, version: 1 });
  assert.equal(await db.count(), 1);
  await db.close();
});

test("a write whose outcome is not known is found when the store is back", async (Store) => {
  const store = new Store();
  const db = await openOver(store);
  const away = () => {
    store.isDown = true;
    throw new Error("the connection was lost");
  };
  store.faults.set(store.puts + 1, { after: away });
  await assert.rejects(db.index(CHAIR), { code: "unavailable", message: /not known/ });
  await assert.rejects(db.index(LAMP));
  assert.equal(await db.count(), 0);
  store.isDown = false;
  await db.index(TABLE);
  assert.deepEqual((await all(db)).map(({ id }) => id), ["chair", "table"]);
  await db.close();
});

test("writes that wait share a put, and each is answered for itself", async (Store) => {
  const store = new Store();
  const db = await openOver(store);
  const { puts } = store;
  const writes = [
    db.index(CHAIR),
    db.index({ ...LAMP, embedding: [1, 2, 3] }),
    db.patch("chair", { increment: { price: 1 } }),
    db.delete({ filter: { price: 41 } }),
    db.index(TABLE),
  ];
  const settled = await Promise.allSettled(writes);
  assert.deepEqual(settled.map(({ status }) => status), ["fulfilled", "rejected", ...Array(3).fill("fulfilled")]);
  assert.equal(settled[1].reason.code, "invalid");
  assert.equal(settled[3].value.deleted, 1);
  assert.equal(store.puts - puts, 2);
  assert.deepEqual((await all(db)).map(({ id }) => id), ["table"]);
  await db.close();
});

test("a stored schema follows a new one where nothing is lost", async (Store) => {
  const store = new Store();
  const db = await openOver(store);
  await db.index([CHAIR, TABLE]);
  await db.close();
  const wider = { ...SCHEMA, stock: { type: "u32", filter: true, optional: true } };
  const grown = await openOver(store, wider);
  await grown.patch("chair", { set: { stock: 3 } });
  assert.equal(await grown.count({ filter: { stock: 3 } }), 1);
  await grown.close();
  const pages = store.count("page/");
  const again = await open("products", { store });
  assert.equal(await again.count({ filter: { stock: { $exists: false } } }), 1);
  await again.close();
  assert.equal(store.count("page/"), pages);
  const other = { ...SCHEMA, embedding: { vector: 3 } };
  await assert.rejects(openOver(store, other), { code: "conflict" });
});

test("damage to what is stored is said, and never served", async (Store) => {
  const store = new Store();
  const db = await openOver(store);
  await db.index([CHAIR, TABLE]);
  await db.close();
  let refused = 0;
  for (const [key, value] of [...store.entries]) {
    const damaged = store.snapshot();
    damaged.entries.set(key, value.with(value.length >> 1, value[value.length >> 1] ^ 1));
    try {
      const again = await openOver(damaged);
      // Only what can be built again may be damaged without a word.
      assert.equal((await all(again)).length, 2, key);
      await again.close();
    } catch (error) {
      assert.equal(error.code, "corrupt", `${key}: ${error.message}`);
      refused += 1;
    }
  }
  assert.ok(refused > 2, `${refused} of ${store.entries.size} entries were missed`);
});

test("a store that holds nothing needs a schema, and what is no store is refused", async (Store) => {
  await assert.rejects(open("products", { store: new Store() }), { code: "not_found" });
  await assert.rejects(open("products", { schema: SCHEMA, store: "disk" }), { code: "invalid", message: /"disk"/ });
});

/** A store with `count` documents in it, closed. */
async function filled(count) {
  const store = new KeyedStore();
  const db = await openOver(store);
  const at = (id) => ({ id: String(id), embedding: [Math.cos(id), Math.sin(id)], price: id, tags: [] });
  await db.index(Array.from({ length: count }, (_, id) => at(id)));
  await db.close();
  return store;
}

/** Lets the store answer for what was asked for until now and for `pages` more, then waits. */
function gated(store, pages) {
  let open;
  let left = pages;
  const opened = new Promise((resolve) => (open = resolve));
  store.gate = { opened, holds: (key) => key.startsWith("page/") && left-- <= 0 };
  return open;
}

nodeTest("a search is answered before all was read, a write when it was", async () => {
  const store = await filled(4_000);
  const all = store.count("page/");
  const whole = await openOver(store);
  const query = [Math.cos(7), Math.sin(7)];
  await whole.waitIndexed();
  const expected = await whole.search(query, { include: "*" });
  await whole.close();
  store.asked = [];
  const db = await openOver(store);
  const needed = store.asked.filter((key) => key.startsWith("page/")).length;
  assert.ok(needed < all / 2, `${needed} of ${all} pages were read to open`);
  // What is read in the background does not come; the pages of the hits do.
  const open = gated(store, 64);
  assert.deepEqual(await db.search(query, { include: "*" }), expected);
  let isWritten = false;
  const written = db.index(CHAIR).then(() => (isWritten = true));
  assert.equal(await db.count(), 4_000);
  await new Promise((resolve) => setTimeout(resolve));
  assert.equal(isWritten, false);
  store.gate = undefined;
  open();
  await written;
  assert.equal(await db.count(), 4_001);
  assert.deepEqual(await db.search(query, { include: "*" }), expected);
  await db.close();
});

nodeTest("what fails while the rest is read is told to writes, and reading it is tried again", async () => {
  const store = await filled(4_000);
  const db = await openOver(store);
  store.isDown = true;
  await assert.rejects(db.index(CHAIR), /away/);
  assert.equal(await db.count({ filter: { price: { $lt: 10 } } }), 10);
  await assert.rejects(db.get("3"), /away/);
  store.isDown = false;
  await db.index(CHAIR);
  assert.equal((await db.get("3")).price, 3);
  await db.close();
});

nodeTest("a database is closed while the rest is read", async () => {
  const store = await filled(4_000);
  const db = await openOver(store);
  const open = gated(store, 0);
  const found = db.get("3");
  const closed = db.close();
  open();
  await assert.rejects(found, { code: "closed" });
  await closed;
  store.gate = undefined;
  const again = await openOver(store);
  await again.index(CHAIR);
  assert.equal(await again.count(), 4_001);
  await again.close();
});
