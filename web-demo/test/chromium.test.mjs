// What only one browser is needed for: accessibility, two tabs, smoothness, the model, a server.

import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { chromium } from "playwright-core";
import { PROGRAM, startServer } from "../../wasm/test/remote/server.mjs";
import { writeDefinitions } from "./definitions.mjs";
import { modelFolder } from "./model.mjs";
import { painted } from "./page.mjs";
import { serve } from "./server.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
const OPTIONS = { executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: FLAGS };
/** Milliseconds after which something will not come any more, also on a machine that is busy. */
const WAIT_MS = 180_000;

/** A browser with an empty profile, and a server of the page; both gone with the test. */
async function visit(t, beside) {
  const server = await serve(beside);
  const profile = await mkdtemp(join(tmpdir(), "vectordoc-demo-"));
  const context = await chromium.launchPersistentContext(profile, { ...OPTIONS, viewport: { width: 1280, height: 900 } });
  context.setDefaultTimeout(WAIT_MS);
  const complaints = [];
  t.after(async () => {
    await context.close();
    await server.stop();
    await rm(profile, { recursive: true, force: true });
    assert.deepEqual(complaints, []);
  });
  const open = async (query = "") => {
    const page = await context.newPage();
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
    await page.goto(server.url + query);
    await page.locator("#status", { hasText: "first answer after" }).waitFor();
    return page;
  };
  return { context, open, server };
}

/** What axe says of the page as it is, by all of its rules. */
async function violations(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html}\n${failureSummary}`).join("\n")}`);
}

test("there is nothing in the way of anyone, by all rules of axe", async (t) => {
  const { open } = await visit(t);
  const page = await open();
  for (const [colorScheme, width] of [["light", 1280], ["dark", 1280], ["light", 390], ["dark", 390]]) {
    await t.test(`${colorScheme}, ${width} pixels wide`, async () => {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width, height: 850 });
      assert.deepEqual(await violations(page), []);
      await page.getByLabel("Word or phrase").fill("thun");
      await page.getByRole("option").first().waitFor();
      assert.deepEqual(await violations(page), []);
      await page.keyboard.press("Escape");
    });
  }
  await t.test("with an alert, measurements and a word that no title has", async () => {
    await page.getByLabel("Word or phrase").fill("sound of bells");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Search by meaning" }).waitFor();
    await page.getByRole("button", { name: "Measure here" }).click();
    await page.locator("#lab-rows tr").nth(2).waitFor({ state: "attached" });
    await page.getByText("The same as a table").click();
    assert.deepEqual(await violations(page), []);
  });
});

test("everything can be reached by Tab, in the order in which it stands", async (t) => {
  const { open } = await visit(t);
  const page = await open();
  const names = [];
  for (let at = 0; at < 16; at++) {
    await page.keyboard.press("Tab");
    names.push(await page.evaluate(() => {
      const { activeElement: element } = document;
      return element.ariaLabel ?? element.labels?.[0]?.textContent ?? element.textContent;
    }));
  }
  const wanted = ["Skip to the search", "Measure", "Your own", "Colours: auto", "3,000", "Word or phrase", "any", "Category", "Map of all entries", "Nearer"];
  assert.deepEqual(names.slice(0, wanted.length), wanted);
});

test("who wants less motion sees the whole way at once", async (t) => {
  const { open } = await visit(t);
  const page = await open();
  await page.emulateMedia({ reducedMotion: "reduce" });
  await page.getByRole("button", { name: "Play the search" }).click();
  const step = page.locator("#trail-step");
  assert.equal(await step.inputValue(), await step.getAttribute("max"));
});

test("a page for which no frames are made has its map all the same", async (t) => {
  const { context, open } = await visit(t);
  await context.addInitScript(() => {
    window.requestAnimationFrame = () => 0;
    window.ResizeObserver = class {
      observe() {}
    };
  });
  const page = await open();
  await page.evaluate(painted);
});

