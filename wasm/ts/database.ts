import { groupsOf, hitsOf } from "./answer.js";
import { type OneOrMany, isMany, isNumbers, isSelection, listOf, packed } from "./arguments.js";
import type { Changes, Conditional, Versioned } from "./changes.js";
import type {
  Counted,
  FilterableIn,
  Hit,
  HitGroup,
  Id,
  IdNameIn,
  Include,
  Included,
} from "./document.js";
import { VectordocError, guard } from "./error.js";
import type { FieldName } from "./filter.js";
import {
  type Examples,
  type Grouping,
  type Ordering,
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
  "groupBy",
  "groupSize",
] as const satisfies readonly (keyof Search<unknown> | keyof Grouping<unknown> | "include")[];

/** What a deletion did. */
export interface Deleted {
  readonly deleted: number;
  /** Ids that were not there. */
  readonly missing: readonly Id[];
}

/** What a record did. */
interface Outcome extends Deleted, Versioned {
  readonly indexed: number;
}

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
   * they can be found when the promise resolves. Says how many they are, and of one its version.
   */
  async index(
    docs: readonly Doc[],
    options?: Progressive,
  ): Promise<{ readonly indexed: number }>;
  async index(
    doc: Doc,
    options?: Progressive & Conditional,
  ): Promise<{ readonly indexed: number } & Versioned>;
  async index(docs: OneOrMany<Doc>, options: Progressive & Conditional = {}) {
    const fill = (batch: Batch, slice: Doc[]) => batch.index(slice);
    const { indexed, version } = await this.#writeDocuments(docs, fill, options);
    return isMany(docs) ? { indexed } : { indexed, version };
  }

  /**
   * Replaces documents; `not_found` when there is none with the id of one of them, and nothing is
   * written then. Says how many they are, and of one its version.
   */
  async update(
    docs: readonly Doc[],
    options?: Progressive,
  ): Promise<{ readonly updated: number }>;
  async update(
    doc: Doc,
    options?: Progressive & Conditional,
  ): Promise<{ readonly updated: number } & Versioned>;
  async update(docs: OneOrMany<Doc>, options: Progressive & Conditional = {}) {
    const fill = (batch: Batch, slice: Doc[]) => batch.update(slice);
    const { indexed: updated, version } = await this.#writeDocuments(docs, fill, options);
    return isMany(docs) ? { updated } : { updated, version };
  }

  /**
   * Changes some fields of the document with this id, `not_found` when there is none; or of all
   * documents that pass a filter, and `{ filter: {} }` means all.
   */
  async patch(
    id: Doc[IdName],
    changes: Changes<Doc, IdName>,
    options?: Conditional,
  ): Promise<Versioned>;
  async patch(
    which: Required<Selection<Fields>>,
    changes: Changes<Doc, IdName>,
  ): Promise<{ readonly patched: number }>;
  async patch(
    which: Doc[IdName] | Required<Selection<Fields>>,
    changes: Changes<Doc, IdName>,
    options: Conditional = {},
  ) {
    refuseUnknown(options, ["ifVersion"]);
    const isWhere = isSelection<Fields>(which, "patch");
    const { indexed, version } = await this.#write((batch) => {
      if (isWhere) {
        batch.patchWhere({ ...which }, changes);
      } else {
        batch.patch(which, changes);
      }
      batch.expect({ ...options });
    });
    return isWhere ? { patched: indexed } : { version };
  }

  /** Deletes documents by id, or those that pass a filter; `{ filter: {} }` deletes all. */
  async delete(id: Doc[IdName], options?: Conditional): Promise<Deleted>;
  async delete(which: readonly Doc[IdName][] | Required<Selection<Fields>>): Promise<Deleted>;
  async delete(
    which: OneOrMany<Doc[IdName]> | Required<Selection<Fields>>,
    options: Conditional = {},
  ): Promise<Deleted> {
    refuseUnknown(options, ["ifVersion"]);
    const isWhere = isSelection<Fields>(which, "delete");
    const { deleted, missing } = await this.#write((batch) => {
      if (isWhere) {
        batch.deleteWhere({ ...which });
      } else {
        batch.delete(listOf(which));
      }
      batch.expect({ ...options });
    });
    return { deleted, missing };
  }

  /**
   * The documents with these ids, `undefined` in the place of one that is not there; with
   * `versions` as `{ doc, version }`.
   */
  async get<const I extends Include<Doc> = undefined>(
    ids: readonly Doc[IdName][],
    options: { readonly include?: I; readonly versions: true },
  ): Promise<(({ readonly doc: Included<Doc, IdName, I> } & Versioned) | undefined)[]>;
  async get<const I extends Include<Doc> = undefined>(
    id: Doc[IdName],
    options: { readonly include?: I; readonly versions: true },
  ): Promise<({ readonly doc: Included<Doc, IdName, I> } & Versioned) | undefined>;
  async get<const I extends Include<Doc> = undefined>(
    ids: readonly Doc[IdName][],
    options?: { readonly include?: I; readonly versions?: false },
  ): Promise<(Included<Doc, IdName, I> | undefined)[]>;
  async get<const I extends Include<Doc> = undefined>(
    id: Doc[IdName],
    options?: { readonly include?: I; readonly versions?: false },
  ): Promise<Included<Doc, IdName, I> | undefined>;
  async get(ids: OneOrMany<Doc[IdName]>, options: { versions?: boolean } = {}): Promise<unknown> {
    refuseUnknown(options, ["include", "versions"]);
    const found: unknown[] = this.#read((engine) => {
      const docs: unknown[] = engine.get(listOf(ids), { ...options });
      if (options.versions !== true) {
        return docs;
      }
      const versions: unknown[] = engine.versions(listOf(ids));
      return docs.map((doc, at) => doc && { doc, version: versions[at] });
    });
    return isMany(ids) ? found : found[0];
  }

  /** How many documents pass the filter; without one, how many there are. */
  async count(options: Selection<Fields> = {}): Promise<number> {
    refuseUnknown(options, ["filter"]);
    return this.#read((engine) => engine.count({ ...options }));
  }

  /**
   * How many of the documents that pass have each value of a field, the most frequent first; 100
   * values unless there is a limit. Of an array, each of its elements counts.
   */
  async facet(
    field: FieldName<Fields>,
    options: Selection<Fields> & { readonly limit?: number } = {},
  ): Promise<Counted[]> {
    refuseUnknown(options, ["filter", "limit"]);
    return this.#read((engine) => engine.facet(field, { ...options }));
  }

  /**
   * The documents nearest to a vector, best first, ties in order of their ids; with `text`, fused
   * with those that have its words; with `groupBy`, the best of each value of a field.
   */
  async search<const I extends Include<Doc> = undefined>(
    vector: Vector,
    options: Search<Fields> & Grouping<Fields> & { readonly include?: I },
  ): Promise<HitGroup<Included<Doc, IdName, I>>[]>;
  async search<const I extends Include<Doc> = undefined>(
    vector: Vector,
    options?: Search<Fields> & { readonly include?: I },
  ): Promise<Hit<Included<Doc, IdName, I>>[]>;
  async search(
    vector: Vector,
    options: Search<Fields> & Partial<Grouping<Fields>> = {},
  ): Promise<unknown> {
    if (vector === undefined || vector === null) {
      throw new VectordocError("invalid", "the query vector is missing; searchText needs none");
    }
    return this.#search(options, (engine, known) => engine.search(packed(vector), known));
  }

  /** The documents that have one of these words, best first (BM25), ties in order of their ids. */
  async searchText<const I extends Include<Doc> = undefined>(
    words: string,
    options: TextSearch<Fields> & Grouping<Fields> & { readonly include?: I },
  ): Promise<HitGroup<Included<Doc, IdName, I>>[]>;
  async searchText<const I extends Include<Doc> = undefined>(
    words: string,
    options?: TextSearch<Fields> & { readonly include?: I },
  ): Promise<Hit<Included<Doc, IdName, I>>[]>;
  async searchText(
    words: string,
    options: TextSearch<Fields> & Partial<Grouping<Fields>> = {},
  ): Promise<unknown> {
    const question = { ...options, text: words };
    return this.#search(question, (engine, known) => engine.search(undefined, known));
  }

  /**
   * The documents like those with these ids, which are no hits themselves; and unlike others.
   * Otherwise as `search`.
   */
  async searchLike<const I extends Include<Doc> = undefined>(
    ids: OneOrMany<Doc[IdName]>,
    options: Search<Fields> &
      Grouping<Fields> &
      Examples<Doc[IdName]> & { readonly include?: I },
  ): Promise<HitGroup<Included<Doc, IdName, I>>[]>;
  async searchLike<const I extends Include<Doc> = undefined>(
    ids: OneOrMany<Doc[IdName]>,
    options?: Search<Fields> & Examples<Doc[IdName]> & { readonly include?: I },
  ): Promise<Hit<Included<Doc, IdName, I>>[]>;
  async searchLike(
    ids: OneOrMany<Doc[IdName]>,
    options: Search<Fields> & Partial<Grouping<Fields>> = {},
  ): Promise<unknown> {
    const ask = (engine: Engine, known: object) => engine.searchLike(listOf(ids), known);
    return this.#search(options, ask, ["unlike"]);
  }

  /** The documents that pass, one after the other, in order of their ids or of a field. */
  async *scroll<const I extends Include<Doc> = undefined>(
    options: Selection<Fields> & Ordering<Fields> & { readonly include?: I } = {},
  ): AsyncGenerator<Included<Doc, IdName, I>, void, undefined> {
    refuseUnknown(options, ["filter", "include", "orderBy", "descending"]);
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

  /** What a search answers: hits, or groups of them. */
  #search(
    options: Partial<Grouping<Fields>>,
    ask: (engine: Engine, options: object) => unknown[],
    more: readonly string[] = [],
  ): unknown {
    refuseUnknown(options, [...SEARCH_OPTIONS, ...more]);
    const answer = this.#read((engine) => ask(engine, { ...options }));
    return options.groupBy === undefined ? hitsOf(answer) : groupsOf(answer);
  }

  #read<T>(read: (engine: Engine) => T): T {
    this.#check();
    return guard(() => read(this.#engine));
  }

  async #writeDocuments(
    oneOrMany: OneOrMany<Doc>,
    fill: (batch: Batch, slice: Doc[]) => void,
    options: Progressive & Conditional,
  ): Promise<Outcome> {
    refuseUnknown(options, ["onProgress", "ifVersion"]);
    const { onProgress, ...condition } = options;
    const docs = listOf(oneOrMany);
    return this.#write(async (batch) => {
      const turn = new Turn();
      for (let done = 0; done < docs.length;) {
        const slice = docs.slice(done, done + SLICE_DOCUMENTS).map((doc) => this.#packed(doc));
        guard(() => fill(batch, slice));
        done += slice.length;
        onProgress?.({ done, total: docs.length });
        await turn.rest();
      }
      guard(() => batch.expect(condition));
    });
  }

  /** Makes what `fill` puts in a batch happen, after all writes asked for before. */
  async #write(fill: (batch: Batch) => void | Promise<void>): Promise<Outcome> {
    this.#check();
    const write = this.#writes.then(() => this.#commit(fill));
    this.#writes = write.catch(() => undefined);
    return write;
  }

  async #commit(fill: (batch: Batch) => void | Promise<void>): Promise<Outcome> {
    const batch = this.#engine.batch();
    try {
      await guard(() => fill(batch));
    } catch (error) {
      batch.free();
      throw error;
    }
    const prepared = guard(() => this.#engine.prepare(batch));
    const { indexed, deleted, missing, version } = prepared;
    guard(() => this.#engine.apply(prepared));
    this.#building ??= this.#build();
    return { indexed, deleted, missing, version };
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
