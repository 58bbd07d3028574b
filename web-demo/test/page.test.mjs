// A visitor's minute with the built page, in Debian's Chromium.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { chromium } from "playwright-core";
import { preview } from "vite";

const BROWSER = process.env.CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const DESK = { width: 1100, height: 1000 };
const PHONE = { width: 375, height: 740 };
/** Where to keep pictures of the page; none are kept unless it is given. */
const PICTURES = process.env.PICTURES;

let server;
let profile;
let browser;

test.before(async () => {
  server = await preview({ preview: { host: "127.0.0.1", port: 0 }, logLevel: "silent" });
  profile = await mkdtemp(join(tmpdir(), "vectordoc-demo-"));
  browser = await chromium.launchPersistentContext(profile, {
    executablePath: BROWSER,
    headless: true,
    args: FLAGS,
  });
});

test.after(async () => {
  await browser?.close();
  await server?.close();
  await rm(profile, { recursive: true, force: true });
});

/** Opens the page and waits for its first answer; what the page complains about fails the test. */
async function visit(t, { viewport = DESK, colorScheme = "light", path = "" } = {}) {
  const page = await browser.newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => message.type() === "error" && complaints.push(message.text()));
  t.after(async () => {
    await page.close();
    assert.deepEqual(complaints, []);
  });
  await page.setViewportSize(viewport);
  await page.emulateMedia({ colorScheme });
  await page.goto(server.resolvedUrls.local[0] + path);
  await page.locator("#hits li").first().waitFor();
  return page;
}

async function take(page, name) {
  if (PICTURES) {
    await page.screenshot({ path: join(PICTURES, `${name}.png`) });
  }
}

const lemmas = (page) => page.locator("#hits .lemma").allTextContents();
const kinds = (page) => page.locator("#hits .kind").allTextContents();
const chosen = (page) => page.locator("#chosen .lemma").textContent();
/** Waits until the page shows `lemma` as what is searched for. */
const shown = (page, lemma) => page.locator("#chosen .lemma", { hasText: lemma }).waitFor();

test("the first answer is there, best first, with its figures", async (t) => {
  const page = await visit(t);
  assert.equal(await chosen(page), "perfume");
  const scores = (await page.locator("#hits .score").allTextContents()).map(Number);
  assert.equal(scores.length, 10);
  assert.deepEqual(
    scores,
    scores.toSorted((a, b) => b - a),
  );
  assert.ok(scores[0] > 0.5 && scores[0] < 1);
  assert.ok((await lemmas(page)).includes("toilet water"));
  assert.match(await page.locator("#figures").textContent(), /^among 3,000 in .* ms$/);
  await page.getByText(/^3,000 definitions, ready after [\d.]+ s$/).waitFor();
  assert.ok(await page.locator("#progress").isHidden());
  await take(page, "desk-light");
});

test("typing previews, arrows move, Enter picks, and going back goes back", async (t) => {
  const page = await visit(t);
  await page.getByLabel("Word").fill("thunder");
  await page.getByRole("option").first().waitFor();
  await take(page, "suggestions");
  const suggested = await page.getByRole("option").locator(".lemma").allTextContents();
  assert.ok(suggested.every((lemma) => lemma.includes("thunder")));
  await shown(page, suggested[0]);
  await page.keyboard.press("ArrowDown");
  await shown(page, suggested[1]);
  await page.keyboard.press("Enter");
  assert.ok(await page.getByRole("listbox", { includeHidden: true }).isHidden());
  assert.equal(await page.getByLabel("Word").inputValue(), suggested[1]);
  const [nearest] = await lemmas(page);
  await page.locator("#hits a").first().click();
  await shown(page, nearest);
  await page.goBack();
  await shown(page, suggested[1]);
  await page.reload();
  await shown(page, suggested[1]);
});

test("filters by part of speech and category leave matching definitions only", async (t) => {
  const page = await visit(t);
  await page.getByRole("radio", { name: "verb", exact: true }).check();
  await page.getByText("among 367 in").waitFor();
  assert.ok((await kinds(page)).every((kind) => kind.startsWith("verb · ")));
  assert.equal((await lemmas(page)).length, 10);
  await page.getByLabel("Category").selectOption({ label: "weather (2)" });
  await page.getByText("among 2 in").waitFor();
  assert.deepEqual(await kinds(page), ["verb · weather", "verb · weather"]);
  await take(page, "filtered");
  await page.getByRole("radio", { name: "adverb" }).check();
  await page.getByText("among 81 in").waitFor();
  assert.equal(await page.getByLabel("Category").inputValue(), "");
});

test("filters that leave nothing say so", async (t) => {
  const page = await visit(t);
  await page.getByLabel("Category").selectOption({ label: "motive (1)" });
  await page.getByText("among 1 in").waitFor();
  await page.locator("#hits a").click();
  await page.getByText("No other definition passes these filters.").waitFor();
});

for (const colorScheme of ["light", "dark"]) {
  test(`it fits a phone, in ${colorScheme} colours`, async (t) => {
    const page = await visit(t, { viewport: PHONE, colorScheme });
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    assert.equal(overflow, 0);
    await take(page, `phone-${colorScheme}`);
  });
}

test("everything can be reached by Tab, and has a name", async (t) => {
  const page = await visit(t);
  const names = [];
  for (let i = 0; i < 5; i++) {
    await page.keyboard.press("Tab");
    names.push(
      await page.evaluate(() => {
        const { activeElement: element } = document;
        return element.labels?.[0]?.textContent ?? element.textContent;
      }),
    );
  }
  assert.deepEqual(names.slice(0, 3), ["Word", "any", "Category"]);
  assert.deepEqual(names.slice(3), (await lemmas(page)).slice(0, 2));
});
