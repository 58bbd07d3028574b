// The example of a Rust type of one's own in a WASM module of one's own, built and run.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";

const repository = fileURLToPath(new URL("../..", import.meta.url));

/** Runs cargo in the repository and returns what it printed. */
function cargo(...args) {
  const { status, stdout } = spawnSync("cargo", args, {
    cwd: repository,
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
    maxBuffer: 64 * 1024 * 1024,
  });
  assert.equal(status, 0, `cargo ${args.join(" ")} failed`);
  return stdout;
}

test("a derived type is searched in a module of its own, and its records outlive it", async () => {
  const output = ["--message-format", "json-render-diagnostics"];
  const target = ["--target", "wasm32-unknown-unknown", "--quiet", "--locked", ...output];
  const lines = cargo("build", "--package", "vectordoc-own-type", ...target).trim().split("\n");
  const files = lines.flatMap((line) => JSON.parse(line).filenames ?? []);
  const module = files.findLast((file) => file.endsWith("vectordoc_own_type.wasm"));
  const folder = await mkdtemp(join(tmpdir(), "vectordoc-own-type-"));
  try {
    cargo("run", "--quiet", "--locked", "--package", "vectordoc-bindgen", "--", module, folder);
    await tryRecipes(await import(pathToFileURL(join(folder, "engine.js"))), folder);
  } finally {
    await rm(folder, { recursive: true });
  }
});

async function tryRecipes({ default: load, Recipes }, folder) {
  await load({ module_or_path: readFile(join(folder, "engine_bg.wasm")) });
  const recipes = new Recipes();
  const records = [
    recipes.add("lemon tart", new Float32Array([0.7, 0.7, 0]), 50, true),
    recipes.add("lemon sorbet", new Float32Array([0.8, 0.6, 0]), 20, true),
    recipes.add("chilli chocolate", new Float32Array([0.8, 0, 0.6]), 15, true),
    recipes.add("sweet and sour tofu", new Float32Array([0.6, 0.6, 0.2]), 25, false),
    recipes.add("mistake", new Float32Array([0.7, 0.7, 0]), 5, true),
    recipes.remove("mistake"),
  ];
  const again = new Recipes();
  records.forEach((record) => again.replay(record));
  for (const catalogue of [recipes, again]) {
    const found = catalogue.quickDesserts(new Float32Array([0.7, 0.7, 0]), 30);
    assert.deepEqual(
      found.map(({ name, minutes }) => [name, minutes]),
      [
        ["lemon sorbet", 20],
        ["chilli chocolate", 15],
      ],
    );
  }
  assert.throws(() => recipes.add("nothing", new Float32Array(2), 1, true), /three numbers/);
  assert.throws(() => recipes.add("nothing", new Float32Array(3), 1, true), /zero/);
  assert.throws(() => again.replay(records[0]), /record 1 follows record 6/);
}
