import { VectordocError, guard } from "./error.js";
import type { Engine } from "./raw/engine.js";
import type * as Raw from "./raw/engine.js";
import { type Entry, type Store, valuesOf } from "./store.js";
import { Waking } from "./waking.js";

/** The key of the description of the last checkpoint. */
export const META = "meta";
/** What the keys of records begin with. */
const RECORDS = "record/";
/** What the keys of pages begin with. */
const PAGES = "page/";
/** The key that is there while a checkpoint is made, and after a crash in one. */
const UNFINISHED = "checkpoint";
/** Pages that one read of an opening asks for. */
const NEEDED_PAGES = 64;
/** Bytes of pages that one `put` of a checkpoint has. */
const CHECKPOINT_BYTES_MAX = 8 * 1024 * 1024;

/** An engine and the store it rests in. */
export class Rest {
  readonly #engine: Engine;
  readonly #store: Store;
  /** The keys of the records that are in the store, and how long each is. */
  readonly #records: Map<string, number>;
  #recordBytes: number;
  /** Whether the store may hold records that the engine does not know of. */
  #isInDoubt = false;
  /** Whether the store may hold a checkpoint that the engine does not know of. */
  #isCheckpointInDoubt = false;
  /** While the engine has not all in memory. */
  #waking: Waking | undefined;

  private constructor(
    engine: Engine,
    store: Store,
    records: Map<string, number>,
    waking?: Waking,
  ) {
    this.#engine = engine;
    this.#store = store;
    this.#records = records;
    this.#recordBytes = [...records.values()].reduce((sum, bytes) => sum + bytes, 0);
    this.#waking = waking;
  }

  /**
   * The engine that a store holds: its last checkpoint and the records after it; or an empty one if
   * it holds none. Its schema follows `schema` where that loses nothing. What an interrupted
   * checkpoint left behind is removed. Where nothing has to be applied it answers before all is in
   * memory.
   */
  static async open(
    name: string,
    raw: typeof Raw,
    store: Store,
    schema: string | undefined,
  ): Promise<{ engine: Engine; rest: Rest }> {
    const [meta, unfinished] = await valuesOf(store, [META, UNFINISHED]);
    if (meta === undefined) {
      return Rest.#create(name, raw, store, schema);
    }
    const [opened, records] = await Promise.all([opening(raw, store, meta), entries(store, RECORDS)]);
    let { engine, waking } = opened;
    const isChanging = schema !== undefined && guard(() => engine.changesTo(schema)).length > 0;
    if (records.size > 0 || isChanging) {
      await waking?.finish();
      waking = undefined;
    }
    const lengths = replay(engine, records);
    if (isChanging) {
      engine = guard(() => engine.evolve(schema));
    }
    const rest = new Rest(engine, store, lengths, waking);
    if (isChanging) {
      await rest.checkpoint();
    }
    if (unfinished !== undefined) {
      await rest.#sweep();
    }
    return { engine, rest };
  }

