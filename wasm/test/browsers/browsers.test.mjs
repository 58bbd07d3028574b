// The exercise in Chromium, Firefox and WebKit, from modules as they are, and after a reload.

import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import test from "node:test";
import { READ, WRITTEN } from "../packages/exercise.js";
import { BROWSERS, launch } from "./launch.mjs";
import { serve } from "./server.mjs";

const folder = (path) => fileURLToPath(new URL(path, import.meta.url));

let server;
test.before(async () => {
  server = await serve({
    "/package/": folder("../.."),
    "/exercise.js": folder("../packages/exercise.js"),
    "/": folder("page"),
  });
});
test.after(() => server.close());

/** Runs a half of the exercise; runs in the page. */
const inPage = (verb, options) => globalThis.exercise[verb](options);

/** Runs a half of the exercise in a worker of the page's own; runs in the page. */
function inOwnWorker(verb) {
  const worker = new Worker("./own_worker.js", { type: "module" });
  return new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = ({ message }) => reject(new Error(message));
    worker.postMessage(verb);
  });
}

for (const name of BROWSERS) {
  test(`${name}: documents are found, and found again after a reload`, async (t) => {
    const page = await launch(name);
    t.after(() => page.close());
    t.diagnostic(page.version);
    await page.open(server.url);
    assert.deepEqual(await page.run(inPage, "write", { store: "memory" }), WRITTEN);
    assert.deepEqual(await page.run(inPage, "write"), WRITTEN);
    await page.reload();
    assert.deepEqual(await page.run(inPage, "read"), READ);
    assert.deepEqual(await page.run(inOwnWorker, "read"), READ);
    assert.deepEqual(await page.run(inOwnWorker, "write"), WRITTEN);
    await page.reload();
    assert.deepEqual(await page.run(inPage, "read"), READ);
    assert.deepEqual(await page.run(() => globalThis.complaints), []);
  });
}
