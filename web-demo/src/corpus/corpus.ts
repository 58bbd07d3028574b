import { type Database, type Explained, type Hop, type Progress, type Stats, open } from "vectordoc";
import type { Entry, Told } from "./entry";

/** Hits of an answer. */
export const HITS = 10;
/** Entries that are written at once: they are all or none, and the page hears of it. */
const WRITE_ENTRIES = 250;

/** What entries have to be to be found. */
export interface Choice {
  readonly part?: string;
  readonly category?: string;
}

/** What is asked for: what is near to an entry, to a vector, or what has words. */
export type Question =
  | { readonly kind: "entry"; readonly id: number }
  | { readonly kind: "meaning"; readonly text: string; readonly vector: Float32Array }
  | { readonly kind: "words"; readonly text: string };

/** An entry that was found. */
export interface Found extends Told {
  readonly score: number;
}

/** The answer to a question, and what it took. */
export interface Answer {
  readonly question: Question;
  /** What is near to it was asked for, if that is an entry. */
  readonly asked: Told | undefined;
  readonly found: readonly Found[];
  /** Entries that pass the filter. */
  readonly allowed: number;
  readonly milliseconds: number;
  readonly how: How | undefined;
}

/** How an answer by vector came about. */
export interface How {
  readonly plan: string;
  readonly visited: number;
  readonly ef: number;
  /** Of what comparing with everything finds, how much was found. */
  readonly recall: number;
  readonly path: readonly Hop[];
}

type Options = { readonly filter: Choice; readonly ef: number | undefined };

/** Entries in a vector database of this browser. */
export class Corpus {
  readonly name: string;
  /** Numbers in each vector. */
  readonly dim: number;
  /** Whether the entries are found again after a reload. */
  readonly isKept: boolean;
  readonly #db: Database<Entry>;

  private constructor(name: string, dim: number, db: Database<Entry>, isKept: boolean) {
    this.name = name;
    this.dim = dim;
    this.#db = db;
    this.isKept = isKept;
  }

  /** Opens a corpus, in memory where the browser keeps nothing. */
  static async open(name: string, dim: number, precision: "f32" | "i8" = "f32"): Promise<Corpus> {
    const schema = schemaOf(dim, precision);
    try {
      return new Corpus(name, dim, await open<Entry>(name, { schema }), true);
    } catch (error) {
      if (!["unsupported", "full"].includes((error as { code?: string }).code ?? "")) throw error;
      return new Corpus(name, dim, await open<Entry>(name, { schema, store: "memory" }), false);
    }
  }

  /** Opens one that is there. */
  static async reopen(name: string): Promise<Corpus> {
    const db = await open<Entry>(name);
    const field = db.schema["embedding"] as { readonly vector: number };
    return new Corpus(name, field.vector, db, true);
  }

  /** The database itself, for what goes beyond searching. */
  get db(): Database<Entry> {
    return this.#db;
  }

  count(): Promise<number> {
    return this.#db.count();
  }

  stats(): Promise<Stats> {
    return this.#db.stats();
  }

  /** Writes entries as they come, until none come. */
  async fill(
    take: (count: number) => Promise<readonly Entry[]>,
    total: number,
    onProgress: (progress: Progress) => void,
  ): Promise<void> {
    let done = 0;
    for (let next = take(WRITE_ENTRIES); ; ) {
      const entries = await next;
      if (entries.length === 0) return;
      next = take(WRITE_ENTRIES);
      await this.#db.index(entries);
      done += entries.length;
      onProgress({ done, total });
    }
  }

  /** Waits for the graph; searches answer without it, and compare with every vector then. */
  indexed(onProgress: (progress: Progress) => void): Promise<void> {
    return this.#db.waitIndexed({ onProgress });
  }

  /** Answers a question. */
  async ask(question: Question, filter: Choice, ef: number | undefined): Promise<Answer> {
    if (question.kind === "words") return this.#askWords(question, filter);
    if (question.kind === "meaning") {
      return this.#askVector(question, question.vector, undefined, { filter, ef });
    }
    const entry = await this.#db.get(question.id, { include: "*" });
    if (entry === undefined) throw new Error(`entry ${question.id} is not indexed, not yet or not any more`);
    const { embedding, ...asked } = entry as Entry;
    return this.#askVector(question, embedding, asked, { filter, ef });
  }

  async close(): Promise<void> {
    await this.#db.close();
  }

  async #askWords(question: Question & { readonly text: string }, filter: Choice): Promise<Answer> {
    const started = performance.now();
    const hits = await this.#db.searchText(question.text, { limit: HITS, filter });
    const milliseconds = performance.now() - started;
    const found = hits.map(({ doc, score }) => ({ ...(doc as Told), score }));
    const allowed = await this.#db.count({ filter });
    return { question, asked: undefined, found, allowed, milliseconds, how: undefined };
  }

  async #askVector(
    question: Question,
    vector: Float32Array,
    asked: Told | undefined,
    { filter, ef }: Options,
  ): Promise<Answer> {
    // An entry is the nearest to itself, and no news.
    const limit = HITS + (asked === undefined ? 0 : 1);
    const options = { limit, filter, ...(ef !== undefined && { ef }) };
    const started = performance.now();
    const { hits } = await this.#db.explain(vector, options);
    const milliseconds = performance.now() - started;
    const found = hits
      .map(({ doc, score }) => ({ ...(doc as Told), score }))
      .filter(({ id }) => id !== asked?.id)
      .slice(0, HITS);
    const explained = await this.#db.explain(vector, { ...options, path: true, include: [] });
    const how = await this.#howOf(vector, explained, { limit, filter });
    return { question, asked, found, allowed: explained.allowed, milliseconds, how };
  }

  async #howOf(
    vector: Float32Array,
    { hits, plan, visited, ef, path = [] }: Explained<object>,
    options: { readonly limit: number; readonly filter: Choice },
  ): Promise<How> {
    const exact = await this.#db.search(vector, { ...options, exact: true, include: [] });
    const right = new Set(exact.map(({ id }) => id));
    const same = hits.filter(({ id }) => right.has(id)).length;
    return { plan, visited, ef, recall: exact.length === 0 ? 1 : same / exact.length, path };
  }
}

/** The schema of a corpus whose vectors have `dim` numbers. */
export function schemaOf(dim: number, precision: "f32" | "i8") {
  return {
    id: "integer",
    embedding: { vector: dim, metric: "cosine", precision },
    title: "string",
    text: { type: "string", text: true },
    part: { type: "string", filter: true },
    category: { type: "string", filter: true },
  } as const;
}
