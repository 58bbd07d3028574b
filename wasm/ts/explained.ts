import type { Hit, Id } from "./document.js";

/** Hits, and how they were found. */
export interface Explained<Doc> {
  /** Best first. */
  readonly hits: readonly Hit<Doc>[];
  /**
   * The way: `"exact"` compares with every vector, `"codes"` with a code of each and exactly with the
   * nearest, `"graph"` and `"filtered graph"` with those that links lead to.
   */
  readonly plan: string;
  /** Distances computed. */
  readonly visited: number;
  /** Whether every document that passes the filter was compared exactly. */
  readonly exact: boolean;
  /** Candidates the graph considered; 0 without a graph. */
  readonly ef: number;
  /** Documents that pass the filter. */
  readonly allowed: number;
  /**
   * The steps of a walk through the graph, the highest level first, if they were asked for; also
   * where scanning was cheaper. Empty where there is no graph.
   */
  readonly path?: readonly Hop[];
}

/** One step of a walk through the graph: from one document to those that it links to. */
export interface Hop {
  /** The level of the graph; the lowest, which has every document, is 0. */
  readonly level: number;
  /** Where the walk stands; `undefined` if that document is deleted and still in the graph. */
  readonly at: Id | undefined;
  /** What it compares with from there. */
  readonly compared: readonly Id[];
  /** About how far each of them is: graphs are walked on codes. */
  readonly distances: Float32Array;
}

/** How large a database is. */
export interface Stats {
  readonly documents: number;
  /** Vectors that wait to be added to an index. */
  readonly unindexed: number;
  /** Bytes of memory that documents, vectors, filter columns and indexes take. */
  readonly memoryBytes: number;
}
