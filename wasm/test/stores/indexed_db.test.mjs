// The store in IndexedDB, in a real browser: what every store must do, and what browsers do to it.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { chromium } from "playwright-core";
import { LAUNCH, openPage, serveStores } from "./browser.mjs";
import { STORIES } from "./conformance.mjs";

/** Milliseconds in which everything must be settled. */
const SETTLED_MS = 10_000;
/** What a site may store where its space is to end. */
const QUOTA_BYTES = 8 * 1024 * 1024;

let site;
let browser;

test.before(async () => {
  site = await serveStores();
  browser = await chromium.launch(LAUNCH);
});

test.after(async () => {
  await browser?.close();
  site?.close();
});

for (const story of Object.keys(STORIES)) {
  test(story, async (t) => {
    const page = await visit(t);
    await page.evaluate((name) => STORIES[name](() => indexedDb("story")), story);
  });
}

test("stores are named, kept apart and removed", async (t) => {
  const page = await visit(t);
  const found = await page.evaluate(async () => {
    indexedDB.open("another's");
    const [a, b] = [await indexedDb("a"), await indexedDb("b", { durability: "strict" })];
    await Promise.all([a.put(new Map([entry("k", 1)])), b.put(new Map([entry("k", 2)]))]);
    const kept = [await listed(a, ""), await listed(b, "")];
    const before = await indexedDbNames();
    await a.close();
    await removeIndexedDb("a");
    await removeIndexedDb("never there");
    return { kept, before, after: await indexedDbNames() };
  });
  assert.deepEqual(found.kept, [[["k", [1]]], [["k", [2]]]]);
  assert.deepEqual(found.before.toSorted(), ["a", "b"]);
  assert.deepEqual(found.after, ["b"]);
});

test("transactions have the durability asked for", async (t) => {
  const page = await visit(t);
  const asked = await page.evaluate(async () => {
    const asked = [];
    const { transaction } = IDBDatabase.prototype;
    IDBDatabase.prototype.transaction = function (names, mode, options) {
      asked.push([mode, options.durability]);
      return transaction.call(this, names, mode, options);
    };
    await (await indexedDb("relaxed")).put(new Map([entry("k", 1)]));
    await (await indexedDb("strict", { durability: "strict" })).delete(["k"]);
    return asked;
  });
  assert.deepEqual(asked, [["readwrite", "relaxed"], ["readwrite", "strict"]]);
});

test("a put of which one entry is refused stores nothing", async (t) => {
  const page = await visit(t);
  const found = await page.evaluate(async () => {
    const store = await indexedDb("refused");
    const refused = await codeOf(store.put(new Map([entry("a", 1), [{}, new Uint8Array(1)]])));
    return { refused, left: await listed(store, "") };
  });
  assert.deepEqual(found, { refused: "invalid", left: [] });
});

test("a closed store says so", async (t) => {
  const page = await visit(t);
  const code = await page.evaluate(async () => {
    const store = await indexedDb("closed");
    await store.close();
    await store.close();
    return codeOf(store.get("k"));
  });
  assert.equal(code, "closed");
});

test("where space ends the put is refused whole, reading goes on, and writing comes back", async (t) => {
  const page = await visit(t, await contextOnDisk(t));
  const cdp = await page.context().newCDPSession(page);
  const quota = (quotaSize) => cdp.send("Storage.overrideQuotaForOrigin", { origin: site.origin, quotaSize });
  await quota(QUOTA_BYTES);
  const filled = await page.evaluate(async () => {
    globalThis.store = await indexedDb("full");
    await store.put(new Map([entry("meta", 1)]));
    for (let number = 0; number < 40; number++) {
      const batch = new Map([entry("meta", 2 + number), [`page/${number}`, noise(1024 * 1024)]]);
      const code = await codeOf(store.put(batch));
      if (code) {
        const pages = (await listed(store, "page/")).length;
        return { code, number, pages, meta: [...(await store.get("meta"))] };
      }
    }
  });
  assert.equal(filled?.code, "full");
  assert.equal(filled.pages, filled.number);
  assert.deepEqual(filled.meta, [1 + filled.number]);
  await quota(QUOTA_BYTES * 4);
  const again = await page.evaluate(() =>
    codeOf(store.put(new Map([["page/x", noise(1024 * 1024)]]))),
  );
  assert.equal(again, undefined);
});

test("site data that is cleared in mid-write is told at once, and never as an empty store", async (t) => {
  const page = await visit(t);
  const cdp = await page.context().newCDPSession(page);
  const written = page.evaluate(async () => {
    const store = await indexedDb("cleared");
    const value = noise(1024 * 1024);
    let number = 0;
    globalThis.isWriting = true;
    for (;;) {
      const begun = performance.now();
      const puts = Array.from({ length: 8 }, () => codeOf(store.put(new Map([[`k${number++ % 20}`, value]]))));
      const failed = (await Promise.all(puts)).filter((code) => code !== undefined);
      if (failed.length > 0) {
        const ms = performance.now() - begun;
        return { failed, ms, next: await codeOf(store.get("k0")), names: await indexedDbNames() };
      }
    }
  });
  await page.waitForFunction(() => globalThis.isWriting);
  await new Promise((resolve) => setTimeout(resolve, 100));
  await cdp.send("Storage.clearDataForOrigin", { origin: site.origin, storageTypes: "indexeddb" });
  const { failed, ms, next, names } = await written;
  t.diagnostic(`${failed.join(" ")} after ${ms.toFixed(0)} ms, then ${next}`);
  assert.ok(failed.every((code) => code === "unavailable" || code === "closed"));
  assert.ok(ms < SETTLED_MS, `${ms} ms`);
  assert.equal(next, "closed");
  assert.deepEqual(names, []);
  const anew = await page.evaluate(async () => listed(await indexedDb("cleared"), ""));
  assert.deepEqual(anew, []);
});

