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

for (const name of BROWSERS) {
  test(`${name}: documents are found, and found again after a reload`, async (t) => {
    const page = await launch(name);
    t.after(() => page.close());
    t.diagnostic(page.version);
    await page.open(server.url);
    assert.deepEqual(await page.run(() => globalThis.exercise.write({ store: "memory" })), WRITTEN);
    assert.deepEqual(await page.run(() => globalThis.exercise.write()), WRITTEN);
    await page.reload();
    assert.deepEqual(await page.run(() => globalThis.exercise.read()), READ);
    assert.deepEqual(await page.run(() => globalThis.complaints), []);
  });
}
