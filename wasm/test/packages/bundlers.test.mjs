// The packed package in pages that bundlers make of it, and in one without a bundler, each in
// Chromium under a strict policy.

import assert from "node:assert/strict";
import { cpSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import test from "node:test";
import { build as esbuild } from "esbuild";
import { build as vite, createServer as viteServer } from "vite";
import webpack from "webpack";
import { launch } from "../browsers/launch.mjs";
import { serve } from "../browsers/server.mjs";
import { READ, WRITTEN } from "./exercise.js";
import { project } from "./project.mjs";

const PAGE = fileURLToPath(new URL("../browsers/page", import.meta.url));
const page = Object.fromEntries(
  readdirSync(PAGE).map((file) => [file, readFileSync(join(PAGE, file), "utf8")]),
);
const BUNDLED = `export * from "vectordoc"; export const options = {};`;
const MODULE_GIVEN = `
  import module from "vectordoc/simd128.wasm";
  export * from "vectordoc";
  export const options = { module };
`;

/** Fills a database in a page, reloads it and asks. */
async function exercise(t, url) {
  const browser = await launch("chromium");
  t.after(() => browser.close());
  await browser.open(url);
  assert.deepEqual(await browser.run(() => globalThis.exercise.write()), WRITTEN);
  await browser.reload();
  assert.deepEqual(await browser.run(() => globalThis.exercise.read()), READ);
  assert.deepEqual(await browser.run(() => globalThis.complaints), []);
}

async function exerciseServed(t, places) {
  const server = await serve(places);
  t.after(() => server.close());
  await exercise(t, server.url);
}

test("no bundler", async (t) => {
  const path = await project("no-bundler", page);
  await exerciseServed(t, { "/package/": join(path, "node_modules/vectordoc"), "/": path });
});

test("vite", async (t) => {
  const path = await project("vite", { ...page, "vectordoc.js": BUNDLED });
  await vite({ root: path, logLevel: "error" });
  await exerciseServed(t, { "/": join(path, "dist") });
});

test("vite's development server", async (t) => {
  const path = await project("vite-server", { ...page, "vectordoc.js": BUNDLED });
  const server = await viteServer({ root: path, logLevel: "error", server: { port: 0 } });
  t.after(() => server.close());
  await server.listen();
  await exercise(t, server.resolvedUrls.local[0]);
});

test("webpack", async (t) => {
  const path = await project("webpack", { ...page, "vectordoc.js": BUNDLED });
  const out = join(path, "out");
  const output = { path: out, filename: "page.js" };
  const stats = await new Promise((resolve, reject) => {
    webpack({ mode: "production", context: path, entry: "./page.js", output }, (error, stats) =>
      error ? reject(error) : resolve(stats),
    );
  });
  assert.ok(!stats.hasErrors(), stats.toString());
  cpSync(join(path, "index.html"), join(out, "index.html"));
  await exerciseServed(t, { "/": out });
});

/** It leaves addresses as they are: the worker and the modules have to be beside the page. */
for (const [name, given] of [
  ["esbuild", BUNDLED],
  ["esbuild, with the module given", MODULE_GIVEN],
]) {
  test(name, async (t) => {
    const path = await project(name.replaceAll(/\W+/g, "-"), { ...page, "vectordoc.js": given });
    const out = join(path, "out");
    await esbuild({
      absWorkingDir: path,
      entryPoints: { page: "./page.js", worker: "vectordoc/worker" },
      bundle: true,
      format: "esm",
      loader: { ".wasm": "file" },
      outdir: out,
      logLevel: "error",
    });
    if (given === BUNDLED) {
      cpSync(join(path, "node_modules/vectordoc/dist/raw"), join(out, "raw"), { recursive: true });
    }
    cpSync(join(path, "index.html"), join(out, "index.html"));
    await exerciseServed(t, { "/": out });
  });
}