test("a store gives way to a newer version, and then says that it is too old", async (t) => {
  const page = await visit(t);
  const found = await page.evaluate(async () => {
    const store = await indexedDb("newer");
    await store.put(new Map([entry("k", 1)]));
    const begun = performance.now();
    (await opened(indexedDB.open("vectordoc/newer", 2))).close();
    const ms = performance.now() - begun;
    return { ms, codes: [await codeOf(store.get("k")), await codeOf(indexedDb("newer"))] };
  });
  assert.ok(found.ms < SETTLED_MS, `${found.ms} ms`);
  assert.deepEqual(found.codes, ["unsupported", "unsupported"]);
});

test("a store that gave way for nothing opens itself again", async (t) => {
  const page = await visit(t);
  const found = await page.evaluate(async () => {
    const store = await indexedDb("same");
    await store.put(new Map([entry("k", 1)]));
    const request = indexedDB.open("vectordoc/same", 2);
    request.onupgradeneeded = () => request.transaction.abort();
    await opened(request).catch(() => undefined);
    await store.put(new Map([entry("l", 2)]));
    return listed(store, "");
  });
  assert.deepEqual(found, [["k", [1]], ["l", [2]]]);
});

test("a store that another tab removes is closed there, and does not come back empty", async (t) => {
  const page = await visit(t);
  const other = await visit(t, page.context());
  await page.evaluate(async () => {
    globalThis.store = await indexedDb("shared");
    await store.put(new Map([entry("k", 1)]));
  });
  await other.evaluate(() => removeIndexedDb("shared"));
  const [code, names] = await page.evaluate(async () => [
    await codeOf(store.put(new Map([entry("k", 2)]))),
    await indexedDbNames(),
  ]);
  assert.equal(code, "closed");
  assert.deepEqual(names, []);
});

test("a store that somebody does not let go of is busy", async (t) => {
  const page = await visit(t);
  const found = await page.evaluate(async () => {
    globalThis.holder = await opened(indexedDB.open("vectordoc/held", 1));
    const begun = performance.now();
    return { code: await codeOf(removeIndexedDb("held")), ms: performance.now() - begun };
  });
  assert.equal(found.code, "busy");
  assert.ok(found.ms < SETTLED_MS, `${found.ms} ms`);
});

test("a transaction that never comes to its turn is given up", async (t) => {
  const page = await visit(t);
  const found = await page.evaluate(async () => {
    const store = await indexedDb("stuck");
    await store.put(new Map([entry("k", 1)]));
    const holder = await opened(indexedDB.open("vectordoc/stuck"));
    const transaction = holder.transaction("entries", "readwrite");
    let isHeld = true;
    const hold = () => isHeld && (transaction.objectStore("entries").get("k").onsuccess = hold);
    hold();
    const begun = performance.now();
    const codes = await Promise.all([
      codeOf(store.put(new Map([entry("k", 2)]))),
      codeOf(store.get("k")),
      codeOf(store.list("").next()),
    ]);
    const ms = performance.now() - begun;
    isHeld = false;
    return { codes, ms, after: await codeOf(store.get("k")) };
  });
  assert.deepEqual(found.codes, ["unavailable", "unavailable", "unavailable"]);
  assert.ok(found.ms < SETTLED_MS, `${found.ms} ms`);
  assert.equal(found.after, undefined);
});

test("where there is no IndexedDB, or no access to it, the error says what else there is", async (t) => {
  const page = await visit(t);
  const without = await page.evaluate(async () => {
    Object.defineProperty(globalThis, "indexedDB", { value: undefined });
    return indexedDb("none").catch(({ code, message }) => [code, message]);
  });
  const sandboxed = await visit(t, page.context(), "/sandboxed");
  const denied = await sandboxed.evaluate(() =>
    indexedDb("none").catch(({ code, message }) => [code, message]),
  );
  for (const [code, message] of [without, denied]) {
    assert.equal(code, "unavailable");
    assert.match(message, /store: "memory"/);
  }
});

/** A page, of a browser that has stored nothing unless it is given; a complaint of it fails the test. */
async function visit(t, context, path = "/") {
  context ??= await newContext(t);
  const complaints = [];
  t.after(() => assert.deepEqual(complaints, []));
  return openPage(context, site.origin, path, (error) => complaints.push(error.message));
}

async function newContext(t) {
  const context = await browser.newContext();
  t.after(() => context.close());
  return context;
}

/** The browser watches over the space of sites only where it stores them on the disk. */
async function contextOnDisk(t) {
  const profile = await mkdtemp(join(tmpdir(), "vectordoc-profile-"));
  const context = await chromium.launchPersistentContext(profile, LAUNCH);
  t.after(async () => {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  });
  return context;
}
