// Pages of a real browser that have the stores, and what tests of them need, as globals.

import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";

/** How to start the browser. */
export const LAUNCH = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  headless: true,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
};
const ROOT = new URL("../../", import.meta.url);
const TYPES = { ".mjs": "text/javascript", ".js": "text/javascript", ".wasm": "application/wasm" };

/** Serves the built package and the tests, and a page for anything else. */
export async function serveStores() {
  const server = createServer(serve).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  return { origin: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

/** Opens a page that has the engine loaded. */
export async function openPage(context, origin, path, onError) {
  const page = await context.newPage();
  page.on("pageerror", onError);
  await page.goto(origin + path);
  await page.evaluate(load, origin);
  return page;
}

/** Makes the stores and what tests need globals of the page. */
async function load(origin) {
  const modules = ["dist/error.js", "dist/store/indexed_db.js", "test/stores/conformance.mjs"];
  const loaded = await Promise.all(modules.map((path) => import(`${origin}/${path}`)));
  const { default: loadEngine } = await import(`${origin}/dist/raw/engine.js`);
  await loadEngine({ module_or_path: `${origin}/dist/raw/engine_simd128.wasm` });
  Object.assign(globalThis, ...loaded, {
    /** The code a promise is rejected with, if it is. */
    codeOf: (promise) =>
      promise.then(
        () => undefined,
        (error) => (error instanceof VectordocError ? error.code : String(error)),
      ),
    /** What a request of IndexedDB comes to. */
    opened: (request) =>
      new Promise((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      }),
    /** Bytes that cannot be compressed. */
    noise(size) {
      const bytes = new Uint8Array(size);
      for (let at = 0; at < size; at += 65_536) {
        crypto.getRandomValues(bytes.subarray(at, at + 65_536));
      }
      return bytes;
    },
  });
}

function serve(request, response) {
  const type = TYPES[extname(request.url)];
  // A page in a sandbox has an origin of its own, to which even the modules are another's.
  response.setHeader("access-control-allow-origin", "*");
  response.setHeader("content-type", type ?? "text/html");
  if (request.url === "/sandboxed") {
    response.setHeader("content-security-policy", "sandbox allow-scripts");
  }
  if (type) {
    createReadStream(fileURLToPath(new URL(`.${request.url}`, ROOT))).pipe(response);
  } else {
    response.end("<!doctype html><title>stores</title>");
  }
}
