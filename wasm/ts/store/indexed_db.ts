import { guard } from "../error.js";
import { IndexedDb } from "../raw/engine.js";
import type { Entry, Store } from "../store.js";
import { coded } from "./coded.js";

/** What the names of databases begin with, so that a site's own are told apart. */
const NAME_PREFIX = "vectordoc/";
/** Greater than every character of a key. */
const KEY_END = "\uffff";
/** Bytes of values that are read at once, by an estimate from those before. */
const PIECE_BYTES = 1024 * 1024;
/** How many times as many values a piece may have as the one before. */
const PIECE_GROWTH = 16;

/** How a store keeps what it is given. */
export interface Durability {
  /**
   * `"strict"` waits for the disk; the default, `"relaxed"`, for the operating system, so that a
   * power failure can take the last writes with it.
   */
  readonly durability?: "relaxed" | "strict";
}

/** Opens a store in IndexedDB, for browsers; the engine must be loaded. */
export async function indexedDb(
  name: string,
  { durability = "relaxed" }: Durability = {},
): Promise<Store> {
  return new IndexedDbStore(await IndexedDb.open(NAME_PREFIX + name, durability).catch(rethrow));
}

/** Deletes a store; `busy` while another tab does not let go of it. */
export async function removeIndexedDb(name: string): Promise<void> {
  await IndexedDb.remove(NAME_PREFIX + name).catch(rethrow);
}

/** The names of the stores of this site; none where there is no IndexedDB. */
export async function indexedDbNames(): Promise<string[]> {
  const databases = await coded(
    async () => globalThis.indexedDB?.databases() ?? [],
    () => "unavailable",
  );
  const names = databases.map(({ name }) => name ?? "");
  const own = names.filter((name) => name.startsWith(NAME_PREFIX));
  return own.map((name) => name.slice(NAME_PREFIX.length));
}

class IndexedDbStore implements Store {
  readonly #database: IndexedDb;

  constructor(database: IndexedDb) {
    this.#database = database;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const [found] = await this.#read(key, false, key, 1);
    return found?.[1];
  }

  async put(entries: ReadonlyMap<string, Uint8Array>): Promise<void> {
    await this.#database.write(entries as Map<string, Uint8Array>).catch(rethrow);
  }

  async delete(keys: readonly string[]): Promise<void> {
    await this.#database.write(new Map(keys.map((key) => [key, undefined]))).catch(rethrow);
  }

  async *list(prefix: string): AsyncGenerator<Entry> {
    let [first, isAfter] = [prefix, false];
    for (let count = 1; ;) {
      const piece = await this.#read(first, isAfter, prefix + KEY_END, count);
      yield* piece;
      if (piece.length < count) {
        return;
      }
      [first, isAfter] = [piece.at(-1)![0], true];
      const bytes = piece.reduce((sum, [, value]) => sum + value.byteLength, 0);
      const fitting = Math.floor((PIECE_BYTES * piece.length) / Math.max(bytes, 1));
      count = Math.max(1, Math.min(fitting, count * PIECE_GROWTH));
    }
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  #read(first: string, isAfter: boolean, last: string, count: number): Promise<Entry[]> {
    return this.#database.read(first, isAfter, last, count).catch(rethrow);
  }
}

/** Throws what a call rejected with as a `VectordocError`. */
function rethrow(thrown: unknown): never {
  return guard(() => {
    throw thrown;
  });
}
