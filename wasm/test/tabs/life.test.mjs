// Whatever happens to a page, its worker or its storage: nothing hangs, nothing is lost unsaid.

import assert from "node:assert/strict";
import test from "node:test";
import { Browser, crash, within } from "./browser.mjs";

/** Within which every promise has to settle. */
const SETTLED_MS = 10_000;

let browser;
test.before(async () => (browser = await Browser.start()));
test.after(() => browser?.stop());

/** Opens a database of counters in a tab, as `db`, where `worker` is the last worker it started. */
async function openIn(tab, name, options = {}) {
  await tab.evaluate(
    async ([name, options]) => {
      const { Worker } = globalThis;
      globalThis.Worker = class extends Worker {
        constructor(...given) {
          super(...given);
          globalThis.worker = this;
        }
      };
      const schema = { id: "string", embedding: { vector: 2, metric: "l2" }, count: "i64" };
      globalThis.db = await vectordoc.open(name, { schema, ...options });
      await globalThis.db.index({ id: "a", embedding: [1, 2], count: 0 });
    },
    [name, options],
  );
}

const increment = (tab) =>
  tab.evaluate(() => db.patch("a", { increment: { count: 1 } }).then(() => "done", ({ code }) => code));
const count = (tab) => tab.evaluate(async () => (await db.get("a")).count);
/** Waits for a candidate of a tab to wait behind the holder. */
const settled = (tab) => tab.evaluate(() => new Promise((resolve) => setTimeout(resolve, 50)));

test("another tab takes over from one that crashes, and from one that is closed", async (t) => {
  const tabs = [await browser.tab(), await browser.tab(), await browser.tab()];
  for (const tab of tabs) await openIn(tab, "failover");
  await settled(tabs[2]);
  const pending = increment(tabs[2]);
  assert.equal(await pending, "done");
  let began = performance.now();
  await crash(tabs[0]);
  assert.equal(await increment(tabs[2]), "done");
  t.diagnostic(`after a crash: ${Math.round(performance.now() - began)} ms until a write is done`);
  began = performance.now();
  await tabs[1].close();
  assert.equal(await increment(tabs[2]), "done");
  t.diagnostic(`after a close: ${Math.round(performance.now() - began)} ms until a write is done`);
  assert.equal(await count(tabs[2]), 3);
  await tabs[2].close();
});

test("a worker that is terminated is replaced, and what was asked happens once", async () => {
  const tab = await browser.tab();
  await openIn(tab, "terminated");
  const outcomes = tab.evaluate(async () => {
    const writes = [];
    for (let at = 0; at < 20; at++) {
      writes.push(db.patch("a", { increment: { count: 1 } }).then(() => "done", ({ code }) => code));
      if (at === 10) {
        await writes[5];
        worker.terminate();
      }
    }
    return [...new Set(await Promise.all(writes))];
  });
  assert.deepEqual(await within(SETTLED_MS, outcomes), ["done"]);
  assert.equal(await count(tab), 20);
  await tab.close();
});

test("a database in memory goes with its worker, and it is said", async () => {
  const tab = await browser.tab();
  await openIn(tab, "gone", { store: "memory" });
  await tab.evaluate(() => worker.terminate());
  assert.equal(await within(SETTLED_MS, increment(tab)), "unavailable");
  await tab.close();
});

test("a holder that hangs is named, and its worker's tab can be closed", async () => {
  const [holder, tab] = [await browser.tab(), await browser.tab()];
  await openIn(holder, "hanging");
  await openIn(tab, "hanging");
  const [worker] = holder.workers();
  await worker.evaluate(() => void setTimeout(() => { for (;;); }));
  const outcome = await within(SETTLED_MS, tab.evaluate(() => db.count().catch(({ code, message }) => [code, message])));
  assert.equal(outcome[0], "unavailable");
  assert.match(outcome[1], /does not answer/);
  await holder.close();
  assert.equal(await within(SETTLED_MS, increment(tab)), "done");
  await tab.close();
});

test("a trap costs the call that ran into it, and nothing else", async () => {
  for (const isHolder of [true, false]) {
    const [other, tab] = [await browser.tab("trapping"), await browser.tab("trapping")];
    const tabs = isHolder ? [tab, other] : [other, tab];
    for (const each of tabs) await openIn(each, "trap");
    const trapped = await tab.evaluate(async () => {
      const before = db.patch("a", { increment: { count: 1 } });
      const trapping = db.search([1, 2], { limit: 13 }).catch(({ code }) => code);
      const after = db.patch("a", { increment: { count: 1 } });
      await Promise.all([before, after]);
      return trapping;
    });
    assert.equal(trapped, "internal");
    assert.equal(await count(tab), 2);
    assert.equal(await count(other), 2);
    await tab.close();
    await other.close();
  }
});

