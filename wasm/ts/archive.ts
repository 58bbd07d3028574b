import { VectordocError, guard } from "./error.js";
import type * as Raw from "./raw/engine.js";
import { META, clear } from "./rest.js";
import { claimOf } from "./shard.js";
import type { Archive } from "./session.js";
import type { Store } from "./store.js";

/** Bytes of an archive that are read at a time, and of entries that one `put` has. */
const PIECE_BYTES = 4 * 1024 * 1024;

/** The entries of a store. */
export type Entries = ReadonlyMap<string, Uint8Array>;

/** The archive of a database: the entries of each of its shards. */
export function archiveOf(raw: typeof Raw, shards: readonly Entries[]): Archive {
  return guard(() => {
    const writer = new raw.ArchiveWriter(Uint32Array.from(shards, ({ size }) => size));
    const parts: Uint8Array<ArrayBuffer>[] = [];
    const add = (bytes: Uint8Array) => parts.push(bytes as Uint8Array<ArrayBuffer>);
    for (const entries of shards) {
      const inOrder = [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
      inOrder.forEach(([key, value]) => add(writer.entry(key, value)));
    }
    add(writer.finish());
    return new Blob(parts, { type: "application/octet-stream" });
  });
}

/** One archive of those of all shards, each an archive of its own. */
export async function joined(raw: typeof Raw, archives: readonly Archive[]): Promise<Archive> {
  const shards = archives.map(async (archive) => {
    const entries = new Map<string, Uint8Array>();
    await read(raw, archive, (_, key, value) => entries.set(key, value));
    return entries;
  });
  return archiveOf(raw, await Promise.all(shards));
}

/**
 * Puts what an archive holds into empty stores, one for each shard. A crash on the way, and an archive
 * that is not whole, leave stores that pass for empty.
 */
export async function restoreArchive(
  raw: typeof Raw,
  name: string,
  archive: Archive,
  storeOf: (shard: number) => Promise<Store>,
): Promise<void> {
  const shards: Restoring[] = [];
  try {
    await read(raw, archive, async (shard, key, value) => {
      shards[shard] ??= await Restoring.into(name, await storeOf(shard));
      await shards[shard].add(key, value);
    });
    for (const [shard, restoring] of shards.entries()) {
      await restoring.finish(shard, shards.length);
    }
  } finally {
    await Promise.all(shards.map((shard) => shard.close()));
  }
}

/**
 * @internal Puts the database of an archive into an empty store: `conflict` if there is one in it,
 * `unsupported` if the archive is that of several shards.
 */
export async function restoreStore(raw: typeof Raw, store: Store, archive: Archive): Promise<void> {
  await restoreArchive(raw, "in the store", archive, async (shard) => {
    if (shard > 0) {
      const message = "the archive has several shards, a store holds one; restore it in a browser or by `vectordoc restore`";
      throw new VectordocError("unsupported", message);
    }
    return store;
  });
}

/** A store that is being filled. Without its meta, which comes last, it holds nothing. */
class Restoring {
  readonly #store: Store;
  #entries = new Map<string, Uint8Array>();
  #bytes = 0;
  #meta: Uint8Array | undefined;

  private constructor(store: Store) {
    this.#store = store;
  }

  static async into(name: string, store: Store): Promise<Restoring> {
    if ((await store.get(META)) !== undefined) {
      await store.close?.();
      const message = `there is a database ${name} already; remove it first, or restore under another name`;
      throw new VectordocError("conflict", message);
    }
    await clear(store);
    return new Restoring(store);
  }

  async add(key: string, value: Uint8Array): Promise<void> {
    if (key === META) {
      this.#meta = value;
      return;
    }
    this.#entries.set(key, value);
    this.#bytes += value.length;
    if (this.#bytes >= PIECE_BYTES) {
      await this.#flush();
    }
  }

  /** Makes a database of what the store holds. */
  async finish(shard: number, of: number): Promise<void> {
    await this.#flush();
    const meta = this.#meta ?? new Uint8Array();
    await this.#store.put(new Map([...claimOf({ shard, of }), [META, meta]]));
  }

  async close(): Promise<void> {
    await this.#store.close?.();
  }

  async #flush(): Promise<void> {
    await this.#store.put(this.#entries);
    this.#entries = new Map();
    this.#bytes = 0;
  }
}

/** Hands on every entry of an archive, as they come; rejects when it is not whole. */
async function read(
  raw: typeof Raw,
  archive: Archive,
  take: (shard: number, key: string, value: Uint8Array) => unknown,
): Promise<void> {
  const reader = guard(() => new raw.ArchiveReader());
  try {
    for (let at = 0; at < archive.size; at += PIECE_BYTES) {
      const piece = new Uint8Array(await archive.slice(at, at + PIECE_BYTES).arrayBuffer());
      const found: unknown[] = guard(() => reader.push(piece));
      for (let next = 0; next < found.length; next += 3) {
        const [shard, key, value] = found.slice(next, next + 3) as [number, string, Uint8Array];
        await take(shard, key, value);
      }
    }
    guard(() => reader.finish());
  } finally {
    reader.free();
  }
}
