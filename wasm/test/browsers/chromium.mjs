// Chromium by playwright.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const PROGRAM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts it with an empty profile on the disk. */
export async function launchChromium() {
  const profile = await mkdtemp(join(tmpdir(), "vectordoc-chromium-"));
  const options = { executablePath: PROGRAM, headless: true, args: FLAGS };
  const browser = await chromium.launchPersistentContext(profile, options);
  const page = await browser.newPage();
  return {
    version: `Chromium ${browser.browser().version()}`,
    open: (url) => page.goto(url),
    reload: () => page.reload(),
    resize: (width, height) => page.setViewportSize({ width, height }),
    screenshot: () => page.screenshot(),
    run: (task, ...args) => page.evaluate(`(${task})(...${JSON.stringify(args)})`),
    async close() {
      await browser.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}
