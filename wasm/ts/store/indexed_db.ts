import { VectordocError, guard } from "../error.js";
import { IndexedDb } from "../raw/engine.js";
import type { Entry, Store } from "../store.js";
import { coded } from "./coded.js";

/** What the names of databases begin with, so that a site's own are told apart. */
const NAME_PREFIX = "vectordoc/";
/** Greater than every character of a key. */
const KEY_END = "\uffff";
/** Entries that are read by one request. */
const PIECE_ENTRIES = 16;
/** Requests that are made ahead, so that the browser always has something to read. */
const PIECES_AHEAD = 64;

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
    const [value]: Uint8Array[] = await this.#database.values(key, key).catch(rethrow);
    return value;
  }

  async getMany(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    return this.#database.pick([...keys]).catch(rethrow);
  }

  async put(entries: ReadonlyMap<string, Uint8Array>): Promise<void> {
    await this.#database.write(entries as Map<string, Uint8Array>).catch(rethrow);
  }

  async delete(keys: readonly string[]): Promise<void> {
    await this.#database.write(new Map(keys.map((key) => [key, undefined]))).catch(rethrow);
  }

  async *list(prefix: string): AsyncGenerator<Entry> {
    const keys: string[] = await this.#database.keys(prefix, prefix + KEY_END).catch(rethrow);
    const pieces: Promise<Entry[]>[] = [];
    for (let next = 0; next < keys.length || pieces.length > 0;) {
      while (next < keys.length && pieces.length < PIECES_AHEAD) {
        const piece = this.#read(keys.slice(next, next + PIECE_ENTRIES));
        // It is waited for later.
        piece.catch(() => undefined);
        pieces.push(piece);
        next += PIECE_ENTRIES;
      }
      yield* (await pieces.shift()) ?? [];
    }
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  /** The entries of keys that follow each other. */
  async #read(keys: readonly string[]): Promise<Entry[]> {
    const [first = "", last = first] = [keys[0], keys.at(-1)];
    const values: Uint8Array[] = await this.#database.values(first, last).catch(rethrow);
    if (values.length !== keys.length) {
      const message = "the database in IndexedDB was changed while it was read; open it again";
      throw new VectordocError("unavailable", message);
    }
    return keys.map((key, at) => [key, values[at] as Uint8Array] as const);
  }
}

/** Throws what a call rejected with as a `VectordocError`. */
function rethrow(thrown: unknown): never {
  return guard(() => {
    throw thrown;
  });
}
