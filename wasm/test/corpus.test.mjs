// The programs and answers of `tests/corpus/answers.json`, which native code answers the same way: the
// engine is one, whatever it runs on.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { open } from "vectordoc";

const corpus = new URL("../../tests/corpus/answers.json", import.meta.url);
const programs = JSON.parse(await readFile(corpus, "utf8"));

test("there are programs", () => assert.ok(programs.length >= 24));

programs.forEach(({ schema, steps }, number) => {
  test(`program ${number} has the answers of native code`, async () => {
    const db = await open(`corpus-${number}`, { schema });
    for (const step of steps) {
      await db.index(step.index);
      await db.delete(step.delete);
      const { limit, filter } = step;
      const hits = await db.search(step.query, { limit, filter, exact: true });
      assert.deepEqual(
        hits.map((hit) => [hit.id, hit.distance]),
        step.hits,
      );
      assert.equal(await db.count({ filter }), step.count);
    }
    await db.close();
  });
});
