import type { FilterableIn, Hit, Id, IdNameIn, Include, Included } from "./document.js";
import { VectordocError, guard } from "./error.js";
import {
  type Progressive,
  type Search,
  type Selection,
  type TextSearch,
  refuseUnknown,
} from "./options.js";
import type { Batch, Engine } from "./raw/engine.js";
import type { Vector } from "./schema.js";
import { Turn, pause } from "./turn.js";

/** Documents that cross into the engine in one call. */
const SLICE_DOCUMENTS = 64;

/** The options of a search. */
const SEARCH_OPTIONS = [
  "limit",
  "offset",
  "filter",
  "include",
  "field",
  "ef",
  "exact",
  "minScore",
  "text",
  "textField",
  "fusion",
] as const satisfies readonly (keyof Search<unknown> | "include")[];

/** What a deletion did. */
export interface Deleted {
  readonly deleted: number;
  /** Ids that were not there. */
  readonly missing: readonly Id[];
}

/** What a record did. */
interface Outcome extends Deleted {
  readonly indexed: number;
}

/** What a search found, as it crosses: ids, scores and distances in turns, documents. */
type Answer<Doc> = readonly [readonly Id[], Float32Array, readonly Doc[]];

type OneOrMany<T> = T | readonly T[];

/**
 * A database of documents, in memory: it lives as long as this object. Every method rejects with a
 * `VectordocError`.
 *
 * `Doc` is a document, `IdName` the name of its id field, `Fields` has the type of each path that
 * filters can ask about; `open` infers them from the schema.
 */
export class Database<
  Doc extends object,
  IdName extends keyof Doc = IdNameIn<Doc>,
  Fields = FilterableIn<Doc>,
