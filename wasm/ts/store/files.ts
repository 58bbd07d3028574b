import { mkdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { type ErrorCode, VectordocError } from "../error.js";
import type { Entry, Store } from "../store.js";
import { coded } from "./coded.js";
import type { Batch, Place, Places } from "./frame.js";
import { lock } from "./lock.js";
import { Log, syncDirectory } from "./log.js";

const LOG = "entries.log";
/** Where a log is written that is to replace the other. */
const NEW_LOG = "entries.log.new";
/** Bytes up to which a log is left as it is, however much of it is dead. */
const SMALL_LOG_BYTES = 1024 * 1024;
/** Bytes of values that are read, or written when the log is compacted, at once. */
const PIECE_BYTES = 4 * 1024 * 1024;

/**
 * A store in files of a directory, which is made if it is not there: for Node, Deno and Bun. It is
 * opened by what is done first, and `busy` while another process has it. After a full disk writes
 * succeed again once there is space; after any other failed write it is read only.
 */
export function files(path: string): Store {
  return new Files(path);
}

class Files implements Store {
  readonly #path: string;
  #opened: Promise<Index> | undefined;
  #isClosed = false;
  /** What is done one after the other. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(path: string) {
    this.#path = path;
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    return named(async () => (await this.#index()).get(key));
  }

  async *list(prefix: string): AsyncGenerator<Entry> {
    const index = await named(() => this.#index());
    for (const keys of index.pieces(prefix)) {
      const read = async (key: string) => [key, await index.get(key)] as const;
      for (const [key, value] of await named(() => Promise.all(keys.map(read)))) {
        if (value) {
          yield [key, value];
        }
      }
    }
  }

  async put(entries: ReadonlyMap<string, Uint8Array>): Promise<void> {
    await this.#write(() => entries);
  }

  async delete(keys: readonly string[]): Promise<void> {
    const removed = (index: Index) => keys.filter((key) => index.has(key));
    await this.#write((index) => new Map(removed(index).map((key) => [key, undefined])));
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    this.#isClosed = true;
    await this.#inTurn(async () => (await opened?.catch(() => undefined))?.close());
  }

  async #write(
    batchOf: (index: Index) => ReadonlyMap<string, Uint8Array | undefined>,
  ): Promise<void> {
    // Asked for before its turn, so that a close in the meantime comes after it.
    const opening = named(() => this.#index());
    const append = this.#inTurn(async () => {
      const index = await opening;
      const batch = batchOf(index);
      await (batch.size > 0 && index.append(batch));
    });
    const [index] = await Promise.all([opening, append]);
    if (index.isMostlyDead && !this.#isClosed) {
      // Nobody waits for it but the next write.
      this.#inTurn(() => index.compact()).catch(() => undefined);
    }
  }

  async #index(): Promise<Index> {
    if (this.#isClosed) {
      throw new VectordocError("closed", `the store ${this.#path} was closed`);
    }
    this.#opened ??= Index.open(this.#path).catch((error: unknown) => {
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#last.then(() => named(work));
    this.#last = done.catch(() => undefined);
    return done;
  }
}

/** A log, and which of what it holds is not replaced or removed. */
class Index {
  readonly #path: string;
  readonly #unlock: () => Promise<void>;
  #log: Log;
  readonly #places = new Map<string, Place>();
  #liveBytes = 0;
  /** Bytes from which on the log is compacted, if most of it is dead. */
  #compactFrom = SMALL_LOG_BYTES;
  /** Why there can be no more writes. */
  #failure: unknown;

  private constructor(path: string, log: Log, places: readonly Places[], unlock: () => Promise<void>) {
    this.#path = path;
    this.#log = log;
    this.#unlock = unlock;
    places.forEach((some) => this.#take(some));
  }

  static async open(path: string): Promise<Index> {
    await mkdir(path, { recursive: true });
    const unlock = await lock(path);
    try {
      await rm(join(path, NEW_LOG), { force: true });
      const places: Places[] = [];
      const log = (await exists(join(path, LOG)))
        ? await Log.open(join(path, LOG), (some) => places.push(some))
        : await createLog(path);
      return new Index(path, log, places, unlock);
    } catch (error) {
      await unlock();
      throw error;
    }
  }

  has(key: string): boolean {
    return this.#places.has(key);
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const place = this.#places.get(key);
    return place && this.#log.read(key, place);
  }

  /** The keys that begin with a prefix, in order; those together whose values fit in a piece. */
  *pieces(prefix: string): Generator<string[]> {
    const keys = [...this.#places.keys()].filter((key) => key.startsWith(prefix)).sort();
    let [piece, bytes]: [string[], number] = [[], 0];
    for (const key of keys) {
      const { length } = this.#places.get(key) ?? { length: 0 };
      if (piece.length > 0 && bytes + length > PIECE_BYTES) {
        yield piece;
        [piece, bytes] = [[], 0];
      }
      piece.push(key);
      bytes += length;
    }
    if (piece.length > 0) {
      yield piece;
    }
  }

  async append(batch: Batch): Promise<void> {
    if (this.#failure !== undefined) {
      const message = `${this.#path} takes no more writes since one failed; open it again: `;
      throw new VectordocError("unavailable", message + String(this.#failure), {
        cause: this.#failure,
      });
    }
    try {
      this.#take(await this.#log.append(batch));
    } catch (error) {
      await this.#recover(error);
      throw error;
    }
  }

  /** Whether a new log would be less than half as large. */
  get isMostlyDead(): boolean {
    return this.#log.end >= this.#compactFrom && this.#liveBytes < this.#log.end / 2;
  }

  /** Replaces the log by one of what is live, if that is still worth it. */
  async compact(): Promise<void> {
    if (!this.isMostlyDead) {
      return;
    }
    this.#compactFrom = this.#log.end * 2;
    const old = this.#log;
    const places = await this.#replaceLog();
    // The old file has no name any more, so what is written from here on must go to the new one.
    places.forEach((some) => this.#take(some));
    this.#compactFrom = SMALL_LOG_BYTES;
    await old.close();
    await syncDirectory(this.#path).catch((error: unknown) => (this.#failure = error));
  }

  /** Writes a log of what is live and gives it the name of the other; or changes nothing. */
  async #replaceLog(): Promise<Places[]> {
    const path = join(this.#path, NEW_LOG);
    const log = await Log.create(path);
    try {
      const places: Places[] = [];
      for (const keys of this.pieces("")) {
        const read = async (key: string) => [key, await this.get(key)] as const;
        places.push(await log.append(await Promise.all(keys.map(read))));
      }
      await rename(path, join(this.#path, LOG));
      this.#log = log;
      return places;
    } catch (error) {
      await log.close();
      await rm(path, { force: true });
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#log.close();
    await this.#unlock();
  }

  #take(places: Places): void {
    for (const [key, place] of places) {
      this.#liveBytes += (place?.size ?? 0) - (this.#places.get(key)?.size ?? 0);
      if (place) {
        this.#places.set(key, place);
      } else {
        this.#places.delete(key);
      }
    }
  }

  /** Makes good what a failed write left behind; what the disk then holds is known only if it was full. */
  async #recover(error: unknown): Promise<void> {
    if (error instanceof VectordocError) {
      return;
    }
    try {
      await this.#log.cut();
      this.#failure = codeOf(error) === "full" ? undefined : error;
    } catch {
      this.#failure = error;
    }
  }
}

/** A new log, under its name only once it is whole. */
async function createLog(path: string): Promise<Log> {
  const log = await Log.create(join(path, NEW_LOG));
  await rename(join(path, NEW_LOG), join(path, LOG));
  await syncDirectory(path);
  return log;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT") {
        return false;
      }
      throw error;
    },
  );
}

/** Does something with files, and gives what goes wrong a code of ours. */
function named<T>(work: () => Promise<T>): Promise<T> {
  return coded(work, codeOf);
}

function codeOf(cause: unknown): ErrorCode {
  switch ((cause as NodeJS.ErrnoException).code) {
    case "ENOSPC":
    case "EDQUOT":
      return "full";
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return "denied";
    default:
      return "unavailable";
  }
}