test("a page in the back/forward cache lets go of the database, and comes back to it", async (t) => {
  const tab = await browser.tab();
  await openIn(tab, "cached");
  await tab.evaluate(() => (globalThis.isKept = true));
  const session = await browser.context.newCDPSession(tab);
  await session.send("Page.enable");
  session.on("Page.backForwardCacheNotUsed", ({ notRestoredExplanations: why }) =>
    t.diagnostic(`not cached: ${why.map(({ reason }) => reason).join(", ")}`),
  );
  // Not awaited: the page is put aside in the midst of it.
  await tab.evaluate(() => (globalThis.pending = db.patch("a", { increment: { count: 1 } })) && 0);
  await tab.goto(`${browser.url.replace("127.0.0.1", "localhost")}/test/tabs/page.html?dist`);
  const other = await browser.tab();
  await within(SETTLED_MS, openIn(other, "cached"));
  assert.equal(await increment(other), "done");
  await tab.goBack({ waitUntil: "commit" });
  assert.equal(await tab.evaluate(() => globalThis.isKept), true);
  await within(SETTLED_MS, tab.evaluate(async () => (await globalThis.pending) && 0));
  assert.equal(await increment(tab), "done");
  assert.equal(await count(other), await count(tab));
  await tab.close();
  await other.close();
});

test("a frozen page does not stand in the way of others", async () => {
  const [frozen, tab] = [await browser.tab(), await browser.tab()];
  await openIn(frozen, "frozen");
  await openIn(tab, "frozen");
  const session = await browser.context.newCDPSession(frozen);
  await session.send("Page.setWebLifecycleState", { state: "frozen" });
  assert.equal(await within(SETTLED_MS, increment(tab)), "done");
  await session.send("Page.setWebLifecycleState", { state: "active" });
  assert.equal(await within(SETTLED_MS, increment(frozen)), "done");
  assert.equal(await count(tab), 2);
  await frozen.close();
  await tab.close();
});

/** Has the browser lose what a site stored. */
async function clear(tab, storageTypes) {
  const session = await browser.context.newCDPSession(tab);
  await session.send("Storage.clearDataForOrigin", { origin: browser.url, storageTypes });
}

test("storage that is cleared under an open database is said, and then it is closed", async () => {
  const tab = await browser.tab();
  await openIn(tab, "cleared");
  const writing = tab.evaluate(async () => {
    const codes = [];
    for (let i = 0; i < 2_000 && !codes.includes("closed"); i++) {
      codes.push(await db.patch("a", { increment: { count: 1 } }).then(() => "done", ({ code }) => code));
      globalThis.isWriting = true;
    }
    return [...new Set(codes)];
  });
  await tab.waitForFunction(() => globalThis.isWriting);
  await clear(tab, "indexeddb");
  assert.deepEqual(await within(SETTLED_MS, writing), ["done", "corrupt", "closed"]);
  assert.deepEqual(await tab.evaluate(() => db.count().catch(({ code }) => code)), "closed");
  await openIn(tab, "cleared");
  assert.equal(await count(tab), 0);
  await tab.close();
});

for (const lost of ["indexeddb", "indexeddb,cache_storage"]) {
  test(`a database that the browser lost (${lost}) is missed once`, async () => {
    const tab = await browser.tab();
    await openIn(tab, "lost");
    await tab.evaluate(() => db.close());
    await clear(tab, lost);
    const seen = await tab.evaluate(async () => {
      const schema = { id: "string", embedding: { vector: 2, metric: "l2" } };
      const open = () => vectordoc.open("lost", { schema });
      const { code, message } = await open().catch((error) => error);
      const db = await open();
      const count = await db.count();
      await db.close();
      await vectordoc.remove("lost");
      return { code, message, count };
    });
    assert.equal(seen.code, "corrupt");
    assert.match(seen.message, /lost database "lost"/);
    assert.equal(seen.count, 0);
    await tab.close();
  });
}

test("a page that cannot load the worker's script is told", async () => {
  const tab = await browser.tab();
  await tab.route("**/worker.js", (route) => route.abort());
  const open = tab.evaluate(() => vectordoc.open("unloaded", { schema: { id: "string" } }).catch(({ code }) => code));
  assert.equal(await within(SETTLED_MS, open), "unavailable");
  await tab.close();
});
