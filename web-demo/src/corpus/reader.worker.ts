// Reads a collection aside from the page: first its atlas, then its entries as they are asked for.

import { type Atlas, AtlasBuilder } from "./atlas";
import type { Collection, Source } from "./collection";
import type { Entry } from "./entry";
import { type Matrix, readNpy } from "./npy";

/** What the reader is told: which collection, then each time that entries can be taken. */
export type ToReader =
  | { readonly read: Collection; readonly first: number }
  | { readonly take: number };

/** What it answers. */
export type FromReader =
  | { readonly kind: "atlas"; readonly atlas: Atlas }
  | { readonly kind: "entries"; readonly entries: readonly Entry[] }
  | { readonly kind: "failed"; readonly message: string };

/** A line of a file of documents, as far as it is used. */
interface Line {
  readonly id?: number;
  readonly lemma: string;
  readonly gloss: string;
  readonly pos: string;
  readonly lexname: string;
}

/** A definition and where its vector is. */
interface Read extends Required<Line> {
  readonly vectors: Matrix;
  readonly row: number;
}

let definitions: Read[] = [];
let taken = 0;

self.onmessage = ({ data }: MessageEvent<ToReader>) => {
  if ("read" in data) {
    read(data.read, data.first).catch((error: unknown) =>
      tell({ kind: "failed", message: error instanceof Error ? error.message : String(error) }),
    );
  } else {
    hand(data.take);
  }
};

async function read({ sources, layout }: Collection, first: number): Promise<void> {
  const [places, ...read] = await Promise.all([load(layout), ...sources.map(readSource)]);
  definitions = read.flat();
  const at = definitions.findIndex(({ id }) => id === first);
  if (at > 0) definitions.unshift(...definitions.splice(at, 1));
  tell({ kind: "atlas", atlas: atlasOf(definitions, readNpy(places, layout)) });
}

/** Lines of the large data set have no id but their number. */
async function readSource(source: Source): Promise<Read[]> {
  const [text, numbers] = await Promise.all([load(source.documents), load(source.vectors)]);
  const lines = new TextDecoder().decode(text).trimEnd().split("\n");
  const vectors = readNpy(numbers, source.vectors);
  if (vectors.rows < lines.length) {
    throw new Error(`${source.vectors} has ${vectors.rows} vectors for ${lines.length} documents`);
  }
  return lines.map((json, row) => {
    const { id = row, lemma, gloss, pos, lexname } = JSON.parse(json) as Line;
    return { id, lemma, gloss, pos, lexname, vectors, row };
  });
}

function atlasOf(lines: readonly Read[], layout: Matrix): Atlas {
  const builder = new AtlasBuilder();
  const [xs, ys] = [new Float32Array(lines.length), new Float32Array(lines.length)];
  lines.forEach(({ id, lemma, pos, lexname }, at) => {
    builder.add(id, lemma, pos, lexname);
    const [x = 0, y = 0] = id < layout.rows ? layout.row(id) : [];
    xs[at] = x / 0xffff;
    ys[at] = y / 0xffff;
  });
  return builder.finish(xs, ys);
}

/** Hands over the next entries; none when all were. */
function hand(count: number): void {
  const from = taken;
  const entries = definitions.slice(from, from + count).map((read) => ({
    id: read.id,
    title: read.lemma,
    text: read.gloss,
    part: read.pos,
    category: read.lexname,
    embedding: read.vectors.row(read.row),
  }));
  taken += entries.length;
  const message: FromReader = { kind: "entries", entries };
  self.postMessage(message, { transfer: entries.map(({ embedding }) => embedding.buffer) });
}

async function load(url: string): Promise<ArrayBuffer> {
  const response = await fetch(url).catch(() => undefined);
  const isPage = response?.headers.get("content-type")?.startsWith("text/html");
  if (!response?.ok || isPage) {
    throw new Error(`${url} ${response === undefined ? "cannot be reached" : "is not there"}`);
  }
  return response.arrayBuffer();
}

function tell(message: FromReader): void {
  self.postMessage(message);
}
