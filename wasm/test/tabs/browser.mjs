// A real Chromium, and a server of files without a bundler.

import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
import { LAUNCH } from "../stores/browser.mjs";

const TYPES = {
  ".html": "text/html",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".wasm": "application/wasm",
};
const PACKAGE = fileURLToPath(new URL("../../", import.meta.url));

/** A browser with a profile of its own, and the address of the package's files. */
export class Browser {
  #server;
  #profile;

  static async start() {
    const { executablePath } = LAUNCH;
    if (!existsSync(executablePath)) {
      throw new Error(`there is no ${executablePath}: install Chromium, or say where it is by CHROMIUM`);
    }
    const browser = new Browser();
    browser.#profile = await mkdtemp(join(tmpdir(), "vectordoc-tabs-"));
    browser.#server = createServer(serve);
    await new Promise((resolve) => browser.#server.listen(0, "127.0.0.1", resolve));
    browser.url = `http://127.0.0.1:${browser.#server.address().port}`;
    await browser.#launch();
    return browser;
  }

  async #launch() {
    this.context = await chromium.launchPersistentContext(this.#profile, {
      ...LAUNCH,
      ignoreDefaultArgs: ["--disable-back-forward-cache"],
    });
  }

  /** Kills all of the browser's processes and starts it again with what it has stored. */
  async killAndStart() {
    const closed = new Promise((resolve) => this.context.once("close", resolve));
    await promisify(execFile)("pkill", ["-9", "-f", this.#profile]);
    await closed;
    await this.#launch();
  }

  /** A new tab with the package; `root` serves it changed. */
  async tab(root = "dist") {
    const page = await this.context.newPage();
    await page.goto(`${this.url}/test/tabs/page.html?${root}`);
    await page.waitForFunction(() => globalThis.vectordoc);
    return page;
  }

  async stop() {
    await this.context.close();
    this.#server.closeAllConnections();
    this.#server.close();
    await rm(this.#profile, { recursive: true, force: true });
  }
}

/** Crashes a tab's process. */
export async function crash(page) {
  const crashed = page.waitForEvent("crash");
  const session = await page.context().newCDPSession(page);
  session.send("Page.crash").catch(() => undefined);
  await crashed;
  await page.close();
}

/** What a promise comes to, or a failure when that takes too long. */
export async function within(ms, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing came of it in ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What `trapping/` adds to the glue: a search whose limit is 13 traps. */
const TRAP = `
const { search } = Engine.prototype;
Engine.prototype.search = function (vector, options) {
  if (options.limit === 13) throw new WebAssembly.RuntimeError("unreachable");
  return search.call(this, vector, options);
};`;

async function serve(request, response) {
  const { pathname } = new URL(request.url, "http://localhost");
  const isTrapping = pathname.startsWith("/trapping/");
  const path = PACKAGE + pathname.replace("/trapping/", "/dist/").slice(1);
  try {
    const file = await readFile(path);
    const isGlue = isTrapping && path.endsWith("/raw/engine.js");
    response.setHeader("cache-control", "max-age=3600");
    response.setHeader("content-type", TYPES[extname(path)] ?? "application/octet-stream");
    response.end(isGlue ? file.toString() + TRAP : file);
  } catch {
    response.writeHead(404).end();
  }
}
