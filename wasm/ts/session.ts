import type { Counted, Hit, HitGroup, Id } from "./document.js";
import type { Explained, Stats } from "./explained.js";
import type { Progress } from "./options.js";
import type { Schema } from "./schema.js";

/**
 * A database, however it is reached: in this thread, in a worker, through another tab, over a
 * network. What goes in and comes out survives structured cloning, but for `onProgress`. Every method
 * rejects with a `VectordocError`.
 */
export interface Session {
  /** The schema as it is stored. */
  readonly schema: Schema;
  /** Makes a change happen, durably, as a whole or not at all. */
  write(change: Change, onProgress?: OnProgress): Promise<Outcome>;
  /** Answers a question. */
  read<V extends Verb>(verb: V, question: Questions[V]): Promise<Answers[V]>;
  /** Waits until no vector waits to be added to an index. */
  settle(onProgress?: OnProgress): Promise<void>;
  /** The whole database as one file, as it is when nothing is left to be done. */
  export(): Promise<Archive>;
  /** Finishes what was asked for and lets go of everything. */
  close(): Promise<void>;
}

/** A database as one file: a `Blob`, where the program's types have that. */
export type Archive = typeof globalThis extends { Blob: { prototype: infer Known } }
  ? Known
  : BlobLike;

/** As much of a `Blob` as is used. */
export interface BlobLike {
  readonly size: number;
  slice(start?: number, end?: number): BlobLike;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** Who is told how far something is. */
export type OnProgress = (progress: Progress) => void;

/** What is to change. */
export type Change =
  | {
      readonly verb: "index" | "update";
      readonly docs: readonly object[];
      readonly ifVersion?: number;
    }
  | {
      readonly verb: "patch";
      readonly id: unknown;
      readonly changes: object;
      readonly ifVersion?: number;
    }
  | { readonly verb: "patchWhere"; readonly filter: unknown; readonly changes: object }
  | { readonly verb: "delete"; readonly ids: readonly unknown[]; readonly ifVersion?: number }
  | { readonly verb: "deleteWhere"; readonly filter: unknown };

/** What a change did. */
export interface Outcome {
  /** Documents inserted, replaced or patched. */
  readonly indexed: number;
  readonly deleted: number;
  /** Ids that were to be deleted and were not there. */
  readonly missing: readonly Id[];
  /** The version of every document written. */
  readonly version: number;
}

/** What can be asked, by the verb that asks it. */
export interface Questions {
  /** `options` are those of `Database.search` as the caller gave them. */
  search: { readonly vector?: unknown; readonly options: SearchOptions };
  searchLike: { readonly ids: readonly unknown[]; readonly options: SearchOptions };
  explain: { readonly vector: unknown; readonly options: SearchOptions; readonly path: boolean };
  stats: object;
  get: { readonly ids: readonly unknown[]; readonly include?: unknown; readonly versions: boolean };
  count: { readonly filter?: unknown };
  facet: { readonly field: string; readonly filter?: unknown; readonly limit?: unknown };
  /** The page after `cursor`, or the first. */
  scroll: { readonly cursor: string | undefined; readonly options: object };
}

/** The options of a search, unchecked but for their names. */
export interface SearchOptions {
  readonly groupBy?: unknown;
  readonly [option: string]: unknown;
}

/** What it is answered with. */
export interface Answers {
  /** Groups if the options say `groupBy`. */
  search: readonly Hit<object>[] | readonly HitGroup<object>[];
  searchLike: readonly Hit<object>[] | readonly HitGroup<object>[];
  /** With the path if that was asked for. */
  explain: Explained<object>;
  stats: Stats;
  /** In the order of the ids; versions if they were asked for. */
  get: { readonly docs: readonly (object | undefined)[]; readonly versions: readonly number[] };
  count: number;
  facet: readonly Counted[];
  /** The cursor of the next page; `undefined` after the last. */
  scroll: { readonly docs: readonly object[]; readonly cursor: string | undefined };
}

/** What can be asked. */
export type Verb = keyof Questions;
