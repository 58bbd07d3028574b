// Projects of someone who has installed the package: what `npm pack` makes, and nothing else of this
// repository.

import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const PACKAGE = join(HERE, "../..");
/** Milliseconds after which a program hangs. */
const HANGS_MS = 120_000;

const folder = mkdtempSync(join(tmpdir(), "vectordoc-packages-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** The compiler that makes the package. */
export const TSC = join(PACKAGE, "node_modules/typescript/bin/tsc");
/** Where the tools are that are installed beside this file. */
export const TOOLS = join(HERE, "node_modules");

/** The packed package: where it is, and what is in it. */
export const packed = pack();

/** Makes a project that has the package, the exercise and files of its own; returns its folder. */
export async function project(name, files, settings = {}) {
  const path = join(folder, name);
  const dependencies = { vectordoc: `file:${packed.path}` };
  write(path, "package.json", JSON.stringify({ name, private: true, dependencies, ...settings }));
  Object.entries(files).forEach(([file, text]) => write(path, file, text));
  copyFileSync(join(HERE, "exercise.js"), join(path, "exercise.js"));
  await run(path, "npm", ["install", "--offline", "--no-audit", "--no-fund"]);
  return path;
}

/** Runs a program in a folder and returns what it prints. */
export async function run(path, program, args, env = {}) {
  const options = { cwd: path, timeout: HANGS_MS, env: { ...process.env, ...env } };
  try {
    return (await promisify(execFile)(program, args, options)).stdout;
  } catch (error) {
    throw new Error(`${error.message}\n${error.stdout}`, { cause: error });
  }
}

/** The program of one of the tools. */
export function tool(name) {
  return join(TOOLS, ".bin", name);
}

function pack() {
  const how = { cwd: PACKAGE, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] };
  const printed = execFileSync("npm", ["pack", "--json", "--pack-destination", folder], how);
  const [{ filename, files }] = JSON.parse(printed);
  const paths = files.map(({ path }) => path);
  assert.ok(paths.includes("dist/node.js"), "the package is not built: npm run build");
  return { path: join(folder, filename), files: paths };
}

function write(path, file, text) {
  mkdirSync(dirname(join(path, file)), { recursive: true });
  writeFileSync(join(path, file), text);
}
