// A database does the same in a page and in every kind of worker, and says why where it cannot be.

import assert from "node:assert/strict";
import test from "node:test";
import { Browser } from "./browser.mjs";

const FOUND = {
  hits: [["a", 10], ["b", 7]],
  docs: [{ id: "a", price: 10 }, { id: "b", price: 7 }],
  codes: ["not_found", "closed"],
  isError: true,
};
/** How a page asks each kind of worker. */
const CONTEXTS = {
  page: async () => (await import("/test/tabs/scenario.mjs")).use("page"),
  "dedicated worker": () =>
    new Promise((resolve) => {
      const worker = new Worker("/test/tabs/scenario.mjs", { type: "module" });
      worker.onmessage = ({ data }) => resolve(data);
      worker.postMessage("dedicated");
    }),
  "shared worker": () =>
    new Promise((resolve) => {
      const { port } = new SharedWorker("/test/tabs/scenario.mjs", { type: "module" });
      port.onmessage = ({ data }) => resolve(data);
      port.postMessage("shared");
    }),
  "service worker": async () => {
    await navigator.serviceWorker.register("/test/tabs/scenario.mjs", { type: "module" });
    const { active } = await navigator.serviceWorker.ready;
    const { port1, port2 } = new MessageChannel();
    return new Promise((resolve) => {
      port1.onmessage = ({ data }) => resolve(data);
      active.postMessage("service", [port2]);
    });
  },
};

let browser;
test.before(async () => (browser = await Browser.start()));
test.after(() => browser?.stop());

for (const [context, run] of Object.entries(CONTEXTS)) {
  test(`a ${context} indexes, updates, deletes, searches, and opens again what it closed`, async () => {
    const tab = await browser.tab();
    assert.deepEqual(await tab.evaluate(run), FOUND);
    await tab.close();
  });
}

test("a reloaded page finds what it was told is there", async () => {
  const tab = await browser.tab();
  const schema = { id: "u64", embedding: { vector: 2, metric: "l2" } };
  const index = async (schema) => {
    const db = await vectordoc.open("reloaded", { schema, durability: "strict" });
    const docs = Array.from({ length: 300 }, (_, id) => ({ id, embedding: [id, 1] }));
    const progress = [];
    const { indexed } = await db.index(docs, { onProgress: ({ done, total }) => progress.push([done, total]) });
    await db.waitIndexed();
    return { indexed, last: progress.at(-1) };
  };
  assert.deepEqual(await tab.evaluate(index, schema), { indexed: 300, last: [300, 300] });
  await tab.reload();
  await tab.waitForFunction(() => globalThis.vectordoc);
  const [hit, count, schemaAgain] = await tab.evaluate(async () => {
    const db = await vectordoc.open("reloaded");
    const [hit] = await db.search([17.2, 1]);
    return [hit.id, await db.count(), { ...db.schema }];
  });
  assert.deepEqual([hit, count], [17, 300]);
  assert.equal(schemaAgain.id, "u64");
  await tab.close();
});

test("databases are listed, and deleted unless they are open", async () => {
  const tab = await browser.tab();
  const seen = await tab.evaluate(async () => {
    const { open, names, remove } = vectordoc;
    const schema = { id: "string", embedding: { vector: 2, metric: "l2" } };
    const db = await open("listed", { schema });
    const busy = await remove("listed").catch(({ code }) => code);
    const before = await names();
    await db.close();
    await remove("listed");
    const missing = await open("listed").catch(({ code }) => code);
    const again = await open("listed", { schema });
    const count = await again.count();
    await again.close();
    await remove("listed");
    return { busy, before: before.includes("listed"), missing, count, after: (await names()).includes("listed") };
  });
  assert.deepEqual(seen, { busy: "busy", before: true, missing: "not_found", count: 0, after: false });
  await tab.close();
});

test("a schema that other tabs open with is followed, or is a conflict", async () => {
  const [one, other] = [await browser.tab(), await browser.tab()];
  const schema = { id: "string", embedding: { vector: 2, metric: "l2" } };
  const open = async (schema) => {
    globalThis.db = await vectordoc.open("evolving", { schema });
    return Object.keys(globalThis.db.schema).sort();
  };
  await one.evaluate(open, schema);
  await one.evaluate(() => globalThis.db.index({ id: "a", embedding: [1, 2] }));
  const wider = { ...schema, price: { type: "number", filter: true, optional: true } };
  assert.deepEqual(await other.evaluate(open, wider), ["embedding", "id", "price"]);
  assert.equal(await one.evaluate(() => globalThis.db.count({ filter: { price: { $exists: false } } })), 1);
  const conflict = { ...schema, embedding: { vector: 3, metric: "l2" } };
  const third = await browser.tab();
  assert.match(await third.evaluate((schema) => vectordoc.open("evolving", { schema }).catch(String), conflict), /dimensions/);
  assert.equal(await one.evaluate(() => globalThis.db.count()), 1);
  await Promise.all([one, other, third].map((tab) => tab.close()));
});

test("where a browser lacks what it takes, it is said, with the way out", async () => {
  const lacks = {
    "no workers": () => delete globalThis.Worker,
    "no Web Locks": () => delete Navigator.prototype.locks,
    "no IndexedDB": () => delete globalThis.indexedDB,
    "not secure": () => {
      Object.defineProperty(globalThis, "isSecureContext", { value: false });
      delete Crypto.prototype.randomUUID;
    },
  };
  for (const [lack, remove] of Object.entries(lacks)) {
    const tab = await browser.tab();
    await tab.evaluate(remove);
    const seen = await tab.evaluate(async () => {
      const schema = { id: "string", embedding: { vector: 2, metric: "l2" } };
      const { code, message } = await vectordoc.open("lacking", { schema }).catch((error) => error);
      const db = await vectordoc.open("lacking", { schema, store: "memory" });
      await db.index({ id: "a", embedding: [1, 2] });
      const count = await db.count();
      await db.close();
      return { code, message, count };
    });
    assert.deepEqual([seen.code, seen.count], ["unavailable", 1]);
    assert.match(seen.message, new RegExp(`${lack}.*store: "memory"`));
    await tab.close();
  }
});

test("what cannot be sent to a worker is refused, and nothing of it happens", async () => {
  const tab = await browser.tab();
  const seen = await tab.evaluate(async () => {
    const schema = { id: "string", embedding: { vector: 2, metric: "l2" } };
    const db = await vectordoc.open("cloned", { schema, store: "memory" });
    const docs = [{ id: "a", embedding: [1, 2] }, { id: "b", embedding: [1, 2], call: () => 0 }];
    const { code } = await db.index(docs).catch((error) => error);
    await db.index({ id: "c", embedding: [1, 2] });
    return { code, count: await db.count() };
  });
  assert.deepEqual(seen, { code: "invalid", count: 1 });
  await tab.close();
});
