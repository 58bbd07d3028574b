// vectordoc in a page of a real Chromium beside bare IndexedDB, in a profile of its own.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { HARNESS, downloadBytes, packageOf } from "./workplace.mjs";

const BROWSER = fileURLToPath(new URL("chromium", import.meta.url));
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const DIM = 384;
/** How long a page is left alone before it is closed, as a page is that nobody looks at. */
const REST_MS = 3_000;
const REOPENED = 3;

/**
 * One round: a database is written, added to, and opened again in new pages and in a new browser.
 */
export async function round(documents) {
  const { serve } = await import(pathToFileURL(`${HARNESS}/server.mjs`));
  const server = await serve();
  const address = `http://127.0.0.1:${server.address().port}`;
  const profile = mkdtempSync(join(tmpdir(), "vectordoc-bench-"));
  let browser = await launch(profile);
  try {
    const written = await write(browser, address, documents);
    if (written.stored.bytes === 0) {
      console.error("nothing was stored: this build of vectordoc keeps databases in memory");
      return { ...written, reload: [], restart: [] };
    }
    const reload = await reopenTimes(REOPENED, browser, address, documents);
    await browser.close();
    browser = await launch(profile);
    const restart = await reopenTimes(1, browser, address, documents);
    return { ...written, reload, restart };
  } finally {
    await browser.close();
    server.close();
    rmSync(profile, { recursive: true, force: true });
  }
}

async function write(browser, address, documents) {
  const paths = new Set();
  browser.on("request", (request) => paths.add(new URL(request.url()).pathname));
  const page = await openPage(browser, address);
  const idle = await call(page, "idle", REST_MS);
  const filled = await call(page, "fill", documents, DIM);
  await page.waitForTimeout(REST_MS);
  const stored = await call(page, "stored");
  const added = stored.bytes === 0 ? {} : await call(page, "add", documents, DIM);
  await call(page, "writeBulk", stored.bytes);
  await page.waitForTimeout(REST_MS);
  await page.close();
  return { idle, filled, stored, added, download_bytes: downloadBytes([...paths].filter(isOurs)) };
}

const isOurs = (path) => path.startsWith("/vectordoc/");

/**
 * Opening with a first answer, and reading the bytes, each in a new page. Ours comes first, so that
 * the comparison finds more in caches.
 */
async function reopenTimes(times, browser, address, documents) {
  const measured = [];
  for (let time = 0; time < times; time++) {
    const ours = await inPage(browser, address, "firstAnswer", documents, DIM);
    const bare = await inPage(browser, address, "readBare");
    const bulk = await inPage(browser, address, "readBulk");
    measured.push({ ...ours, ...bare, ...bulk });
  }
  return measured;
}

async function inPage(browser, address, name, ...args) {
  const page = await openPage(browser, address);
  const answer = await call(page, name, ...args);
  await page.close();
  return answer;
}

/** What a function of `measure.js` resolves to. */
const call = (page, name, ...args) =>
  page.evaluate(([name, args]) => globalThis.measured[name](...args), [name, args]);

async function openPage(browser, address) {
  const page = await browser.newPage();
  page.on("pageerror", (error) => console.error(`in the page: ${error.message}`));
  await page.goto(`${address}/measure.html`);
  await page.waitForFunction(() => globalThis.measured !== undefined);
  return page;
}

function launch(profile) {
  const { chromium } = packageOf("playwright-core");
  return chromium.launchPersistentContext(profile, {
    executablePath: BROWSER,
    headless: true,
    args: FLAGS,
  });
}
