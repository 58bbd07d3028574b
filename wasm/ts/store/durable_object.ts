import { VectordocError } from "../error.js";
import type { Entry, Store } from "../store.js";
import { coded } from "./coded.js";

/** Keys of one call; more are refused. */
const KEYS_MAX = 128;
/** Bytes of one value: what the older storage takes, 128 KiB, with room for what is added to them. */
const PIECE_BYTES = 127 * 1024;
/** Entries that are listed at once. */
const PAGE_ENTRIES = 64;
/** The keys of the values that were cut, each with the number of its pieces; before all others. */
const CUT = "\0cut/";
/** The pieces of values that were cut. */
const PIECE = "\0piece/";
/** Not before any key that was given. */
const FIRST_KEY = "\u0001";

/** The storage of a Durable Object, as far as it is used here. */
export interface DurableObjectStorage extends DurableObjectTransaction {
  transaction<T>(work: (transaction: DurableObjectTransaction) => Promise<T>): Promise<T>;
  /** Waits until everything written is durable. */
  sync(): Promise<void>;
}

/** What can be done in a transaction as well. */
export interface DurableObjectTransaction {
  get(key: string): Promise<unknown>;
  get(keys: string[]): Promise<Map<string, unknown>>;
  put(entries: Record<string, unknown>, options?: { noCache?: boolean }): Promise<void>;
  delete(keys: string[]): Promise<number>;
  list(options: Listing): Promise<Map<string, unknown>>;
}

/** What to list, and how much. */
export interface Listing {
  prefix?: string;
  start?: string;
  startAfter?: string;
  limit?: number;
  noCache?: boolean;
}

/**
 * A store in the storage of a Durable Object of Cloudflare, of either kind. Values that are larger
 * than it takes are cut in pieces. It is to be the only one who writes to the storage.
 */
export function durableObject(storage: DurableObjectStorage): Store {
  return new DurableObject(storage);
}

class DurableObject implements Store {
  readonly #storage: DurableObjectStorage;
  /** The number of pieces of each value that is cut, once asked for. */
  #cut: Promise<Map<string, number>> | undefined;
  /** What is written one after the other, as it changes `#cut`. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(storage: DurableObjectStorage) {
    this.#storage = storage;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return named(async () => {
      const value = await this.#storage.get(key);
      return value === undefined ? undefined : this.#whole(key, value);
    });
  }

  async *list(prefix: string): AsyncGenerator<Entry> {
    let from: Listing = { start: FIRST_KEY > prefix ? FIRST_KEY : prefix };
    for (let page: Map<string, unknown> | undefined; (page?.size ?? PAGE_ENTRIES) === PAGE_ENTRIES;) {
      const listing = { ...from, prefix, limit: PAGE_ENTRIES, noCache: true };
      page = await named(() => this.#storage.list(listing));
      for (const [key, value] of page) {
        yield [key, await named(() => this.#whole(key, value))];
        from = { startAfter: key };
      }
    }
  }

  async put(entries: ReadonlyMap<string, Uint8Array>): Promise<void> {
    const stored: [string, unknown][] = [];
    const cut = new Map<string, number>();
    for (const [key, value] of entries) {
      const pieces = Math.ceil(value.length / PIECE_BYTES);
      if (pieces <= 1) {
        stored.push([key, value.slice()]);
        continue;
      }
      cut.set(key, pieces);
      stored.push([key, pieces], [CUT + key, pieces]);
      for (const [index, name] of pieceKeys(key, pieces).entries()) {
        stored.push([name, value.slice(index * PIECE_BYTES, (index + 1) * PIECE_BYTES)]);
      }
    }
    await this.#write([...entries.keys()], stored, cut);
  }

  async delete(keys: readonly string[]): Promise<void> {
    await this.#write(keys, [], new Map());
  }

  /**
   * Replaces all that is stored of some keys. Calls without a pause between would be one write as
   * well, but if one of them is refused the others stay; a transaction takes them back.
   */
  async #write(
    keys: readonly string[],
    stored: readonly [string, unknown][],
    cut: ReadonlyMap<string, number>,
  ): Promise<void> {
    const written = this.#last.then(() =>
      named(async () => {
        this.#cut ??= this.#readCut();
        const before = await this.#cut;
        const kept = new Set(stored.map(([key]) => key));
        const stale = keys.flatMap((key) => keysOf(key, before.get(key) ?? 0));
        const gone = stale.filter((key) => !kept.has(key));
        await this.#storage.transaction(async (transaction) => {
          const puts = partsOf(stored).map((part) =>
            transaction.put(Object.fromEntries(part), { noCache: true }),
          );
          await Promise.all([...puts, ...partsOf(gone).map((part) => transaction.delete(part))]);
        });
        await this.#storage.sync();
        keys.forEach((key) => before.delete(key));
        cut.forEach((pieces, key) => before.set(key, pieces));
      }),
    );
    this.#last = written.catch(() => (this.#cut = undefined));
    await written;
  }

  async #readCut(): Promise<Map<string, number>> {
    const cut = new Map<string, number>();
    let page: Map<string, unknown> | undefined;
    let from: Listing = {};
    do {
      page = await this.#storage.list({ ...from, prefix: CUT, limit: KEYS_MAX, noCache: true });
      for (const [key, pieces] of page) {
        cut.set(key.slice(CUT.length), Number(pieces));
        from = { startAfter: key };
      }
    } while (page.size === KEYS_MAX);
    return cut;
  }

  /** The value of which `stored` is there under its key: the bytes, or the number of pieces. */
  async #whole(key: string, stored: unknown): Promise<Uint8Array> {
    if (stored instanceof Uint8Array) {
      return stored;
    }
    const pieces: Uint8Array[] = [];
    for (const names of partsOf(pieceKeys(key, Number(stored)))) {
      const found = await this.#storage.get(names);
      pieces.push(...names.map((name) => found.get(name)).filter((piece) => piece instanceof Uint8Array));
    }
    if (pieces.length !== stored) {
      const message = `${JSON.stringify(key)} has ${pieces.length} pieces of ${String(stored)}`;
      throw new VectordocError("corrupt", `${message}; restore the database from a copy`);
    }
    return concatenated(pieces);
  }
}

/** Every key under which something of a value may be. */
function keysOf(key: string, pieces: number): string[] {
  return pieces === 0 ? [key] : [key, CUT + key, ...pieceKeys(key, pieces)];
}

function pieceKeys(key: string, pieces: number): string[] {
  return Array.from({ length: pieces }, (_, index) => `${PIECE}${key}/${index}`);
}

function partsOf<T>(all: readonly T[]): T[][] {
  const parts = Array.from({ length: Math.ceil(all.length / KEYS_MAX) }, (_, part) => part * KEYS_MAX);
  return parts.map((from) => all.slice(from, from + KEYS_MAX));
}

function concatenated(pieces: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  pieces.reduce((at, piece) => (whole.set(piece, at), at + piece.length), 0);
  return whole;
}

/** Does something with the storage, and gives what goes wrong a code of ours. */
function named<T>(work: () => Promise<T>): Promise<T> {
  return coded(work, (cause) => (/\bfull\b/i.test(String(cause)) ? "full" : "unavailable"));
}
