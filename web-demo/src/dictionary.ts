import { type Database, type Progress, open } from "vectordoc";
import type { Definition } from "./sample";

const HITS = 10;

/** What definitions have to be to be found. */
export interface Choice {
  readonly pos?: string;
  readonly category?: string;
}

/** A definition near to another. */
export interface Neighbour {
  readonly id: number;
  readonly lemma: string;
  readonly gloss: string;
  readonly pos: string;
  readonly category: string;
  readonly score: number;
}

/** The answer to one question, and what it took. */
export interface Answer {
  readonly neighbours: readonly Neighbour[];
  /** Definitions that pass the filter. */
  readonly matching: number;
  readonly milliseconds: number;
}

/** Definitions, in a vector database. */
export class Dictionary {
  readonly #db: Database<Definition>;

  private constructor(db: Database<Definition>) {
    this.#db = db;
  }

  /** Makes a database of definitions. */
  static async of(
    definitions: readonly Definition[],
    onProgress: (progress: Progress) => void,
  ): Promise<Dictionary> {
    const db = await open<Definition>("wordnet", {
      schema: {
        id: "integer",
        embedding: { vector: 384, metric: "cosine" },
        lemma: "string",
        gloss: "string",
        pos: { type: "string", filter: true },
        category: { type: "string", filter: true },
      },
    });
    await db.index(definitions, { onProgress });
    return new Dictionary(db);
  }

  /** Waits for the graph, without which searches compare with every vector. */
  async indexed(onProgress: (progress: Progress) => void): Promise<void> {
    await this.#db.waitIndexed({ onProgress });
  }

  /** The definitions nearest in meaning to one, itself left out. */
  async nearest(to: Definition, filter: Choice): Promise<Answer> {
    const started = performance.now();
    const hits = await this.#db.search(to.embedding, { limit: HITS + 1, filter });
    const milliseconds = performance.now() - started;
    const neighbours = hits.map(({ doc, score }) => ({ ...doc, score }));
    return {
      neighbours: neighbours.filter(({ id }) => id !== to.id).slice(0, HITS),
      matching: await this.#db.count({ filter }),
      milliseconds,
    };
  }
}
