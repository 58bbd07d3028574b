import documentsUrl from "../../../node-server/sample/documents.jsonl?url";
import vectorsUrl from "../../../node-server/sample/vectors.npy?url";
import moreDocumentsUrl from "../../data/documents.jsonl?url";
import layoutUrl from "../../data/layout.npy?url";
import moreVectorsUrl from "../../data/vectors.npy?url";

/** Definitions that can be loaded. */
export interface Collection {
  /** Also the name of its database. */
  readonly name: string;
  readonly size: number;
  /** Where its definitions are, and as many vectors in the same order. */
  readonly sources: readonly Source[];
  /** Where each definition is on the map, by its id. */
  readonly layout: string;
  /** What is kept of a vector: all of it, or a byte for each number. */
  readonly precision: "f32" | "i8";
}

/** The addresses of two files. */
export interface Source {
  readonly documents: string;
  readonly vectors: string;
}

/** Those that come with the page. */
const SAMPLE: Source = { documents: absolute(documentsUrl), vectors: absolute(vectorsUrl) };
const MORE: Source = { documents: absolute(moreDocumentsUrl), vectors: absolute(moreVectorsUrl) };
/** Those that can be put beside it. */
const ALL: Source = {
  documents: absolute("wordnet50k/base_meta.jsonl"),
  vectors: absolute("wordnet50k/base.npy"),
};

/** Numbers in each vector of a collection. */
export const COLLECTION_DIM = 384;

/** From the one that comes with the page to the one that has to be served beside it. */
export const COLLECTIONS: readonly Collection[] = [
  {
    name: "wordnet-3000",
    size: 3_000,
    sources: [SAMPLE],
    layout: absolute(layoutUrl),
    precision: "f32",
  },
  {
    name: "wordnet-10000",
    size: 10_000,
    sources: [SAMPLE, MORE],
    layout: absolute(layoutUrl),
    precision: "i8",
  },
  {
    name: "wordnet-50000",
    size: 50_000,
    sources: [ALL],
    layout: absolute(layoutUrl),
    precision: "i8",
  },
];

/** Workers know no address of the page. */
function absolute(url: string): string {
  return new URL(url, document.baseURI).href;
}
