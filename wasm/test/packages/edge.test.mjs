// The example for Cloudflare, and the exercise in its runtime.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { READ, WRITTEN } from "./exercise.js";
import { TOOLS, TSC, project, run } from "./project.mjs";
import { bundle, start } from "./workerd.mjs";

const EXAMPLE = new URL("../../examples/edge/", import.meta.url);
const example = (file) => readFileSync(new URL(file, EXAMPLE), "utf8");

/** Runs the exercise in memory or in the storage of the object, with its own module or another. */
const WORKER = `
  import { DurableObject } from "cloudflare:workers";
  import * as vectordoc from "vectordoc";
  import { durableObject } from "vectordoc/durable-object";
  import simd128 from "vectordoc/simd128.wasm";
  import * as exercise from "./exercise.js";

  export class Exercise extends DurableObject {
    async fetch(request) {
      const [, name, verb] = new URL(request.url).pathname.split("/");
      const module = name === "given" ? { module: simd128 } : {};
      const store = name === "memory" ? {} : { store: durableObject(this.ctx.storage) };
      return Response.json(await exercise[verb](vectordoc, { ...module, ...store }));
    }
  }
  export default {
    fetch: (request, { EXERCISE }) =>
      EXERCISE.getByName(new URL(request.url).pathname.split("/")[1]).fetch(request),
  };
`;
const WRANGLER = `
  name = "exercise"
  main = "main.js"
  compatibility_date = "2026-04-01"
  durable_objects.bindings = [{ name = "EXERCISE", class_name = "Exercise" }]
  migrations = [{ tag = "v1", new_sqlite_classes = ["Exercise"] }]
`;

test("workerd: documents are found, and found again after a restart", async () => {
  const files = { "main.js": WORKER, "wrangler.toml": WRANGLER };
  const path = await project("workerd", files, { type: "module" });
  const modules = await bundle(path);
  const ask = async (what) => {
    const worker = await start(path, modules, "EXERCISE", "Exercise");
    const response = await worker.dispatchFetch(`http://localhost/${what}`);
    const text = await response.text();
    await worker.dispose();
    assert.equal(response.status, 200, text);
    return JSON.parse(text);
  };
  assert.deepEqual(await ask("memory/write"), WRITTEN);
  for (const name of ["own", "given"]) {
    assert.deepEqual(await ask(`${name}/write`), WRITTEN);
    assert.deepEqual(await ask(`${name}/read`), READ);
  }
});

test("the example for the edge indexes, searches, says what is wrong and keeps all", async (t) => {
  const files = ["worker.ts", "wrangler.toml"].map((file) => [file, example(file)]);
  const path = await project("edge", Object.fromEntries(files), { type: "module" });
  const modules = await bundle(path);
  let worker = await start(path, modules, "SHOPS", "Shop");
  t.after(() => worker.dispose());
  const ask = async (method, url, body) => {
    const json = typeof body === "string" ? body : body && JSON.stringify(body);
    const response = await worker.dispatchFetch(`http://localhost${url}`, { method, body: json });
    return [response.status, await response.json()];
  };
  const products = [1, 2, 3].map((price) => ({
    id: `a b/${price}`,
    embedding: Array.from({ length: 384 }, (_, i) => Math.sin(i * price)),
    price,
    tags: price === 2 ? ["old"] : [],
    title: `product ${price}`,
  }));
  const [{ embedding: vector, ...first }] = products;
  const search = { vector, limit: 1, filter: { price: { $gt: 1 } } };

  assert.deepEqual(await ask("POST", "/bakery/products", products), [200, { indexed: 3 }]);
  const [status, { hits }] = await ask("POST", "/bakery/search", search);
  assert.deepEqual([status, hits.length, hits[0].doc.price > 1], [200, 1, true]);
  const id = encodeURIComponent(first.id);
  assert.deepEqual(await ask("GET", `/bakery/products/${id}`), [200, first]);
  assert.deepEqual(await ask("DELETE", "/bakery/products/none"), [
    200,
    { deleted: 0, missing: ["none"] },
  ]);

  const large = JSON.stringify("x".repeat(4 * 1024 * 1024));
  for (const [expected, ...request] of [
    [{ status: 404, code: "not_found" }, "GET", "/bakery/products/none"],
    [{ status: 404, code: "not_found" }, "GET", `/butcher/products/${id}`],
    [{ status: 404, code: "not_found" }, "PUT", "/bakery/products"],
    [{ status: 404, code: "not_found" }, "GET", "/"],
    [{ status: 400, code: "invalid" }, "GET", "/bakery/products/%ff"],
    [{ status: 400, code: "invalid" }, "POST", "/bakery/search", "{"],
    [{ status: 400, code: "invalid" }, "POST", "/bakery/search", "null"],
    [{ status: 400, code: "invalid" }, "POST", "/bakery/search", {}],
    [{ status: 400, code: "invalid" }, "POST", "/bakery/search", { vector: [1] }],
    [{ status: 400, code: "invalid" }, "POST", "/bakery/search", { vector, limits: 1 }],
    [{ status: 400, code: "invalid" }, "POST", "/bakery/products", [{ id: "x" }]],
    [{ status: 413, code: "limit_exceeded" }, "POST", "/bakery/products", large],
  ]) {
    const [status, { code, message }] = await ask(...request);
    assert.deepEqual({ status, code }, expected, `${request.join(" ").slice(0, 80)}: ${message}`);
  }

  await worker.dispose();
  worker = await start(path, modules, "SHOPS", "Shop");
  assert.deepEqual(await ask("POST", "/bakery/search", search), [200, { hits }]);
});

test("the example for the edge is typed, without the types of a browser", async () => {
  const files = ["worker.ts", "tsconfig.json"].map((file) => [file, example(file)]);
  const path = await project("edge-types", Object.fromEntries(files), { type: "module" });
  await run(path, process.execPath, [TSC, "--typeRoots", TOOLS]);
});
