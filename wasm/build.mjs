// Builds the package into `dist/`: the engine by cargo, its glue by the locked wasm-bindgen, the
// module made smaller by wasm-opt, the TypeScript by tsc. Nothing comes from outside cargo and npm.

import { spawnSync } from "node:child_process";
import { readFileSync, renameSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";

const TARGET = "wasm32-unknown-unknown";
const PROFILE = "wasm-release";
/** What rustc may emit for the target, so that wasm-opt accepts and keeps it. */
const WASM_FEATURES = [
  "simd",
  "bulk-memory",
  "bulk-memory-opt",
  "multivalue",
  "mutable-globals",
  "nontrapping-float-to-int",
  "reference-types",
  "sign-ext",
];

const here = fileURLToPath(new URL(".", import.meta.url));
const MODULE = "dist/raw/engine_bg.wasm";

rmSync(`${here}dist`, { recursive: true, force: true });
const built = buildEngine();
run("cargo", [
  "run",
  "--locked",
  "--quiet",
  "--package",
  "vectordoc-bindgen",
  "--",
  built,
  "dist/raw",
]);
optimize();
run("tsc", ["--project", "tsconfig.json"]);
printSizes();

/** Compiles the engine and returns the path of the module. */
function buildEngine() {
  const options = ["--package", "vectordoc-wasm", "--target", TARGET, "--profile", PROFILE];
  const output = ["--message-format", "json-render-diagnostics"];
  const flags = `${process.env.RUSTFLAGS ?? ""} -Ctarget-feature=+simd128`.trim();
  const messages = run("cargo", ["build", "--locked", ...options, ...output], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, RUSTFLAGS: flags },
  });
  const artifacts = messages
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const files = artifacts.flatMap((artifact) => artifact.filenames ?? []);
  return files.findLast((file) => file.endsWith("vectordoc_wasm.wasm"));
}

function optimize() {
  const features = WASM_FEATURES.map((feature) => `--enable-${feature}`);
  run("wasm-opt", ["-O3", ...features, MODULE, "-o", `${MODULE}.optimized`]);
  renameSync(`${here}${MODULE}.optimized`, `${here}${MODULE}`);
}

/** Prints what a page downloads. */
function printSizes() {
  for (const file of [MODULE, "dist/raw/engine.js", "dist/database.js"]) {
    const bytes = readFileSync(`${here}${file}`);
    const packed = brotliCompressSync(bytes, {
      params: { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY },
    });
    const [raw, brotli] = [bytes, packed].map((data) => (data.length / 1024).toFixed(1));
    console.log(`${file}: ${raw} KiB, ${brotli} KiB with brotli`);
  }
}

/** Runs a program here and returns what it printed; stops the build when it fails. */
function run(program, args, options = {}) {
  const done = spawnSync(program, args, {
    cwd: here,
    stdio: "inherit",
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
    ...options,
  });
  if (done.status !== 0) {
    console.error(`${program} ${args.join(" ")} failed`, done.error ?? "");
    process.exit(1);
  }
  return done.stdout ?? "";
}
