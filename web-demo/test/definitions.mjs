// A data set folder as large as wordnet50k, for where that is not at hand: words that are none, and
// vectors around centres, as those of texts are.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const DIM = 384;
const CENTRES = 400;
const SYLLABLES = ["ba", "do", "ki", "lu", "me", "no", "pa", "ri", "su", "te", "vo", "za"];
const KINDS = [
  ["n", "noun.animal"],
  ["n", "noun.food"],
  ["n", "noun.artifact"],
  ["v", "verb.motion"],
  ["a", "adj.all"],
  ["r", "adv.all"],
];

/** Writes so many definitions into a folder that is gone with the test. */
export async function writeDefinitions(test, count) {
  const folder = await mkdtemp(join(tmpdir(), "vectordoc-definitions-"));
  test.after(() => rm(folder, { recursive: true, force: true }));
  const random = randomOf(7);
  const centres = Array.from({ length: CENTRES * DIM }, () => random() - 0.5);
  const numbers = new Int8Array(count * DIM);
  const lines = [];
  for (let row = 0; row < count; row++) {
    const centre = row % CENTRES;
    for (let at = 0; at < DIM; at++) {
      numbers[row * DIM + at] = Math.round((centres[centre * DIM + at] + (random() - 0.5) * 0.9) * 120);
    }
    const [pos, lexname] = KINDS[centre % KINDS.length];
    const lemma = Array.from({ length: 3 }, () => SYLLABLES[Math.floor(random() * SYLLABLES.length)]).join("");
    lines.push(JSON.stringify({ id: row, pos, lexname, lemma: `${lemma} ${row}`, gloss: `what ${lemma} means` }));
  }
  await writeFile(join(folder, "base_meta.jsonl"), `${lines.join("\n")}\n`);
  await writeFile(join(folder, "base.npy"), Buffer.concat([headerOf(count), Buffer.from(numbers.buffer)]));
  return folder;
}

function headerOf(rows) {
  const header = `{'descr': '|i1', 'fortran_order': False, 'shape': (${rows}, ${DIM}), }`;
  const padded = header.padEnd(Math.ceil((10 + header.length + 1) / 64) * 64 - 11) + "\n";
  const length = Buffer.alloc(2);
  length.writeUInt16LE(padded.length);
  return Buffer.concat([Buffer.from("\x93NUMPY\x01\x00", "latin1"), length, Buffer.from(padded)]);
}

/** Numbers from 0 to 1 out of a seed (mulberry32). */
function randomOf(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
