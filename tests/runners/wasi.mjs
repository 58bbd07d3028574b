// Runs a program for wasm32-wasip1 in Node: cargo's runner for its tests and benchmarks, by
// CARGO_TARGET_WASM32_WASIP1_RUNNER. The program sees the current folder as its root.

import { readFile } from "node:fs/promises";
import { WASI } from "node:wasi";

const [program, ...args] = process.argv.slice(2);
const wasi = new WASI({
  version: "preview1",
  args: [program, ...args],
  env: process.env,
  preopens: { "/": process.cwd() },
});
const module = await WebAssembly.compile(await readFile(program));
process.exitCode = wasi.start(await WebAssembly.instantiate(module, wasi.getImportObject()));
