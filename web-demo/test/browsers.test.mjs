// A visitor's minutes with the built page, in Chromium, Firefox and WebKit.

import assert from "node:assert/strict";
import test from "node:test";
import { BROWSERS } from "../../wasm/test/browsers/launch.mjs";
import { Page, painted, settled } from "./page.mjs";
import { serve } from "./server.mjs";

const PHONE = [390, 844];
const DESK = [1280, 900];

/** Lines with vectors: two directions, three of each. */
const LINES = ["a red apple", "a green apple", "an apple pie", "a fast train", "a slow train", "a train of thought"]
  .map((text, at) => JSON.stringify({ text, embedding: at < 3 ? [1, 0.1 * at, 0] : [0, 0.1 * at, 1] }))
  .join("\n");

for (const name of BROWSERS) {
  test(name, async (t) => {
    // WebKit runs modules before style sheets are there; what reads colours then has none.
    const server = await serve({}, { styleDelay: 1_000 });
    const page = await Page.launch(name);
    t.after(async () => {
      await page.close();
      await server.stop();
    });
    t.diagnostic(page.browser.version);
    const step = (words, task) => t.test(words, () => task());
    await page.browser.resize(...DESK);
    await page.open(server.url);

    await step("the first answer is there, with its figures, and it is right", () => firstAnswer(page));
    await step("typing previews, Enter picks, and the address says what is shown", () => picking(page));
    await step("words that are no title are searched for by what texts have", () => words(page));
    await step("filters leave what matches, and one that leaves nothing says so", () => filters(page));
    await step("the map is drawn, zooms by keyboard, and a point of it can be asked for", () => map(page));
    await step("the way of a search is shown step by step, down to the lowest level", () => trail(page));
    await step("fewer candidates are fewer comparisons", () => candidates(page));
    await step("colours can be chosen, and nothing is wider than a phone", () => looks(page));
    await step("what a visitor brings is indexed, found, and there after a reload", () => own(page));
    await step("ten thousand are there on a click, and opened again without indexing", () => larger(page));
    await step("without a network it opens again", () => offline(page, server));
  });
}

async function firstAnswer(page) {
  assert.equal(await page.text("#chosen .title"), "perfume");
  const scores = (await page.texts("#hits .score")).map(Number);
  assert.equal(scores.length, 10);
  assert.deepEqual(scores, scores.toSorted((a, b) => b - a));
  assert.ok((await page.texts("#hits .title")).includes("toilet water"));
  assert.match(await page.text("#figure-time"), / m?s$/);
  assert.equal(await page.text("#figure-among"), "3,000");
  assert.match(await page.text("#figure-recall"), /^\d+ %$/);
  assert.match(await page.text("#figure-memory"), /MB$/);
  await page.picture("light");
}

async function picking(page) {
  await page.set("#word", "thunder");
  const suggested = await page.texts("#suggestions li .title");
  assert.ok(suggested.length > 2 && suggested.slice(0, -1).every((title) => title.includes("thunder")), String(suggested));
  await page.untilText("#chosen .title", suggested[0]);
  await page.picture("suggestions");
  await page.press("#word", "ArrowDown");
  await page.untilText("#chosen .title", suggested[1]);
  await page.press("#word", "Enter");
  const field = await page.run(() => document.querySelector("#word").value);
  assert.equal(field, suggested[1]);
  assert.equal(await page.run(() => document.querySelector("#suggestions").hidden), true);
  const [nearest] = await page.texts("#hits .title");
  await page.click("#hits a");
  await page.untilText("#chosen .title", nearest);
  await page.run(() => history.back());
  await page.untilText("#chosen .title", suggested[1]);
}

async function words(page) {
  await page.set("#word", "musical instrument");
  await page.press("#word", "ArrowUp");
  await page.press("#word", "Enter");
  await page.untilText("#nearest-title", "By their words");
  const texts = await page.texts("#hits .text");
  assert.ok(texts.length === 10 && texts.every((text) => /musical|instrument/i.test(text)), String(texts));
  assert.equal(await page.run(() => document.querySelector("#model").hidden), false);
}

async function filters(page) {
  await page.run(() => (location.hash = "#29726"));
  await page.untilText("#chosen .title", "perfume");
  await page.click('#parts input[value="v"]');
  await page.untilText("#figure-among", "367");
  const kinds = await page.texts("#hits .kind");
  assert.ok(kinds.length === 10 && kinds.every((kind) => kind.startsWith("verb · ")));
  await page.picture("filtered");
  await page.set("#category", "verb.weather", "change");
  await page.untilText("#figure-among", "2");
  assert.equal((await page.texts("#hits .kind")).length, 2);
  await page.click('#parts input[value=""]');
  await page.set("#category", "noun.motive", "change");
  await page.untilText("#figure-among", "1");
  await page.click("#hits a");
  await page.untilText("#none:not([hidden])", "Nothing else passes");
  await page.set("#category", "", "change");
  await page.run(() => (location.hash = "#29726"));
  await page.untilText("#chosen .title", "perfume");
}

