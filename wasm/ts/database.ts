import { type OneOrMany, isMany, isSelection, listOf, packed } from "./arguments.js";
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
import { VectordocError } from "./error.js";
import type { Explained, Stats } from "./explained.js";
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
import type { Schema, Vector } from "./schema.js";
import type { Archive, Outcome, Session } from "./session.js";

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

/** The options of a search that is explained. */
const EXPLAIN_OPTIONS = [
  ...SEARCH_OPTIONS.filter((option) => option !== "groupBy" && option !== "groupSize"),
  "path",
];

/** What a deletion did. */
export interface Deleted {
  readonly deleted: number;
  /** Ids that were not there. */
  readonly missing: readonly Id[];
}

/**
 * A database of documents, in memory or where its store keeps it. Every method rejects with a
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
  readonly #session: Session;

  /** @internal */
  constructor(name: string, session: Session) {
    this.name = name;
    this.#session = session;
  }

  /** The schema as it is stored. */
  get schema(): Schema {
    return this.#session.schema;
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
    const { indexed, version } = await this.#writeDocuments("index", docs, options);
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
    const { indexed: updated, version } = await this.#writeDocuments("update", docs, options);
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
    if (isSelection<Fields>(which, "patch")) {
      const { filter } = which;
      refuseCondition(options);
      const { indexed } = await this.#session.write({ verb: "patchWhere", filter, changes });
      return { patched: indexed };
    }
    const { version } = await this.#session.write({ verb: "patch", id: which, changes, ...options });
    return { version };
  }

  /** Deletes documents by id, or those that pass a filter; `{ filter: {} }` deletes all. */
  async delete(id: Doc[IdName], options?: Conditional): Promise<Deleted>;
  async delete(which: readonly Doc[IdName][] | Required<Selection<Fields>>): Promise<Deleted>;
  async delete(
    which: OneOrMany<Doc[IdName]> | Required<Selection<Fields>>,
    options: Conditional = {},
  ): Promise<Deleted> {
    refuseUnknown(options, ["ifVersion"]);
    if (isSelection<Fields>(which, "delete")) {
      refuseCondition(options);
      const { filter } = which;
      const { deleted } = await this.#session.write({ verb: "deleteWhere", filter });
      return { deleted, missing: [] };
    }
    const ids = listOf(which);
    const { deleted, missing } = await this.#session.write({ verb: "delete", ids, ...options });
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
    const { versions: isVersioned = false, ...included } = options;
    const question = { ids: listOf(ids), versions: isVersioned, ...included };
    const { docs, versions } = await this.#session.read("get", question);
    const found = isVersioned
      ? docs.map((doc, at) => doc && { doc, version: versions[at] })
      : docs;
    return isMany(ids) ? found : found[0];
  }

  /** How many documents pass the filter; without one, how many there are. */
  async count(options: Selection<Fields> = {}): Promise<number> {
    refuseUnknown(options, ["filter"]);
    return this.#session.read("count", { ...options });
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
    return [...(await this.#session.read("facet", { field, ...options }))];
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
    refuseUnknown(options, SEARCH_OPTIONS);
    return this.#session.read("search", { vector: packed(vector), options: { ...options } });
  }

  /**
   * As `search`, without groups, and how the hits were found; with `path` also the way through the
   * graph, hop by hop, which only an engine tells and no server.
   */
  async explain<const I extends Include<Doc> = undefined>(
    vector: Vector,
    options: Search<Fields> & { readonly include?: I; readonly path?: boolean } = {},
  ): Promise<Explained<Included<Doc, IdName, I>>> {
    refuseUnknown(options, EXPLAIN_OPTIONS);
    const { path = false, ...search } = options;
    const question = { vector: packed(vector), options: search, path };
    return (await this.#session.read("explain", question)) as Explained<Included<Doc, IdName, I>>;
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
    refuseUnknown(options, SEARCH_OPTIONS);
    return this.#session.read("search", { options: { ...options, text: words } });
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
    refuseUnknown(options, [...SEARCH_OPTIONS, "unlike"]);
    return this.#session.read("searchLike", { ids: listOf(ids), options: { ...options } });
  }

  /** The documents that pass, one after the other, in order of their ids or of a field. */
  async *scroll<const I extends Include<Doc> = undefined>(
    options: Selection<Fields> & Ordering<Fields> & { readonly include?: I } = {},
  ): AsyncGenerator<Included<Doc, IdName, I>, void, undefined> {
    refuseUnknown(options, ["filter", "include", "orderBy", "descending"]);
    let cursor: string | undefined;
    do {
      const page = await this.#session.read("scroll", { cursor, options });
      yield* page.docs as readonly Included<Doc, IdName, I>[];
      cursor = page.cursor;
    } while (cursor !== undefined);
  }

  /** How many documents there are, and the memory they take with their indexes. */
  async stats(): Promise<Stats> {
    return this.#session.read("stats", {});
  }

  /**
   * Waits until no vector waits to be added to an index. Searches answer without it, and no worse;
   * they are faster after it.
   */
  async waitIndexed({ onProgress }: Progressive = {}): Promise<void> {
    await this.#session.settle(onProgress);
  }

  /**
   * The whole database as one file, which `restore` and the command line of the service make a
   * database of again. It has every write that resolved; later writes and searches may wait for it.
   */
  async export(): Promise<Archive> {
    return this.#session.export();
  }

  /** Finishes the writes asked for and lets go of everything. Later calls reject with `closed`. */
  async close(): Promise<void> {
    await this.#session.close();
  }

  async #writeDocuments(
    verb: "index" | "update",
    oneOrMany: OneOrMany<Doc>,
    options: Progressive & Conditional,
  ): Promise<Outcome> {
    refuseUnknown(options, ["onProgress", "ifVersion"]);
    const { onProgress, ...condition } = options;
    return this.#session.write({ verb, docs: listOf(oneOrMany), ...condition }, onProgress);
  }
}

/** Refuses a condition on documents that a filter picks. */
function refuseCondition({ ifVersion }: Conditional): void {
  if (ifVersion !== undefined) {
    throw new VectordocError("invalid", "ifVersion is about one document; give one");
  }
}