  /** Removes pages that an interrupted checkpoint left behind. */
  async #sweep(): Promise<void> {
    const keys = [...(await entries(this.#store, PAGES)).keys()];
    const obsolete = guard(() => this.#engine.obsolete(keys));
    await this.#store.delete([...obsolete, UNFINISHED]);
  }

  static async #create(
    name: string,
    raw: typeof Raw,
    store: Store,
    schema: string | undefined,
  ): Promise<{ engine: Engine; rest: Rest }> {
    if (schema === undefined) {
      const message = `there is no database "${name}"; give a schema to create it`;
      throw new VectordocError("not_found", message);
    }
    // What a restoring that did not end left behind.
    await clear(store);
    const engine = guard(() => new raw.Engine(schema));
    const rest = new Rest(engine, store, new Map());
    await rest.checkpoint();
    return { engine, rest };
  }

  /** Bytes of records that opening has to apply. */
  get recordBytes(): number {
    return this.#recordBytes;
  }

  /** Resolves when the engine has all in memory: until then it is only read. */
  async wake(): Promise<void> {
    await this.#waking?.finish();
    this.#waking = undefined;
  }

  /** Answers calls that only read, while the engine has not all in memory. */
  get waking(): Waking | undefined {
    return this.#waking;
  }

  /** Brings the engine up to what is stored; after a failure that may be more than it knows. */
  async ready(): Promise<void> {
    if (this.#isInDoubt) {
      const lengths = replay(this.#engine, await entries(this.#store, RECORDS));
      lengths.forEach((bytes, key) => this.#keep(key, bytes));
      this.#isInDoubt = false;
    }
  }

  /**
   * Stores records and what belongs to them, all or nothing. When a store says that it failed, it is
   * asked whether it did.
   */
  async append(
    records: ReadonlyMap<string, Uint8Array>,
    beside: readonly Entry[],
  ): Promise<void> {
    try {
      await this.#store.put(new Map([...records, ...beside]));
    } catch (failure) {
      if (!(await this.#holds(records, failure))) {
        throw failure;
      }
    }
    records.forEach((record, key) => this.#keep(key, record.length));
  }

  /**
   * Stores the pages that changed, then the meta that names them, then removes what that made
   * obsolete: a crash on the way leaves the last checkpoint or this one. Nothing may be applied or
   * maintained meanwhile.
   */
  async checkpoint(): Promise<void> {
    const [engine, store] = [this.#engine, this.#store];
    if (this.#isCheckpointInDoubt) {
      // The next one would replace pages that the store may count on.
      throw new VectordocError("unavailable", "a checkpoint may have failed; open the database again");
    }
    const checkpoint = guard(() => engine.checkpoint());
    let isStored = false;
    try {
      let pages = new Map<string, Uint8Array>([[UNFINISHED, Uint8Array.of(1)]]);
      let bytes = 0;
      for (const [place, key] of checkpoint.keys().entries()) {
        const page = guard(() => engine.page(checkpoint, place));
        pages.set(key, page);
        bytes += page.length;
        if (bytes >= CHECKPOINT_BYTES_MAX) {
          await store.put(pages);
          pages = new Map();
          bytes = 0;
        }
      }
      await this.#putMeta(pages, checkpoint.meta());
      isStored = true;
    } finally {
      if (!isStored) {
        checkpoint.free();
      }
    }
    const obsolete = guard(() => engine.checkpointed(checkpoint));
    obsolete.push(...this.#records.keys(), UNFINISHED);
    this.#records.clear();
    this.#recordBytes = 0;
    await store.delete(obsolete);
  }

  /** Lets go of the store. */
  async close(): Promise<void> {
    await this.#waking?.stop();
    await this.#store.close?.();
  }

  /** Everything of the database that is stored. */
  async entries(): Promise<Map<string, Uint8Array>> {
    const all = [META, PAGES, RECORDS].map((prefix) => entries(this.#store, prefix));
    return new Map((await Promise.all(all)).flatMap((some) => [...some]));
  }

  #keep(key: string, bytes: number): void {
    this.#recordBytes += bytes - (this.#records.get(key) ?? 0);
    this.#records.set(key, bytes);
  }

  /** Stores the last pages of a checkpoint and the meta that makes it the one that counts. */
  async #putMeta(pages: Map<string, Uint8Array>, meta: Uint8Array): Promise<void> {
    try {
      await this.#store.put(pages.set(META, meta));
    } catch (failure) {
      this.#isCheckpointInDoubt = true;
      const stored = await this.#store.get(META);
      this.#isCheckpointInDoubt = false;
      if (stored === undefined || String(stored) !== String(meta)) {
        throw failure;
      }
    }
  }

  /** Whether the store holds records although it failed to say so. */
  async #holds(records: ReadonlyMap<string, Uint8Array>, failure: unknown): Promise<boolean> {
    this.#isInDoubt = true;
    // All of them are there or none is.
    const [key = ""] = records.keys();
    let isHeld: boolean;
    try {
      isHeld = (await this.#store.get(key)) !== undefined;
    } catch (cause) {
      const message = `${String(failure)}; whether the write happened is not known until the store answers again`;
      throw new VectordocError("unavailable", message, { cause });
    }
    this.#isInDoubt = false;
    return isHeld;
  }
}

/** The engine of a checkpoint, and what wakes it if the store can be read while it answers. */
async function opening(
  raw: typeof Raw,
  store: Store,
  meta: Uint8Array,
): Promise<{ engine: Engine; waking?: Waking }> {
  if (store.getMany === undefined) {
    const pages = await entries(store, PAGES);
    return { engine: guard(() => raw.Engine.recover(meta, pages)) };
  }
  const begun = guard(() => new raw.Opening(meta));
  for (const piece of needed(store, begun.keys())) {
    const values = await piece;
    guard(() => begun.bring(values));
  }
  try {
    const engine = guard(() => begun.open());
    return { engine, waking: new Waking(engine, store) };
  } catch (error) {
    if (!(error instanceof VectordocError && error.code === "unavailable")) throw error;
    // What is made anew is made out of everything.
    const pages = await entries(store, PAGES);
    return { engine: guard(() => raw.Engine.recover(meta, pages)) };
  }
}

/** The values of keys, so many at a time that the store answers in time. */
function needed(store: Store, keys: readonly string[]): Promise<(Uint8Array | undefined)[]>[] {
  const pieces: Promise<(Uint8Array | undefined)[]>[] = [];
  for (let at = 0; at < keys.length; at += NEEDED_PAGES) {
    const piece = valuesOf(store, keys.slice(at, at + NEEDED_PAGES));
    // It is waited for later.
    piece.catch(() => undefined);
    pieces.push(piece);
  }
  return pieces;
}

/** Applies the records that the engine does not have yet; says how long each of all is. */
function replay(engine: Engine, records: ReadonlyMap<string, Uint8Array>): Map<string, number> {
  for (const [key, record] of records) {
    if (guard(() => engine.obsolete([key])).length === 0) {
      guard(() => engine.replay(record));
    }
  }
  return new Map([...records].map(([key, record]) => [key, record.length]));
}

/** Removes whatever a store holds of a database that has no meta. */
export async function clear(store: Store): Promise<void> {
  for (const prefix of [PAGES, RECORDS, UNFINISHED]) {
    const keys = [...(await entries(store, prefix)).keys()];
    if (keys.length > 0) {
      await store.delete(keys);
    }
  }
}

/** @internal What a store of an engine would hold, for one that has none. */
export function entriesOf(engine: Engine): Map<string, Uint8Array> {
  const checkpoint = engine.checkpoint();
  const pages = checkpoint.keys().map((key, place) => [key, engine.page(checkpoint, place)] as const);
  const entries = new Map([[META, checkpoint.meta()], ...pages]);
  checkpoint.free();
  return entries;
}

async function entries(store: Store, prefix: string): Promise<Map<string, Uint8Array>> {
  const all = new Map<string, Uint8Array>();
  for await (const [key, value] of await store.list(prefix)) {
    all.set(key, value);
  }
  return all;
}
