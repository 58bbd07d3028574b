// Tabs crash, close and come again while they write to one database: what they were told is true.

import assert from "node:assert/strict";
import test from "node:test";
import { leaveFigure } from "../figure.mjs";
import { Random } from "../random.mjs";
import { Browser, within } from "./browser.mjs";
import { History } from "./history.mjs";

/** Tabs to crash while all of them write. */
const CRASHES = Number(process.env.CRASHES ?? 100);
/** Histories of two to eight tabs. */
const HISTORIES = Number(process.env.HISTORIES ?? 6);
/** Within which a history has to end. */
const HISTORY_MS = 600_000;

const random = new Random();
const below = (limit) => Math.floor(((random.number() + 1) / 2) * limit);
const rest = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

let browser;
test.before(async () => (browser = await Browser.start()));
test.after(() => browser?.stop());

test(`${CRASHES} tabs crash while they write: nothing acknowledged is lost, nothing is torn`, async (t) => {
  const history = new History(browser, "crashes", 1);
  const join = () => history.join();
  await within(HISTORY_MS * Math.ceil(CRASHES / 100), (async () => {
    await Promise.all([join(), join(), join()]);
    for (let crashes = 0; crashes < CRASHES; crashes++) {
      const [tab] = history.tabs.slice(below(history.tabs.length));
      await Promise.all([join(), history.end(tab, true)]);
    }
    await history.stop();
  })());
  const { done, unknown } = await history.check();
  t.diagnostic(`${done} writes acknowledged, ${unknown} cut off by the crash of their own tab; ${random.story}`);
  assert.ok(done > CRASHES);
  leaveFigure("browser.crashes", `${CRASHES} crashes of tabs, 0 lost, 0 torn`);
});

let explained = 0;
for (let number = 0; number < HISTORIES; number++) {
  const seed = below(2 ** 20) * 1_000;
  test(`history ${number} of seed ${seed}`, async (t) => {
    const history = new History(browser, String(seed), seed);
    const count = 2 + below(7);
    const longest = await within(HISTORY_MS, (async () => {
      for (let at = 0; at < count; at++) await history.join();
      for (let steps = 0; steps < 6; steps++) {
        await rest(below(100));
        const [tab] = history.tabs.slice(below(history.tabs.length));
        if (below(3) > 0) await history.end(tab, below(2) === 0);
        if (history.tabs.length < 2 || below(2) === 0) await history.join();
      }
      return history.stop();
    })());
    const { done, unknown } = await history.check();
    t.diagnostic(`${count} tabs: ${done} writes acknowledged, ${unknown} cut off; the longest took ${Math.round(longest)} ms; ${random.story}`);
    leaveFigure("browser.histories", `${++explained} histories of 2 to 8 tabs, 0 that cannot be`);
  });
}
