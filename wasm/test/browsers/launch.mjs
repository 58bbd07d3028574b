// One page in a browser, driven the same way whichever it is: by playwright in Chromium, by
// puppeteer in Firefox, by WebDriver in WebKit.

import { launchChromium } from "./chromium.mjs";
import { launchFirefox } from "./firefox.mjs";
import { launchWebKit } from "./webkit.mjs";

const LAUNCHERS = { chromium: launchChromium, firefox: launchFirefox, webkit: launchWebKit };
export const BROWSERS = Object.keys(LAUNCHERS);

/**
 * Starts a browser. The page it returns has `version`, `open(url)`, `reload()`, which wait until
 * the page is loaded, `run(function, ...args)`, which runs a function there and returns what it
 * resolves to, `resize(width, height)`, `screenshot()`, which returns a PNG, and `close()`, which ends
 * the browser.
 */
export function launch(name) {
  return LAUNCHERS[name]();
}
