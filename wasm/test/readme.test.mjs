import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import test from "node:test";

test("the example of the README runs and prints what it says", async () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const example = readme.match(/```ts\n(.*?)```/s)[1];
  // Beside the tests, so that the package is found by its name.
  const file = new URL("readme-example.mjs", import.meta.url);
  writeFileSync(file, example);
  const printed = [];
  const { log } = console;
  console.log = (...values) => printed.push(values.join(" "));
  try {
    await import(file.href);
  } finally {
    console.log = log;
    rmSync(file);
  }
  const expected = [...example.matchAll(/\/\/ prints: (.*)/g)].map((match) => match[1]);
  assert.ok(expected.length > 0);
  assert.deepEqual(printed, expected);
});
