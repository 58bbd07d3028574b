// Builds the package into `dist/`: the engine by cargo, once for each set of instructions, its glue
// by the locked wasm-bindgen, the modules made smaller by wasm-opt, the TypeScript by tsc. Nothing
// comes from outside cargo and npm.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";

const TARGET = "wasm32-unknown-unknown";
const PROFILE = "wasm-release";
/** What rustc may emit for the target, so that wasm-opt accepts and keeps it. */
const WASM_FEATURES = [
  "bulk-memory",
  "bulk-memory-opt",
  "multivalue",
  "mutable-globals",
  "nontrapping-float-to-int",
  "reference-types",
  "sign-ext",
];

const here = fileURLToPath(new URL(".", import.meta.url));
const RAW = "dist/raw";
/** The modules by the name of their file: what rustc and what wasm-opt may use beyond all others. */
const MODULES = {
  engine_simd128: { rustc: "+simd128", opt: ["simd"] },
  engine_relaxed_simd: { rustc: "+simd128,+relaxed-simd", opt: ["simd", "relaxed-simd"] },
};

rmSync(`${here}dist`, { recursive: true, force: true });
mkdirSync(`${here}${RAW}`, { recursive: true });
Object.entries(MODULES).forEach(([name, features]) => buildModule(name, features));
run("tsc", ["--project", "tsconfig.json"]);
printSizes();

/** Builds one module and the glue, which must be the same for all. */
function buildModule(name, features) {
  const folder = `dist/${name}`;
  const bindgen = ["run", "--locked", "--quiet", "--package", "vectordoc-bindgen", "--"];
  run("cargo", [...bindgen, compileEngine(features.rustc), folder]);
  const enabled = [...WASM_FEATURES, ...features.opt].map((feature) => `--enable-${feature}`);
  run("wasm-opt", ["-O3", ...enabled, `${folder}/engine_bg.wasm`, "-o", `${RAW}/${name}.wasm`]);
  rmSync(`${here}${folder}/engine_bg.wasm`);
  readdirSync(`${here}${folder}`).forEach((file) => shareGlue(`${folder}/${file}`, file));
  rmSync(`${here}${folder}`, { recursive: true });
}

/** Compiles the engine and returns the path of the module. */
function compileEngine(features) {
  const options = ["--package", "vectordoc-wasm", "--target", TARGET, "--profile", PROFILE];
  const output = ["--message-format", "json-render-diagnostics"];
  const flags = `${process.env.RUSTFLAGS ?? ""} -Ctarget-feature=${features}`.trim();
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

/** Moves a file of the glue to its place; stops the build when another module's differs. */
function shareGlue(from, file) {
  const place = `${here}${RAW}/${file}`;
  if (existsSync(place) && !readFileSync(place).equals(readFileSync(`${here}${from}`))) {
    console.error(`${from} differs from ${RAW}/${file}: the modules cannot share their glue`);
    process.exit(1);
  }
  renameSync(`${here}${from}`, place);
}

/** Prints what a page downloads: one of the modules, and the rest. */
function printSizes() {
  const modules = Object.keys(MODULES).map((name) => `${RAW}/${name}.wasm`);
  for (const file of [...modules, `${RAW}/engine.js`, "dist/database.js"]) {
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
