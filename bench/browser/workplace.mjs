// The place where everything is measured: a copy of the peers' harness, with what it needs built
// and installed, and with vectordoc in it. What is there already is kept.

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = fileURLToPath(new URL("../..", import.meta.url));
const target = resolve(process.env.CARGO_TARGET_DIR);
const place = `${target}/browser`;
/** The copy of the harness. */
export const HARNESS = `${place}/harness`;
const PACKAGE = `${HARNESS}/vectordoc`;
/** Served as files, and left as they are by the harness's bundler. */
const BUILD = { external: ["/vectordoc/*"] };
const BEST = { params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY } };
const WASM_TARGET = "wasm32-unknown-unknown";

/** A package of the harness. */
export const packageOf = createRequire(`${HARNESS}/`);

/**
 * Makes the place ready for the package in the folder `built`, for these peers and for collections
 * of up to `documents`.
 */
export function prepare(harness, built, peers, documents) {
  mkdirSync(HARNESS, { recursive: true });
  run("cp", ["-rT", "--no-preserve=mode", harness, HARNESS]);
  for (const folder of ["data", "results"]) mkdirSync(`${HARNESS}/${folder}`, { recursive: true });
  if (!existsSync(`${HARNESS}/node_modules/.package-lock.json`)) {
    run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], HARNESS);
  }
  if (!existsSync(`${HARNESS}/data/iso-gt-${documents}.i32`)) {
    run("node", ["gen-data.mjs", "iso", documents], HARNESS);
  }
  if (peers.includes("ferrovec")) buildFerrovec();
  bringVectordoc(built);
  run("node", ["build.mjs", ...peers], HARNESS, { NOSIZE: "1" });
}

/** What the files come to that a page downloads: minified, as by a bundler, and packed. */
export function downloadBytes(paths) {
  const { transformSync } = packageOf("esbuild");
  const read = (path) => readFileSync(`${HARNESS}${path}`);
  const scripts = paths.filter((path) => path.endsWith(".js")).map((path) => read(path));
  const minified = scripts.map((text) => transformSync(text, { minify: true, format: "esm" }).code);
  const modules = paths.filter((path) => path.endsWith(".wasm")).map(read);
  return [Buffer.from(minified.join("\n")), ...modules]
    .map((bytes) => brotliCompressSync(bytes, BEST).length)
    .reduce((sum, length) => sum + length, 0);
}

/** The module of ferrovec, where its adapter looks for it. */
function buildFerrovec() {
  const crate = `${place}/ferrovec`;
  const output = `${place}/crates/pkg_fv`;
  if (existsSync(`${output}/fv.js`)) return;
  cpSync(`${here}ferrovec`, crate, { recursive: true });
  // The glue is written by the wasm-bindgen that is locked here, so the module has to have it too.
  cpSync(`${root}Cargo.lock`, `${crate}/Cargo.lock`);
  const flags = { RUSTFLAGS: "-Ctarget-feature=+simd128" };
  run("cargo", ["build", "--release", "--target", WASM_TARGET], crate, flags);
  const module = `${target}/${WASM_TARGET}/release/ferrovec_module.wasm`;
  const bindgen = ["run", "--locked", "--quiet", "--package", "vectordoc-bindgen", "--"];
  run("cargo", [...bindgen, module, `${crate}/glue`], root);
  mkdirSync(output, { recursive: true });
  cpSync(`${crate}/glue/engine.js`, `${output}/fv.js`);
  cpSync(`${crate}/glue/engine_bg.wasm`, `${output}/fv_bg.wasm`);
}

/** The built package, our adapters and our page. */
function bringVectordoc(built) {
  rmSync(PACKAGE, { recursive: true, force: true });
  cpSync(built, PACKAGE, { recursive: true });
  for (const file of ["documents.js", "measure.js", "measure.html"]) {
    cpSync(`${here}${file}`, `${HARNESS}/${file}`);
  }
  for (const name of ["vectordoc", "vectordoc-page"]) {
    cpSync(`${here}adapters/${name}.js`, `${HARNESS}/adapters/${name}.js`);
    writeFileSync(`${HARNESS}/adapters/${name}.build.json`, JSON.stringify(BUILD));
  }
}

/** Runs a program, what it prints going to the standard error; ends this one when it fails. */
export function run(program, args, cwd = root, env = {}) {
  const stdio = ["ignore", process.stderr, process.stderr];
  const options = { cwd, stdio, env: { ...process.env, ...env } };
  const done = spawnSync(program, args.map(String), options);
  if (done.status !== 0) fail(`this ended with ${done.status}: ${program} ${args.join(" ")}`);
}

/** Ends the program with a message. */
export function fail(message) {
  console.error(message);
  process.exit(1);
}
