// How long it takes to list what is in IndexedDB, against reading all of it by one bare request, in a
// browser that has it on the disk: `node test/stores/list.bench.mjs`. Medians of several rounds, taken
// in turns.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { LAUNCH, openPage, serveStores } from "./browser.mjs";

const ROUNDS = 9;
/** How many values, of how many bytes. */
const STORES = [
  [5_000, 16 * 1024],
  [1_300, 64 * 1024 - 64],
];

const site = await serveStores();
const profile = await mkdtemp(join(tmpdir(), "vectordoc-profile-"));
const context = await chromium.launchPersistentContext(profile, LAUNCH);
const page = await openPage(context, site.origin, "/", (error) => console.error(error));
for (const [count, size] of STORES) {
  const { list, bare } = await page.evaluate(measure, [count, size, ROUNDS]);
  const ratio = (list / bare).toFixed(2);
  console.log(
    `${count} values of ${size} bytes: ${list.toFixed(0)} ms, ${ratio} of one bare getAll (${bare.toFixed(0)} ms)`,
  );
}
await context.close();
site.close();
await rm(profile, { recursive: true });

async function measure([count, size, rounds]) {
  const name = `${count}`;
  const store = await indexedDb(name);
  const key = (number) => `page/${String(number).padStart(8, "0")}`;
  for (let from = 0; from < count; from += 100) {
    const numbers = Array.from({ length: Math.min(100, count - from) }, (_, index) => from + index);
    await store.put(new Map(numbers.map((number) => [key(number), noise(size)])));
  }
  const connection = await opened(indexedDB.open(`vectordoc/${name}`));
  const times = { list: [], bare: [] };
  const time = async (way, read) => {
    const begun = performance.now();
    const bytes = await read();
    times[way].push(performance.now() - begun);
    if (bytes !== count * size) throw new Error(`${way} read ${bytes} bytes`);
  };
  for (let round = 0; round < rounds; round++) {
    await time("list", async () => {
      let bytes = 0;
      for await (const [, value] of store.list("page/")) bytes += value.length;
      return bytes;
    });
    await time("bare", async () => {
      const entries = connection.transaction("entries").objectStore("entries");
      const values = await opened(entries.getAll());
      return values.reduce((sum, value) => sum + value.length, 0);
    });
  }
  const median = (all) => all.toSorted((a, b) => a - b)[all.length >> 1];
  return { list: median(times.list), bare: median(times.bare) };
}
