// Firefox by puppeteer, which speaks WebDriver BiDi to it.

import puppeteer from "puppeteer-core";

const PROGRAM = process.env.FIREFOX ?? "/usr/bin/firefox-esr";

/** Starts it with an empty profile on the disk. */
export async function launchFirefox() {
  const options = { browser: "firefox", executablePath: PROGRAM, headless: true };
  const browser = await puppeteer.launch(options);
  const page = await browser.newPage();
  return {
    version: (await browser.version()).replace("/", " "),
    open: (url) => page.goto(url),
    reload: () => page.reload(),
    resize: (width, height) => page.setViewport({ width, height }),
    screenshot: () => page.screenshot(),
    run: (task, ...args) => page.evaluate(`(${task})(...${JSON.stringify(args)})`),
    close: () => browser.close(),
  };
}
