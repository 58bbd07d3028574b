// Both modules, and which of them is loaded.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import test from "node:test";
import { setFlagsFromString } from "node:v8";
import { open } from "vectordoc";
import { MODULES, openIn } from "../modules.mjs";
import { readRows } from "../npy.mjs";

const MODULE = new URL("../dist/module.js", import.meta.url);
const RELAXED_SIMD = "--experimental-wasm-relaxed-simd";

// Node 20 has relaxed SIMD behind a flag, and only its optimising compiler computes it rightly.
const isBehindFlag = process.version.startsWith("v20.");
if (isBehindFlag) [RELAXED_SIMD, "--no-liftoff"].forEach(setFlagsFromString);
const { moduleUrl } = await import(MODULE);
const { compile } = await import(new URL("../dist/engine.js", import.meta.url));

test("where relaxed SIMD is missing, the module without it is chosen", () => {
  const { validate } = WebAssembly;
  WebAssembly.validate = () => false;
  try {
    assert.equal(fileName(moduleUrl()), "engine_simd128.wasm");
  } finally {
    WebAssembly.validate = validate;
  }
});

/** Registered where there is such an engine. */
const testBehindFlag = isBehindFlag ? test : () => undefined;
testBehindFlag("where relaxed SIMD is wrong, the module without it is chosen", () => {
  const script = `import { moduleUrl } from ${JSON.stringify(MODULE)}; console.log(moduleUrl().href)`;
  const run = ["--input-type=module", "--eval", script];
  const baseline = [RELAXED_SIMD, "--liftoff-only"];
  const chosen = execFileSync(process.execPath, [...baseline, ...run], { encoding: "utf8" });
  assert.equal(fileName(new URL(chosen)), "engine_simd128.wasm");
});

test("a module is taken compiled, as bytes, from a URL or a response, and nothing else", async () => {
  const bytes = readFileSync(new URL("../dist/raw/engine_simd128.wasm", import.meta.url));
  const base64 = `data:application/wasm;base64,${bytes.toString("base64")}`;
  const headers = { "content-type": "application/wasm" };
  const sources = {
    compiled: new WebAssembly.Module(bytes),
    view: bytes,
    buffer: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
    url: new URL(base64),
    text: base64,
    response: new Response(bytes),
    streamed: new Response(bytes, { headers }),
  };
  for (const [kind, source] of Object.entries(sources)) {
    assert.ok((await compile(source)) instanceof WebAssembly.Module, kind);
  }
  const missing = compile(new Response("none", { status: 404 }));
  await assert.rejects(missing, { name: "VectordocError", code: "unavailable", message: /404/ });
  for (const source of [1, {}, [], true]) {
    await assert.rejects(compile(source), { name: "VectordocError", code: "invalid" });
  }
  const refused = open("given", { schema: { id: "u64" }, module: 1 });
  await assert.rejects(refused, { name: "VectordocError", code: "invalid" });
});

test("where relaxed SIMD is right, the module with it is chosen and loaded", async () => {
  assert.equal(fileName(moduleUrl()), "engine_relaxed_simd.wasm");
  const loaded = [];
  const { compile } = WebAssembly;
  WebAssembly.compile = (bytes) => {
    loaded.push(bytes);
    return compile(bytes);
  };
  try {
    await (await open("chosen", { schema: { id: "u64", v: { vector: 2 } } })).close();
  } finally {
    WebAssembly.compile = compile;
  }
  // Node compiles modules of its own.
  const isLoaded = (name) => {
    const module = readFileSync(new URL(`../dist/raw/${name}.wasm`, import.meta.url));
    return loaded.some((bytes) => module.equals(bytes));
  };
  assert.deepEqual(MODULES.filter(isLoaded), ["engine_relaxed_simd"]);
});

test("both modules give the same answers", async () => {
  const vectors = await readRows(new URL("../../node-server/sample/vectors.npy", import.meta.url));
  const docs = vectors.map((embedding, id) => ({ id, embedding }));
  const schema = { id: "u64", embedding: { vector: vectors[0].length, index: "hnsw" } };
  const databases = await Promise.all(MODULES.map((name) => openIn(name, schema)));
  for (const db of databases) {
    await db.index(docs);
    await db.waitIndexed();
  }
  for (let asked = 0; asked < vectors.length; asked += 30) {
    for (const exact of [false, true]) {
      const query = vectors[asked].map((number, i) => number + vectors[asked + 1][i] / 2);
      const [plain, relaxed] = await Promise.all(
        databases.map((db) => db.search(query, { exact, ef: 100 })),
      );
      assert.deepEqual(
        relaxed.map(({ id }) => id),
        plain.map(({ id }) => id),
        `between documents ${asked} and ${asked + 1}`,
      );
      // A relaxed product of floats is rounded once or twice.
      relaxed.forEach(({ distance }, i) => {
        assert.ok(Math.abs(distance - plain[i].distance) < 1e-6);
      });
    }
  }
  for (const db of databases) await db.close();
});

function fileName({ pathname }) {
  return pathname.trim().split("/").at(-1);
}
