// Builds the package into `dist/`: the engine by cargo, once for each set of instructions, its glue
// by the locked wasm-bindgen, the modules made smaller by wasm-opt, the TypeScript by tsc, the
// worker's script in one piece by esbuild. Nothing comes from outside rustup, cargo and npm.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";
import { buildSync } from "esbuild";

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

/**
 * The engine is compiled for speed, but only functions that ask for it are inlined. A bug in the
 * engine is a trap, without the text of a panic.
 */
const RUSTFLAGS = [
  "-Zunstable-options",
  "-Cpanic=immediate-abort",
  "-Cllvm-args=-inline-threshold=5",
];
/** The standard library is compiled too, for size: the one that comes with rustc is for speed. */
const STD = ["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"];
/** What a page may download before it can search, with brotli. */
const PAGE_KIB_MAX = 401;

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
// Comments are for editors, which read them in the declarations.
run("tsc", ["--project", "tsconfig.json", "--emitDeclarationOnly"]);
run("tsc", ["--project", "tsconfig.json", "--declaration", "false", "--isolatedDeclarations", "false", "--removeComments"]);
bundleWorker();
minifyScripts();
checkSizes();

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
  const flags = [process.env.RUSTFLAGS ?? "", ...RUSTFLAGS, `-Ctarget-feature=${features}`];
  const messages = run("cargo", ["build", "--locked", ...options, ...STD, ...output], {
    stdio: ["ignore", "pipe", "inherit"],
    // The locked compiler knows these options, but does not promise to keep them.
    env: { ...process.env, RUSTC_BOOTSTRAP: "1", RUSTFLAGS: flags.join(" ").trim() },
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

/**
 * Makes one script of the worker's, which has to be there before anything else begins. The glue stays
 * apart, as the page has it too.
 */
function bundleWorker() {
  buildSync({
    entryPoints: ["dist/worker.js"],
    outfile: "dist/worker.js",
    allowOverwrite: true,
    absWorkingDir: here,
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    external: ["./dist/raw/engine.js"],
  });
}

/** Makes scripts short, for pages that load them as they are; the glue keeps its names. */
function minifyScripts() {
  const scripts = readdirSync(`${here}dist`, { recursive: true }).filter((path) => path.endsWith(".js"));
  const glue = scripts.filter((path) => path.startsWith("raw"));
  const own = scripts.filter((path) => !path.startsWith("raw"));
  for (const [paths, minifyIdentifiers] of [[own, true], [glue, false]]) {
    buildSync({
      entryPoints: paths.map((path) => `dist/${path}`),
      outdir: "dist",
      outbase: "dist",
      allowOverwrite: true,
      absWorkingDir: here,
      minifyWhitespace: true,
      minifySyntax: true,
      minifyIdentifiers,
      format: "esm",
      target: "es2022",
    });
  }
}

/** Prints what a page downloads before it can search; stops the build when that is too much. */
function checkSizes() {
  const scripts = [...scriptsFrom("dist/browser.js")];
  const modules = Object.keys(MODULES).map((name) => `${RAW}/${name}.wasm`);
  const largest = modules.toSorted((a, b) => brotliBytes(b) - brotliBytes(a)).slice(0, 1);
  const kib = (files) => files.reduce((sum, file) => sum + brotliBytes(file), 0) / 1024;
  for (const file of [...modules, ...scripts]) {
    console.log(`${file}: ${kib([file]).toFixed(1)} KiB with brotli`);
  }
  const page = kib([...scripts, ...largest]);
  console.log(`a page: ${page.toFixed(1)} of at most ${PAGE_KIB_MAX} KiB with brotli`);
  if (page > PAGE_KIB_MAX) {
    console.error(`a page downloads ${page.toFixed(1)} KiB: make it smaller, or raise PAGE_KIB_MAX`);
    process.exit(1);
  }
}

/** A script and all that it imports or starts, in that order. */
function scriptsFrom(script, found = new Set()) {
  if (found.has(script)) return found;
  found.add(script);
  const imports = /(?:from ?|import ?\(?|URL\()"(\.[\w./-]+\.js)"/g;
  const text = readFileSync(`${here}${script}`, "utf8");
  for (const [, name] of text.matchAll(imports)) scriptsFrom(join(dirname(script), name), found);
  return found;
}

function brotliBytes(file) {
  const params = { [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY };
  return brotliCompressSync(readFileSync(`${here}${file}`), { params }).length;
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
