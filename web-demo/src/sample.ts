import documentsUrl from "../../node-server/sample/documents.jsonl?url";
import vectorsUrl from "../../node-server/sample/vectors.npy?url";
import { readNpy } from "./npy";

/** One meaning of a word, with its vector. */
export interface Definition {
  id: number;
  lemma: string;
  gloss: string;
  /** Part of speech: `n`, `v`, `a` or `r`. */
  pos: string;
  /** WordNet's category: `noun.food`. */
  category: string;
  embedding: Float32Array;
}

/** A line of the sample. */
interface Line {
  readonly id: number;
  readonly lemma: string;
  readonly gloss: string;
  readonly pos: string;
  readonly lexname: string;
}

/** Loads the definitions that come with the page. */
export async function loadSample(): Promise<Definition[]> {
  const [lines, file] = await Promise.all([
    load(documentsUrl).then((response) => response.text()),
    load(vectorsUrl).then((response) => response.arrayBuffer()),
  ]);
  const { columns, numbers } = readNpy(file);
  return lines
    .trimEnd()
    .split("\n")
    .map((json, row) => {
      const { id, lemma, gloss, pos, lexname }: Line = JSON.parse(json);
      const embedding = numbers.subarray(row * columns, (row + 1) * columns);
      return { id, lemma, gloss, pos, category: lexname, embedding };
    });
}

async function load(url: string): Promise<Response> {
  const response = await fetch(url);
  if (!response.ok) {
    throw new Error(`${url}: ${response.status} ${response.statusText}`);
  }
  return response;
}
