// Debian's Chromium with the console in it. Whatever the page complains about, what its policy
// refuses among it, fails the test.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

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
export const DESK = { width: 1200, height: 900 };
export const PHONE = { width: 375, height: 740 };
/** Where to keep pictures of the page; none are kept unless it is given. */
const PICTURES = process.env.PICTURES;
const PATIENCE_MS = 60_000;

export async function startBrowser() {
  const profile = await mkdtemp(join(tmpdir(), "vectordoc-chromium-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: BROWSER,
    headless: true,
    // That of the test over TLS is its own.
    ignoreHTTPSErrors: true,
    args: FLAGS,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  return {
    context,
    stop: async () => {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}

/**
 * Opens the console at `url`. Answers that say that a request was refused are no complaint: the test
 * says with `refusals` that it wants some.
 */
export async function visit(t, browser, url, { viewport = DESK, colorScheme = "light", refusals = false } = {}) {
  const page = await browser.context.newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    const isRefusal = refusals && /^Failed to load resource/.test(message.text());
    if (message.type() === "error" && !isRefusal) {
      complaints.push(message.text());
    }
  });
  page.on("request", (request) => {
    const { origin } = new URL(request.url());
    if (origin !== new URL(url).origin) {
      complaints.push(`a request to ${request.url()}`);
    }
  });
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error(`the policy refused ${event.blockedURI} by ${event.violatedDirective}`);
    });
  });
  t.after(async () => {
    await page.close();
    assert.deepEqual(complaints, []);
  });
  await page.setViewportSize(viewport);
  await page.emulateMedia({ colorScheme });
  await page.goto(url);
  return page;
}

export async function take(page, name) {
  if (PICTURES) {
    await page.screenshot({ path: join(PICTURES, `${name}.png`), fullPage: true });
  }
}
