// The packed package in every runtime beyond browsers: Node as both kinds of modules, Deno, Bun.

import assert from "node:assert/strict";
import test from "node:test";
import { READ, WRITTEN } from "./exercise.js";
import { project, run, tool } from "./project.mjs";

/** Runs the exercise in memory, then over files, where its second half opens what the first closed. */
const RUN = `
  const options = () => ({ store: files("database"), ...given });
  exercise.write(vectordoc, given)
    .then(async (inMemory) => [inMemory, await exercise.write(vectordoc, options())])
    .then(async (written) => [...written, await exercise.read(vectordoc, options())])
    .then((found) => console.log(JSON.stringify(found)));
`;
const ESM = `
  import * as vectordoc from "vectordoc";
  import { files } from "vectordoc/files";
  import * as exercise from "./exercise.js";
  const given = {};
  ${RUN}
`;
const MODULE = `new URL(import.meta.resolve("vectordoc/simd128.wasm"))`;
const MODULE_GIVEN = ESM.replace("given = {}", `given = { module: ${MODULE} }`);
const REQUIRE = `
  const vectordoc = require("vectordoc");
  const { files } = require("vectordoc/files");
  const exercise = require("./exercise.js");
  const given = {};
  ${RUN}
`;
const DYNAMIC_IMPORT = `
  const given = {};
  const modules = ["vectordoc", "vectordoc/files", "./exercise.js"].map((name) => import(name));
  Promise.all(modules).then(([vectordoc, { files }, exercise]) => { ${RUN} });
`;

/** Whether CommonJS can require what is no CommonJS. */
const canRequire = process.features.require_module === true;

/** In an older one that cannot, or in this one told not to. */
const REQUIRES_NOT = canRequire ? ["--no-experimental-require-module"] : [];
const DENO_MAY = ["--allow-read=.", "--allow-write=database", "--allow-sys=hostname"];

/** By name: the program and how it is run. */
const RUNTIMES = {
  "Node, as a module": ["main.mjs", ESM, process.execPath],
  "Node, by import() from CommonJS": [
    "main.cjs",
    DYNAMIC_IMPORT,
    process.execPath,
    ...REQUIRES_NOT,
  ],
  "Node, with the module it is given": ["main.mjs", MODULE_GIVEN, process.execPath],
  Deno: ["main.mjs", ESM, tool("deno"), "run", ...DENO_MAY],
  Bun: ["main.mjs", ESM, tool("bun"), "run"],
  ...(canRequire && {
    "Node, by require() from CommonJS": ["main.cjs", REQUIRE, process.execPath, "--no-warnings"],
  }),
};

for (const [name, [file, text, program, ...args]] of Object.entries(RUNTIMES)) {
  test(`${name}: documents are found, and found again from files`, async () => {
    const folder = name.toLowerCase().replaceAll(/[^a-z]+/g, "-");
    const path = await project(folder, { [file]: text }, { type: "module" });
    const found = JSON.parse(await run(path, program, [...args, file]));
    assert.deepEqual(found, [WRITTEN, WRITTEN, READ]);
  });
}