async function map(page) {
  await page.run(painted);
  const before = await page.run(settled);
  await page.press("#map", "+");
  assert.notEqual(await page.run(settled, before), before);
  await page.press("#map", "0");
  await page.run(() => {
    // Somewhere there is a point: the pointer goes over the map until it is named.
    const map = document.querySelector("#map");
    const { left, top, width, height } = map.getBoundingClientRect();
    for (let at = 0; at < 900; at++) {
      const place = { clientX: left + width * (0.2 + 0.6 * ((at % 30) / 30)), clientY: top + height * (0.2 + 0.6 * (Math.floor(at / 30) / 30)) };
      map.dispatchEvent(new PointerEvent("pointermove", { ...place, pointerId: 1, bubbles: true }));
      if (!document.querySelector("#map-tip").hidden) return;
    }
  });
  assert.ok((await page.text("#map-tip")).length > 1);
  await page.run(() => document.querySelector("#map").dispatchEvent(new PointerEvent("pointerleave")));
}

async function trail(page) {
  await page.untilText("#trail-words", "comparisons");
  assert.match(await page.text("#trail-levels"), /level [1-9].*level 0/);
  const last = await page.run(() => document.querySelector("#trail-step").max);
  await page.set("#trail-step", String(Math.ceil(last / 3)));
  await page.picture("trail");
  await page.set("#trail-step", last);
  await page.untilText("#trail-words", `Step ${last} of ${last}, level 0`);
  assert.match(await page.text("#trail-levels .is-current"), /level 0/);
  await page.click("#trail-play");
  await page.untilText("#trail-words", "Step 2 of");
  await page.click("#trail-play");
  assert.equal(await page.run(() => document.querySelector("#trail-play").getAttribute("aria-pressed")), "false");
}

async function candidates(page) {
  const steps = async () => Number((await page.run(() => document.querySelector("#trail-step").max)));
  await page.untilText("#figure-among", "3,000");
  const before = await steps();
  await page.set("#ef", "1");
  await page.untilText("#ef-value", "10");
  const few = await steps();
  await page.set("#ef", "9");
  await page.untilText("#ef-value", "400");
  assert.ok(few < before && before < (await steps()), `${few} < ${before}`);
  await page.set("#ef", "0");
  await page.untilText("#ef-value", "auto");
}

async function looks(page) {
  const theme = () => page.run(() => [document.documentElement.dataset.theme, getComputedStyle(document.body).backgroundColor]);
  await page.click("#theme");
  const light = await theme();
  await page.click("#theme");
  const dark = await theme();
  assert.deepEqual([light[0], dark[0]], ["light", "dark"]);
  assert.notEqual(light[1], dark[1]);
  await page.picture("dark");
  await page.browser.resize(...PHONE);
  const overflow = () => page.run(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  assert.equal(await overflow(), 0);
  await page.picture("phone-dark");
  await page.click("#theme");
  await page.picture("phone-light");
  await page.run(() => document.querySelector("#answer").scrollIntoView());
  await page.picture("phone-answer");
  await page.browser.resize(...DESK);
  await page.run(() => scrollTo(0, 0));
}

async function own(page) {
  await page.drop("fruit.jsonl", LINES);
  await page.untilText("#yours-status", "6 entries of fruit.jsonl are indexed");
  await page.drop("other.jsonl", '{"text": "too long", "embedding": [1, 2, 3, 4]}');
  await page.untilText("#yours-status", "your entries have vectors of 3 numbers, other.jsonl has 4");
  await page.drop("broken.jsonl", '{"text": "a"}\n{"text": ');
  await page.untilText("#yours-status", "broken.jsonl, line 2");
  await page.reload();
  await page.untilText("#yours-count", "6 entries of yours");
  await page.run(() => document.querySelector("#yours").scrollIntoView());
  await page.picture("yours");
  await page.click("#yours-explore");
  await page.untilText("#status", "6 entries of yours");
  await page.set("#word", "a fast");
  await page.untilText("#chosen .title", "a fast train");
  const [first, second] = await page.texts("#hits .title");
  assert.deepEqual([first, second].sort(), ["a slow train", "a train of thought"]);
  await page.picture("yours-map");
  await page.click('#corpora input[value="wordnet-3000"]');
  await page.ready();
  await page.click("#yours-clear");
  await page.untilText("#yours-count", "Nothing of yours");
}

async function larger(page) {
  await page.run(() => scrollTo(0, 0));
  await page.click('#corpora input[value="wordnet-10000"]');
  await page.untilText("#status", "10,000 definitions, indexed in this tab");
  await page.untilText("#figure-among", "10,000");
  await page.picture("ten-thousand");
  await page.click('#corpora input[value="wordnet-3000"]');
  await page.untilText("#status", "3,000 definitions, opened");
  await page.click('#corpora input[value="wordnet-10000"]');
  await page.untilText("#status", "10,000 definitions, opened from this browser");
  await page.click('#corpora input[value="wordnet-50000"]');
  await page.untilText("#status", "The 50,000 are not served with this page");
  assert.equal(await page.run(() => document.querySelector("#corpora input:checked").value), "wordnet-10000");
}

async function offline(page, server) {
  await page.run(() => navigator.serviceWorker.ready.then(() => undefined));
  await page.reload();
  await server.stop();
  await page.reload();
  assert.equal((await page.texts("#hits .title")).length, 10);
}
