// A page stays smooth while a large batch is indexed and searched; prints how smooth.

import assert from "node:assert/strict";
import test from "node:test";
import { Browser } from "./browser.mjs";

const DOCUMENTS = Number(process.env.DOCUMENTS ?? 50_000);
const DIM = 384;

let browser;
test.before(async () => (browser = await Browser.start()));
test.after(() => browser?.stop());

test(`a page that indexes and searches ${DOCUMENTS} documents of ${DIM} numbers`, async (t) => {
  const tab = await browser.tab();
  const stop = await traceTasks(tab);
  const seen = await tab.evaluate(indexAndSearch, { documents: DOCUMENTS, dim: DIM, store: "indexeddb" });
  const tasks = await stop();
  assert.equal(seen.count, DOCUMENTS);
  assert.ok(seen.isSteady, "progress went back");
  t.diagnostic(`indexed in ${seen.indexMs} ms, with ${seen.meanwhile} searches meanwhile`);
  t.diagnostic(`main thread: longest gap ${seen.gap.index} ms while indexing, ${seen.gap.search} ms while searching, ${seen.gap.idle} ms idle`);
  t.diagnostic(`tasks over 50 ms: ${seen.longTasks}`);
  t.diagnostic(`longest tasks of the page while indexing, by the time of the processor: ${tasks.join(", ")} ms`);
  t.diagnostic(`a search: median ${seen.search.median} ms, 95 % within ${seen.search.p95} ms; a count: median ${seen.trip.median} ms, 95 % within ${seen.trip.p95} ms; a write while the index is built: median ${seen.patch.median} ms`);
  t.diagnostic(`reopened in ${seen.reopenMs} ms`);
  await tab.close();
});

/** Traces the page's tasks between its marks; the function returned says how long the longest ran. */
async function traceTasks(tab) {
  const session = await browser.context.newCDPSession(tab);
  const events = [];
  session.on("Tracing.dataCollected", ({ value }) => events.push(...value));
  const included = ["toplevel", "blink.user_timing"];
  await session.send("Tracing.start", { traceConfig: { includedCategories: included } });
  return async () => {
    const complete = new Promise((resolve) => session.once("Tracing.tracingComplete", resolve));
    await session.send("Tracing.end");
    await complete;
    const mark = (wanted) => events.find(({ name }) => name === wanted);
    const [from, to] = [mark("indexing"), mark("indexed")];
    const isMeant = ({ name, tid, pid, ts }) =>
      name.endsWith("RunTask") && tid === from.tid && pid === from.pid && ts > from.ts && ts < to.ts;
    // The clock of a thread can be coarse: no task ran longer than it took.
    const ran = ({ tdur = 0, dur = 0 }) => Math.round(Math.min(tdur, dur) / 100) / 10;
    const times = events.filter(isMeant).map(ran);
    return times.sort((a, b) => b - a).slice(0, 5);
  };
}

/** Runs in the page. */
async function indexAndSearch({ documents, dim, store }) {
  const schema = { id: "u64", embedding: { vector: dim, metric: "cosine" }, price: { type: "number", filter: true } };
  let db = await vectordoc.open("smooth", { schema, store });
  const data = Float32Array.from({ length: documents * dim }, () => Math.random() - 0.5);
  const vector = (at) => data.subarray(at * dim, (at + 1) * dim);
  const docs = Array.from({ length: documents }, (_, id) => ({ id, embedding: vector(id), price: id % 100 }));

  let longTasks = 0;
  new PerformanceObserver((list) => (longTasks += list.getEntries().length)).observe({ entryTypes: ["longtask"] });
  /** The longest time between two turns of the thread while something goes on. */
  const longestGap = async (work) => {
    const { port1, port2 } = new MessageChannel();
    let [longest, last, isOver] = [0, performance.now(), false];
    port1.onmessage = () => {
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
      if (!isOver) port2.postMessage(0);
    };
    port2.postMessage(0);
    await work();
    isOver = true;
    return Math.round(longest * 10) / 10;
  };
  const quantiles = (times) => {
    times.sort((a, b) => a - b);
    const at = (part) => Math.round(times[Math.floor(times.length * part)] * 100) / 100;
    return { median: at(0.5), p95: at(0.95) };
  };
  const timed = async (count, call) => {
    const times = [];
    for (let i = 0; i < count; i++) {
      const began = performance.now();
      await call(i);
      times.push(performance.now() - began);
    }
    return quantiles(times);
  };

  const gap = { idle: await longestGap(() => new Promise((resolve) => setTimeout(resolve, 1_000))) };
  let [meanwhile, indexMs, isSteady, last] = [0, 0, true, 0];
  const onProgress = ({ done, total }) => {
    isSteady &&= done > last && done <= total;
    last = done;
  };
  longTasks = 0;
  performance.mark("indexing");
  gap.index = await longestGap(async () => {
    const began = performance.now();
    let isIndexed = false;
    const indexing = db.index(docs, { onProgress }).then(() => (isIndexed = true));
    while (!isIndexed) {
      await db.search(vector(0), { limit: 10 });
      meanwhile += 1;
    }
    await indexing;
    indexMs = Math.round(performance.now() - began);
  });
  performance.mark("indexed");
  let search;
  gap.search = await longestGap(async () => {
    search = await timed(200, (i) => db.search(vector(i), { limit: 10 }));
  });
  search = await timed(200, (i) => db.search(vector(i), { limit: 10 }));
  const trip = await timed(500, () => db.count());
  const patch = await timed(200, (i) => db.patch(i, { increment: { price: 1 } }));
  const count = await db.count();
  await db.close();
  const began = performance.now();
  db = await vectordoc.open("smooth");
  const reopenMs = Math.round(performance.now() - began);
  await db.close();
  await vectordoc.remove("smooth");
  return { count, isSteady, indexMs, meanwhile, gap, longTasks, search, trip, patch, reopenMs };
}