test("a second tab sees what the first one adds, and the first what the second removes", async (t) => {
  const { open } = await visit(t);
  const [first, second] = [await open(), await open()];
  const lines = '{"text": "one", "embedding": [1, 0]}\n{"text": "two", "embedding": [0, 1]}\n';
  const file = { name: "two.jsonl", mimeType: "application/x-ndjson", buffer: Buffer.from(lines) };
  await first.locator("#yours-file").setInputFiles(file);
  await first.getByText("2 entries of two.jsonl are indexed").waitFor();
  await second.getByText("2 entries of yours rest").waitFor();
  await second.getByRole("button", { name: "Explore" }).click();
  await second.getByText("2 entries of yours", { exact: true }).waitFor();
  const [download] = await Promise.all([second.waitForEvent("download"), second.getByRole("button", { name: "Export" }).click()]);
  const exported = await readFile(await download.path());
  assert.ok(exported.length > 100);
  await second.getByRole("button", { name: "Remove" }).click();
  await first.getByText("Nothing of yours is here yet.").waitFor();
  await first.locator("#yours-file").setInputFiles({ name: "yours.vectordoc", mimeType: "application/octet-stream", buffer: exported });
  await first.getByText("2 entries of yours rest").waitFor();
  await second.getByText("2 entries of yours rest").waitFor();
});

test("the laboratory measures, and more candidates find no less", async (t) => {
  const { open } = await visit(t);
  const page = await open();
  await page.getByRole("button", { name: "Measure here" }).click();
  await page.getByText("Measured with 3,000 entries").waitFor({ timeout: 2 * WAIT_MS });
  await page.getByText("The same as a table").click();
  const rows = await page.locator("#lab-rows tr").evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.textContent)));
  assert.equal(rows.length, 4 * 7);
  for (const name of new Set(rows.map(([name]) => name))) {
    const recalls = rows.filter(([of]) => of === name).map(([, , recall]) => Number.parseFloat(recall));
    assert.ok(recalls.at(-1) >= recalls[0] && recalls.at(-1) > 95, `${name}: ${recalls}`);
    t.diagnostic(`${name}: recall ${recalls.join(", ")} %`);
  }
  // By comparisons, and by the clock.
  assert.equal(await page.locator("#lab-plot .dot").count(), 2 * rows.length);
});

test("yours go to a server and come back", { skip: !existsSync(PROGRAM) && `${PROGRAM} is not built` }, async (t) => {
  const server = await startServer(t);
  const { open } = await visit(t);
  const page = await open();
  const lines = Array.from({ length: 300 }, (_, at) => JSON.stringify({ text: `text number ${at}`, embedding: [Math.sin(at), Math.cos(at), 0.5] }));
  await page.locator("#yours-file").setInputFiles({ name: "many.jsonl", mimeType: "text/plain", buffer: Buffer.from(lines.join("\n")) });
  await page.getByText("300 entries of many.jsonl are indexed").waitFor();
  await page.getByLabel("Address").fill(server.url);
  await page.getByRole("button", { name: "Push yours" }).click();
  await page.getByText("300 entries are in “yours”").waitFor();
  await page.getByRole("button", { name: "Remove" }).click();
  await page.getByText("Nothing of yours is here yet.").waitFor();
  await page.getByRole("button", { name: "Pull" }).click();
  await page.getByText("300 entries of yours are indexed").waitFor();
  await page.getByRole("button", { name: "Explore" }).click();
  await page.getByText("300 entries of yours", { exact: true }).waitFor();
  await page.getByLabel("Address").fill("http://localhost");
  await page.getByRole("button", { name: "Pull" }).click();
  await page.getByText("a server is at ws://… or wss://…, not at “http://localhost”").waitFor();
});

test("text is understood by the model", async (t) => {
  const models = modelFolder();
  if (models === undefined) return t.skip("the model cannot be installed: pip, or the network, is missing");
  const { open } = await visit(t, { models });
  const page = await open("?model=models/");
  await page.getByLabel("Word or phrase").fill("something that smells nice");
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Search by meaning" }).click();
  await page.locator("#chosen", { hasText: "understood by the model" }).waitFor({ timeout: WAIT_MS });
  const titles = await page.locator("#hits .title").allTextContents();
  t.diagnostic(`something that smells nice: ${titles.join(", ")}`);
  assert.ok(titles.includes("perfume") || titles.includes("fragrant") || titles.includes("aroma"), String(titles));
  const text = "The train left the station at noon.\n\nShe baked bread with rye flour.\n\nAn engine pulled six wagons.\n";
  await page.locator("#yours-file").setInputFiles({ name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from(text) });
  await page.getByText("3 entries of notes.txt are indexed").waitFor({ timeout: 2 * WAIT_MS });
  await page.getByRole("button", { name: "Explore" }).click();
  await page.getByText("3 entries of yours", { exact: true }).waitFor();
  await page.getByLabel("Word or phrase").fill("railway");
  await page.locator("#chosen", { hasText: "understood by the model" }).waitFor();
  assert.doesNotMatch((await page.locator("#hits .title").allTextContents())[0], /bread/);
});