> {
  /** The name it was opened by. */
  readonly name: string;
  readonly #engine: Engine;
  readonly #vectorFields: readonly string[];
  #isClosed = false;
  /** Settles with the last write asked for; writes happen one after the other. */
  #writes: Promise<unknown> = Promise.resolve();
  /** Settles when indexes are built; `undefined` while there is nothing to build. */
  #building: Promise<void> | undefined;
  /** Why the engine can no longer be trusted. */
  #failure: unknown;

  /** @internal */
  constructor(name: string, engine: Engine) {
    this.name = name;
    this.#engine = engine;
    this.#vectorFields = engine.vectorFields();
  }

  /**
   * Inserts documents, each replacing the one with its id. All of them or, when one is wrong, none;
   * they can be found when the promise resolves. Returns how many they are.
   */
  async index(docs: OneOrMany<Doc>, options: Progressive = {}): Promise<number> {
    refuseUnknown(options, ["onProgress"]);
    const fill = (batch: Batch, slice: Doc[]) => batch.index(slice);
    return (await this.#writeDocuments(listOf(docs), fill, options)).indexed;
  }

  /**
   * Replaces documents; `not_found` when there is none with the id of one of them, and nothing is
   * written then. Returns how many they are.
   */
  async update(docs: OneOrMany<Doc>, options: Progressive = {}): Promise<number> {
    refuseUnknown(options, ["onProgress"]);
    const fill = (batch: Batch, slice: Doc[]) => batch.update(slice);
    return (await this.#writeDocuments(listOf(docs), fill, options)).indexed;
  }

  /** Deletes documents by id, or those that pass a filter; `{ filter: {} }` deletes all. */
  async delete(which: OneOrMany<Doc[IdName]> | Required<Selection<Fields>>): Promise<Deleted> {
    const { deleted, missing } = await this.#write(async (batch) => {
      guard(() => {
        if (isSelection<Fields>(which)) {
          refuseUnknown(which, ["filter"]);
          batch.deleteWhere({ ...which });
        } else {
          batch.delete(listOf(which));
        }
      });
    });
    return { deleted, missing };
  }

  /** The documents with these ids, `undefined` in the place of one that is not there. */
  async get<const I extends Include<Doc> = undefined>(
    ids: readonly Doc[IdName][],
    options?: { readonly include?: I },
  ): Promise<(Included<Doc, IdName, I> | undefined)[]>;
  /** The document with this id, `undefined` when it is not there. */
  async get<const I extends Include<Doc> = undefined>(
    id: Doc[IdName],
    options?: { readonly include?: I },
  ): Promise<Included<Doc, IdName, I> | undefined>;
  async get(ids: OneOrMany<Doc[IdName]>, options: object = {}): Promise<unknown> {
    refuseUnknown(options, ["include"]);
    const found: unknown[] = this.#read((engine) => engine.get(listOf(ids), { ...options }));
    return Array.isArray(ids) ? found : found[0];
  }

  /** How many documents pass the filter; without one, how many there are. */
  async count(options: Selection<Fields> = {}): Promise<number> {
    refuseUnknown(options, ["filter"]);
    return this.#read((engine) => engine.count({ ...options }));
  }

  /**
   * The documents nearest to a vector, best first, ties in order of their ids; with `text`, fused
   * with those that have its words.
   */
  async search<const I extends Include<Doc> = undefined>(
    vector: Vector,
    options: Search<Fields> & { readonly include?: I } = {},
  ): Promise<Hit<Included<Doc, IdName, I>>[]> {
    if (vector === undefined || vector === null) {
      throw new VectordocError("invalid", "the query vector is missing; searchText needs none");
    }
    return this.#search(packed(vector), options);
  }

  /** The documents that have one of these words, best first (BM25), ties in order of their ids. */
  async searchText<const I extends Include<Doc> = undefined>(
    words: string,
    options: TextSearch<Fields> & { readonly include?: I } = {},
  ): Promise<Hit<Included<Doc, IdName, I>>[]> {
    return this.#search(undefined, { ...options, text: words });
  }

  #search<D>(vector: unknown, options: object): Hit<D>[] {
    refuseUnknown(options, SEARCH_OPTIONS);
    const answer: Answer<D> = this.#read((engine) => engine.search(vector, { ...options }));
    return hitsOf(answer);
  }

  /** The documents that pass, one after the other, in order of their ids. */
  async *scroll<const I extends Include<Doc> = undefined>(
    options: Selection<Fields> & { readonly include?: I } = {},
  ): AsyncGenerator<Included<Doc, IdName, I>, void, undefined> {
    refuseUnknown(options, ["filter", "include"]);
    let cursor: string | undefined;
    do {
      const page = this.#read((engine) => engine.scroll(cursor, { ...options })) as {
        readonly docs: readonly Included<Doc, IdName, I>[];
        readonly cursor: string | undefined;
      };
      yield* page.docs;
      cursor = page.cursor;
    } while (cursor !== undefined);
  }

  /**
   * Waits until no vector waits to be added to an index. Searches answer without it, and no worse;
   * they are faster after it.
   */
  async waitIndexed({ onProgress }: Progressive = {}): Promise<void> {
    let total = 0;
    while (this.#building !== undefined) {
      const waiting = this.#read((engine) => engine.unindexed);
      total = Math.max(total, waiting);
      onProgress?.({ done: total - waiting, total });
      await Promise.race([this.#building, pause()]);
    }
  }

  /** Finishes the writes asked for and frees the memory. Later calls reject with `closed`. */
  async close(): Promise<void> {
    if (this.#isClosed) {
      return;
    }
    this.#isClosed = true;
    await this.#writes;
    await this.#building;
    this.#engine.free();
  }

  #read<T>(read: (engine: Engine) => T): T {
    this.#check();
    return guard(() => read(this.#engine));
  }

  async #writeDocuments(
    docs: readonly Doc[],
    fill: (batch: Batch, slice: Doc[]) => void,
    { onProgress }: Progressive,
  ): Promise<Outcome> {
    return this.#write(async (batch) => {
      const turn = new Turn();
      for (let done = 0; done < docs.length;) {
        const slice = docs.slice(done, done + SLICE_DOCUMENTS).map((doc) => this.#packed(doc));
        guard(() => fill(batch, slice));
        done += slice.length;
        onProgress?.({ done, total: docs.length });
        await turn.rest();
      }
    });
  }

  /** Makes what `fill` puts in a batch happen, after all writes asked for before. */
  async #write(fill: (batch: Batch) => Promise<void>): Promise<Outcome> {
    this.#check();
    const write = this.#writes.then(() => this.#commit(fill));
    this.#writes = write.catch(() => undefined);
    return write;
  }

  async #commit(fill: (batch: Batch) => Promise<void>): Promise<Outcome> {
    const batch = this.#engine.batch();
    try {
      await fill(batch);
    } catch (error) {
      batch.free();
      throw error;
    }
    const prepared = guard(() => this.#engine.prepare(batch));
    const { indexed, deleted, missing } = prepared;
    guard(() => this.#engine.apply(prepared));
    this.#building ??= this.#build();
    return { indexed, deleted, missing };
  }

  /** Builds indexes slice by slice while there is something to build. */
  async #build(): Promise<void> {
    try {
      do {
        await pause();
      } while (!this.#isClosed && guard(() => this.#engine.maintain()));
    } catch (error) {
      this.#failure = error;
    }
    this.#building = undefined;
  }

  /** The document with its vectors as typed arrays, which cross in one copy. */
  #packed(doc: Doc): Doc {
    let result = doc;
    for (const name of this.#vectorFields) {
      const vector: unknown = Reflect.get(Object(doc), name);
      if (isNumbers(vector)) {
        result = { ...result, [name]: Float32Array.from(vector) };
      }
    }
    return result;
  }

  #check(): void {
    if (this.#isClosed) {
      throw new VectordocError("closed", `database "${this.name}" was closed; open it again`);
    }
    if (this.#failure !== undefined) {
      throw this.#failure;
    }
  }
}

/** The hits of an answer, as objects. */
function hitsOf<Doc>([ids, measures, docs]: Answer<Doc>): Hit<Doc>[] {
  return ids.map((id, at) => ({
    id,
    score: measures[2 * at] as number,
    distance: measures[2 * at + 1] as number,
    doc: docs[at] as Doc,
  }));
}

/** A vector as a typed array, if it is one; the engine says what is wrong with anything else. */
function packed(vector: unknown): unknown {
  return isNumbers(vector) ? Float32Array.from(vector) : vector;
}

/** A list of its own, so that nobody changes it while a write waits. */
function listOf<T>(oneOrMany: OneOrMany<T>): T[] {
  return isMany(oneOrMany) ? [...oneOrMany] : [oneOrMany];
}

function isMany<T>(oneOrMany: OneOrMany<T>): oneOrMany is readonly T[] {
  return Array.isArray(oneOrMany);
}

function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((number) => typeof number === "number");
}

/** Tells a filter from ids; an object without a filter is a mistake and would delete everything. */
function isSelection<Fields>(which: unknown): which is Required<Selection<Fields>> {
  if (typeof which !== "object" || which === null || Array.isArray(which)) {
    return false;
  }
  if ("filter" in which && typeof which.filter === "object" && which.filter !== null) {
    return true;
  }
  throw new VectordocError(
    "invalid",
    "delete takes ids or { filter }; to delete every document, say { filter: {} }",
  );
}
