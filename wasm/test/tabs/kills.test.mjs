// The whole browser is killed while a page writes: what it was told is true, or the loss is said.

import assert from "node:assert/strict";
import test from "node:test";
import { leaveFigure } from "../figure.mjs";
import { Random } from "../random.mjs";
import { Browser } from "./browser.mjs";

/** Kills, about two seconds each. */
const KILLS = Number(process.env.KILLS ?? 5);
/** Documents that are inserted together. */
const BATCH_DOCUMENTS = 5;
/** The longest time from the first write to the kill. */
const LONGEST_MS = 1_500;

const random = new Random();

let browser;
test.before(async () => (browser = await Browser.start()));
test.after(() => browser?.stop());

test(`the browser is killed ${KILLS} times: nothing is torn, and no loss is silent`, async (t) => {
  let [first, losses] = [0, 0];
  const acknowledged = new Set();
  for (let kill = 0; kill < KILLS; kill++) {
    const tab = await browser.tab();
    let told;
    const isTold = new Promise((resolve) => (told = resolve));
    await tab.exposeFunction("done", (batch) => {
      acknowledged.add(batch);
      told();
    });
    tab.evaluate(write, { first, size: BATCH_DOCUMENTS }).catch(() => undefined);
    await isTold;
    await new Promise((resolve) => setTimeout(resolve, ((random.number() + 1) / 2) * LONGEST_MS));
    await browser.killAndStart();
    const { lost, batches } = await check();
    if (lost) {
      losses++;
      acknowledged.clear();
    }
    for (const batch of acknowledged) assert.equal(batches.get(batch), BATCH_DOCUMENTS, `batch ${batch}: ${random.story}`);
    for (const [batch, found] of batches) assert.equal(found, BATCH_DOCUMENTS, `batch ${batch} is torn: ${random.story}`);
    first = Math.max(first, ...acknowledged, ...batches.keys()) + 1;
  }
  assert.ok(first > KILLS);
  t.diagnostic(`${first} batches, ${losses} times the browser had lost all, which was said; ${random.story}`);
  leaveFigure("browser.kills", `${KILLS} kills of the browser, 0 torn, 0 silent losses`);
});

/** What there is, after the browser says whether it lost the database. */
async function check() {
  const tab = await browser.tab();
  const { lost, found } = await tab.evaluate(async () => {
    let lost = false;
    const db = await vectordoc.open("kills").catch((error) => {
      if (!/lost database/.test(error.message)) throw error;
      lost = true;
    });
    const found = [];
    if (db) for await (const { batch } of db.scroll()) found.push(batch);
    await db?.close();
    return { lost, found };
  });
  await tab.close();
  const batches = new Map();
  for (const batch of found) batches.set(batch, (batches.get(batch) ?? 0) + 1);
  return { lost, batches };
}

/** Runs in a page: writes batch after batch, and says when one is acknowledged. */
async function write({ first, size }) {
  const db = await vectordoc.open("kills", { schema: { id: "string", embedding: { vector: 4 }, batch: "i64" } });
  for (let batch = first; ; batch++) {
    const docs = Array.from({ length: size }, (_, at) => ({ id: `${batch}/${at}`, embedding: [1, at, batch, 1], batch }));
    await db.index(docs);
    await globalThis.done(batch);
  }
}
