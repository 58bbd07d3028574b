// A database over several workers, and databases as files, in a real browser.

import assert from "node:assert/strict";
import test from "node:test";
import { Browser } from "./browser.mjs";

let browser;
test.before(async () => (browser = await Browser.start()));
test.after(() => browser?.stop());

/** Calls of one database over as many workers as are said; what they answer. */
async function use([name, workers, store]) {
  const schema = {
    id: "u64",
    embedding: { vector: 8, metric: "l2" },
    text: { type: "string", text: true },
    kind: { type: "string", filter: true },
  };
  const docs = Array.from({ length: 600 }, (_, id) => ({
    id,
    embedding: Float32Array.from({ length: 8 }, (_, at) => Math.sin(id * 8 + at)),
    text: id % 3 ? "a red kettle" : "a blue bell",
    kind: `kind ${id % 5}`,
  }));
  const db = await vectordoc.open(name, { schema, workers, ...store });
  await db.index(docs);
  await db.patch({ filter: { kind: "kind 4" } }, { set: { text: "a green kettle" } });
  await db.delete([1, 2, 3, 1_000]);
  await db.waitIndexed();
  const query = docs[77].embedding;
  const ids = (hits) => hits.map(({ id, score }) => [id, score]);
  const answers = {
    hits: ids(await db.search(query, { limit: 12, filter: { kind: { $ne: "kind 0" } } })),
    texts: ids(await db.searchText("green bell", { limit: 7 })),
    both: ids(await db.search(query, { text: "blue", limit: 7 })),
    like: ids(await db.searchLike(40, { limit: 5 })),
    facet: await db.facet("kind"),
    count: await db.count(),
  };
  await db.close();
  return answers;
}

test("a database over four workers answers as one engine does, and is opened again with four", async () => {
  const tab = await browser.tab();
  const one = await tab.evaluate(use, ["one", 1, {}]);
  assert.equal(one.count, 597);
  assert.deepEqual(await tab.evaluate(use, ["in memory", 3, { store: "memory" }]), one);
  assert.deepEqual(await tab.evaluate(use, ["four", 4, {}]), one);
  await tab.reload();
  await tab.waitForFunction(() => globalThis.vectordoc);
  const again = await tab.evaluate(async () => {
    const codes = [];
    for (const workers of [1, 2, 0, 1.5, 65]) {
      await vectordoc.open("four", { workers }).catch(({ code, message }) => codes.push([code, message]));
    }
    const db = await vectordoc.open("four", { workers: 4 });
    const count = await db.count();
    await db.close();
    const names = await vectordoc.names();
    await vectordoc.remove("four");
    return { codes, count, names, left: (await indexedDB.databases()).length };
  });
  assert.deepEqual(
    again.codes.map(([code]) => code),
    ["conflict", "conflict", "invalid", "invalid", "invalid"],
  );
  assert.match(again.codes[0][1], /0 of 4/);
  assert.equal(again.count, 597);
  assert.deepEqual(again.names.sort(), ["four", "one"]);
  assert.equal(again.left, 1);
  await tab.close();
});

test("two tabs share a database over workers", async () => {
  const [first, second] = await Promise.all([browser.tab(), browser.tab()]);
  const open = async (tab) =>
    tab.evaluate(async () => {
      const schema = { id: "u64", v: { vector: 2, metric: "l2" } };
      globalThis.db = await vectordoc.open("shared shards", { schema, workers: 2 });
    });
  await open(first);
  await open(second);
  const index = (from) => globalThis.db.index(
    Array.from({ length: 50 }, (_, at) => ({ id: from + at, v: [from + at, 0] })),
  );
  await Promise.all([first.evaluate(index, 0), second.evaluate(index, 50)]);
  await first.close();
  const found = await second.evaluate(async () => [
    await globalThis.db.count(),
    (await globalThis.db.search([70.2, 0], { limit: 2 })).map(({ id }) => id),
  ]);
  assert.deepEqual(found, [100, [70, 71]]);
  await second.close();
});

test("a database is exported, removed and restored, also one over workers", async () => {
  const tab = await browser.tab();
  for (const workers of [1, 3]) {
    const outcome = await tab.evaluate(async (workers) => {
      const schema = { id: "u64", v: { vector: 2, metric: "l2" } };
      const db = await vectordoc.open("moved", { schema, workers });
      await db.index(Array.from({ length: 400 }, (_, id) => ({ id, v: [id, 1] })));
      const file = await db.export();
      const busy = await vectordoc.restore("moved", file).catch(({ code }) => code);
      await db.close();
      const conflict = await vectordoc.restore("moved", file).catch(({ code }) => code);
      await vectordoc.remove("moved");
      const cut = file.slice(0, file.size - 1);
      const corrupt = await vectordoc.restore("moved", cut).catch(({ code }) => code);
      const gone = await vectordoc.open("moved").catch(({ code }) => code);
      await vectordoc.restore("moved", file);
      const again = await vectordoc.open("moved", { workers });
      const hits = (await again.search([7, 1], { limit: 1 })).map(({ id }) => id);
      const count = await again.count();
      await again.close();
      await vectordoc.remove("moved");
      return { busy, conflict, corrupt, gone, hits, count };
    }, workers);
    assert.deepEqual(outcome, {
      busy: "busy",
      conflict: "conflict",
      corrupt: "corrupt",
      gone: "not_found",
      hits: [7],
      count: 400,
    });
  }
  await tab.close();
});
