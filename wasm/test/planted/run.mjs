// Plants each bug of `bugs.mjs` in a copy of the built package and runs the test that is named beside
// it, which must fail: `node test/planted/run.mjs [BUG…]`.

import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildSync, transformSync } from "esbuild";
import { leaveFigure } from "../figure.mjs";
import { BUGS } from "./bugs.mjs";

/** Within which a test has to have failed. */
const TEST_MS = 180_000;

const root = fileURLToPath(new URL("../../", import.meta.url));
/** Beside the package, so that what it needs is found. */
const copy = join(root, "test/planted/package");
const sources = readdirSync(join(root, "ts"), { recursive: true }).filter((path) => path.endsWith(".ts"));

const chosen = process.argv.slice(2);
const unknown = chosen.find((name) => !BUGS.some((bug) => bug.name === name));
if (unknown !== undefined) {
  console.error(`there is no bug "${unknown}"; there are: ${BUGS.map(({ name }) => name).join(", ")}`);
  process.exit(2);
}
const bugs = BUGS.filter(({ name }) => chosen.length === 0 || chosen.includes(name));
rmSync(copy, { recursive: true, force: true });
mkdirSync(copy);
for (const path of ["dist", "package.json"]) cpSync(join(root, path), join(copy, path), { recursive: true });
for (const path of readdirSync(join(root, "test")).filter((path) => !["packages", "browsers", "planted"].includes(path))) {
  cpSync(join(root, "test", path), join(copy, "test", path), { recursive: true });
}
let missed = 0;
try {
  for (const bug of bugs) missed += isFound(bug) ? 0 : 1;
} finally {
  rmSync(copy, { recursive: true, force: true });
}
if (missed > 0) process.exit(1);
if (bugs.length === BUGS.length) leaveFigure("planted.browser", `${bugs.length} planted bugs, all found`);

/** Whether the test beside a bug passes without it and fails with it. */
function isFound({ name, file, from, to, test }) {
  const source = readFileSync(join(root, "ts", file), "utf8");
  if (source.split(from).length !== 2) throw new Error(`${name}: ${file} has not once: ${from}`);
  transpile();
  const before = run(test);
  transpile(file, source.replace(from, () => to));
  const after = before.isPassed ? run(test) : before;
  const isFound = before.isPassed && after.isFailed;
  console.log(isFound ? `found   ${name}` : `MISSED  ${name}: ${before.isPassed ? "with" : "without"} it\n${after.output}`);
  return isFound;
}

/** Writes the scripts of the copy, with this text for one file. */
function transpile(changed, text) {
  for (const path of sources.filter((path) => !path.endsWith(".d.ts"))) {
    const source = path === changed ? text : readFileSync(join(root, "ts", path), "utf8");
    const { code } = transformSync(source, { loader: "ts", format: "esm", target: "es2022" });
    const script = join(copy, "dist", path.replace(/\.ts$/, ".js"));
    mkdirSync(dirname(script), { recursive: true });
    writeFileSync(script, code);
  }
  buildSync({
    entryPoints: ["dist/worker.js"],
    outfile: "dist/worker.js",
    allowOverwrite: true,
    absWorkingDir: copy,
    bundle: true,
    format: "esm",
    external: ["./dist/raw/engine.js"],
  });
}

function run([file, pattern]) {
  const { stdout } = spawnSync(process.execPath, ["--test", `--test-name-pattern=${pattern}`, join("test", file)], {
    cwd: copy,
    encoding: "utf8",
    timeout: TEST_MS,
    env: { ...process.env, HISTORIES: "3", CRASHES: "3", FIGURES: "" },
  });
  const count = (what) => Number(new RegExp(`^# ${what} (\\d+)`, "m").exec(stdout)?.[1] ?? 0);
  return { output: stdout, isPassed: count("pass") > 0 && count("fail") === 0, isFailed: count("fail") > 0 };
}