test("the first answer comes soon, and the page stays smooth over 50,000 definitions", async (t) => {
  const count = Number(process.env.DEFINITIONS ?? 50_000);
  const folder = process.env.DATASET ?? (await writeDefinitions(t, count));
  const { open, context } = await visit(t, { wordnet50k: folder });
  const page = await open();
  const status = await page.locator("#status").textContent();
  const sinceStart = await page.evaluate(() => performance.getEntriesByName("answered")[0].startTime);
  t.diagnostic(`load of this machine ${loadavg()[0].toFixed(1)} on ${cpus().length} processors`);
  t.diagnostic(`first visit: ${status}; ${Math.round(sinceStart)} ms after the address was entered`);
  await page.reload();
  await page.getByText("opened from this browser").waitFor();
  const again = await page.evaluate(() => performance.getEntriesByName("answered")[0].startTime);
  t.diagnostic(`second visit: first answer ${Math.round(again)} ms after the reload began`);
  await page.locator('#corpora input[value="wordnet-50000"]').check();
  await page.locator("#status", { hasText: "building their graph" }).waitFor({ timeout: 3 * WAIT_MS });
  const stop = await traceTasks(context, page);
  const seen = await page.evaluate(searchMany);
  const tasks = await stop();
  t.diagnostic(`${seen.searches} searches among ${count}, the map following: median ${seen.median} ms; tasks over 50 ms: ${seen.longTasks.length} (${seen.longTasks.join(", ")} ms, with the waiting for a processor)`);
  t.diagnostic(`longest tasks by the time of the processor: ${tasks.join(", ")} ms`);
  assert.ok(seen.searches >= 20);
});

/** Traces the page's tasks; the function returned says how long the longest ran. */
async function traceTasks(context, page) {
  const session = await context.newCDPSession(page);
  const events = [];
  session.on("Tracing.dataCollected", ({ value }) => events.push(...value));
  await session.send("Tracing.start", { traceConfig: { includedCategories: ["toplevel", "blink.user_timing"] } });
  return async () => {
    const complete = new Promise((resolve) => session.once("Tracing.tracingComplete", resolve));
    await session.send("Tracing.end");
    await complete;
    const mark = (wanted) => events.find(({ name }) => name === wanted);
    const [from, to] = [mark("searching"), mark("searched")];
    const isMeant = ({ name, tid, pid, ts }) => name.endsWith("RunTask") && tid === from.tid && pid === from.pid && ts > from.ts && ts < to.ts;
    const times = events.filter(isMeant).map(({ tdur = 0, dur = 0 }) => Math.round(Math.min(tdur || dur, dur) / 100) / 10);
    return times.sort((a, b) => b - a).slice(0, 5);
  };
}

/** Runs in the page: asks for entries, types, and moves the map. */
async function searchMany() {
  const longTasks = [];
  const observer = new PerformanceObserver((list) => longTasks.push(...list.getEntries().map(({ duration }) => Math.round(duration))));
  observer.observe({ entryTypes: ["longtask"] });
  performance.mark("searching");
  const chosen = document.querySelector("#chosen .title");
  const times = [];
  const map = document.querySelector("#map");
  for (let number = 1; number <= 30; number++) {
    const answered = new Promise((resolve) => new MutationObserver((_, self) => (self.disconnect(), resolve())).observe(document.querySelector("#hits"), { childList: true }));
    location.hash = `#${(number * 1_597) % 50_000}`;
    await answered;
    times.push(Number.parseFloat(document.querySelector("#figure-time").textContent));
    map.dispatchEvent(new WheelEvent("wheel", { deltaY: number % 2 ? -120 : 120, clientX: 800, clientY: 500, cancelable: true }));
    await new Promise(requestAnimationFrame);
  }
  await new Promise((resolve) => setTimeout(resolve, 600));
  performance.mark("searched");
  observer.disconnect();
  times.sort((a, b) => a - b);
  return { searches: times.length, median: times[Math.floor(times.length / 2)], longTasks, chosen: chosen.textContent };
}
