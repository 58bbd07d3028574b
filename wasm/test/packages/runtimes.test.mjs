// The packed package in every runtime beyond browsers: Node as both kinds of modules, Deno, Bun.

import assert from "node:assert/strict";
import test from "node:test";
import { READ, WRITTEN } from "./exercise.js";
import { project, run, tool } from "./project.mjs";

/** Runs the exercise over files, so that the second half opens what the first has closed. */
const OVER_FILES = `
  const options = () => ({ store: files("database") });
  exercise.write(vectordoc, options())
    .then(async (written) => [written, await exercise.read(vectordoc, options())])
    .then((found) => console.log(JSON.stringify(found)));
`;
const ESM = `
  import * as vectordoc from "vectordoc";
  import { files } from "vectordoc/files";
  import * as exercise from "./exercise.js";
  ${OVER_FILES}
`;
const REQUIRE = `
  const vectordoc = require("vectordoc");
  const { files } = require("vectordoc/files");
  const exercise = require("./exercise.js");
  ${OVER_FILES}
`;
const DYNAMIC_IMPORT = `
  const modules = ["vectordoc", "vectordoc/files", "./exercise.js"].map((name) => import(name));
  Promise.all(modules).then(([vectordoc, { files }, exercise]) => { ${OVER_FILES} });
`;

/** Whether CommonJS can require what is no CommonJS. */
const canRequire = process.features.require_module === true;

const RUNTIMES = {
  "node-esm": { files: { "main.mjs": ESM }, command: [process.execPath, "main.mjs"] },
  ...(canRequire && {
    "node-require": {
      files: { "main.cjs": REQUIRE },
      command: [process.execPath, "--no-warnings", "main.cjs"],
    },
  }),
  "node-import": {
    files: { "main.cjs": DYNAMIC_IMPORT },
    command: [process.execPath, ...(canRequire ? ["--no-experimental-require-module"] : []), "main.cjs"],
  },
  deno: {
    files: { "main.mjs": ESM },
    command: [tool("deno"), "run", "--allow-read=.", "--allow-write=database", "--allow-sys=hostname", "main.mjs"],
  },
  bun: { files: { "main.mjs": ESM }, command: [tool("bun"), "run", "main.mjs"] },
};

for (const [name, { files, command }] of Object.entries(RUNTIMES)) {
  test(`${name}: documents are found, and found again from files`, async () => {
    const path = await project(name, files, { type: "module" });
    const [program, ...args] = command;
    const [written, read] = JSON.parse(await run(path, program, args));
    assert.deepEqual(written, WRITTEN);
    assert.deepEqual(read, READ);
  });
}
