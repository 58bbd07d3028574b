import { unpacked } from "./answer.js";
import { archiveOf } from "./archive.js";
import { VectordocError, guard, isTrap } from "./error.js";
import type { Id } from "./document.js";
import type { Batch, Engine, Prepared } from "./raw/engine.js";
import type * as Raw from "./raw/engine.js";
import { META, Rest } from "./rest.js";
import type { Schema } from "./schema.js";
import type {
  Answers,
  Archive,
  Change,
  OnProgress,
  Outcome,
  Questions,
  Verb,
} from "./session.js";
import type { Shard } from "./shard.js";
import { slicesOf, vectorFields } from "./slices.js";
import type { Entry, Store } from "./store.js";
import { pause } from "./turn.js";

/** Bytes of records after which one `put` takes no further ones. */
const COMMIT_BYTES_MAX = 16 * 1024 * 1024;
/** Bytes of records that opening may have to apply. */
const REPLAY_BYTES_MAX = 64 * 1024 * 1024;
/** Milliseconds without requests after which the engine is checkpointed. */
const IDLE_MS = 500;

/** An entry to store together with what it tells about. */
export type EntryOf = (outcome: Outcome) => Entry;

/** A write that waits for its turn. */
interface Waiting {
  readonly change: Change;
  readonly onProgress: OnProgress | undefined;
  readonly entryOf: EntryOf | undefined;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: unknown) => void;
}

/** A write whose record is being stored. */
interface Storing extends Waiting {
  readonly prepared: Prepared;
  readonly record: Uint8Array;
  readonly outcome: Outcome;
}

/**
 * An engine in this thread, and all that happens to it: it takes whatever writes wait, stores
 * their records by one `put`, applies them and answers; in between it builds indexes, and it
 * checkpoints when there is much to replay or nothing else to do.
 */
export class Host implements Shard {
  readonly schema: Schema;
  /** Called when the engine can no longer be trusted: from then on everything rejects. */
  onFailure: ((error: unknown) => void) | undefined;
  readonly #name: string;
  readonly #raw: typeof Raw;
  readonly #engine: Engine;
  /** Nowhere, for a database in memory. */
  readonly #rest: Rest | undefined;
  readonly #vectors: readonly string[];
  #waiting: Waiting[] = [];
  #isWorking = false;
  #hasMaintenance = true;
  /** Whether there is something to checkpoint. */
  #isDirty: boolean;
  #idle: ReturnType<typeof setTimeout> | undefined;
  #closing: Promise<void> | undefined;
  /** Why the engine can no longer be trusted. */
  #failure: unknown;
  /** Called when the work at hand is done. */
  #settling: (() => void)[] = [];

  private constructor(name: string, raw: typeof Raw, engine: Engine, rest?: Rest) {
    this.#name = name;
    this.#raw = raw;
    this.#engine = engine;
    this.#rest = rest;
    this.schema = JSON.parse(engine.schema()) as Schema;
    this.#vectors = vectorFields(this.schema);
    this.#isDirty = (rest?.recordBytes ?? 0) > 0;
    this.#wake();
  }

  /** Opens what rests in `store`, or an empty database of a schema, given as JSON text. */
  static async open(
    name: string,
    raw: typeof Raw,
    schema: string | undefined,
    store?: Store,
  ): Promise<Host> {
    if (store === undefined) {
      return new Host(
        name,
        raw,
        guard(() => new raw.Engine(schema ?? "null")),
      );
    }
    try {
      const { engine, rest } = await Rest.open(name, raw, store, schema);
      return new Host(name, raw, engine, rest);
    } catch (error) {
      await store.close?.();
      throw error;
    }
  }

  /** The entry, if one is asked for, is stored by the same `put` as the change. */
  async write(change: Change, onProgress?: OnProgress, entryOf?: EntryOf): Promise<Outcome> {
    this.#check();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ change, onProgress, entryOf, resolve, reject });
      this.#wake();
    });
  }

  async read<V extends Verb>(verb: V, question: Questions[V]): Promise<Answers[V]> {
    return unpacked(verb, question, this.ask(verb, question));
  }

  /** Answers a question in the form that crosses to other threads; `unpacked` makes it an answer. */
  ask<V extends Verb>(verb: V, question: Questions[V]): unknown {
    this.#check();
    return this.#call(() => ANSWERS[verb](this.#engine, question));
  }

  async answer(question: Uint8Array): Promise<Uint8Array> {
    this.#check();
    return this.#call(() => this.#engine.answer(question));
  }

  async settle(onProgress?: OnProgress): Promise<void> {
    this.#check();
    let total = 0;
    for (;;) {
      const waiting = this.#call(() => this.#engine.unindexed);
      total = Math.max(total, waiting);
      onProgress?.({ done: total - waiting, total });
      if (!this.#isWorking) {
        return;
      }
      await Promise.race([new Promise<void>((resolve) => this.#settling.push(resolve)), pause()]);
      this.#checkFailure();
    }
  }

  async export(): Promise<Archive> {
    this.#check();
    while (this.#isWorking) {
      await new Promise<void>((resolve) => this.#settling.push(resolve));
      this.#check();
    }
    try {
      return await this.#alone(async () => {
        const entries = (await this.#rest?.entries()) ?? this.#call(() => entriesOf(this.#engine));
        return this.#call(() => archiveOf(this.#raw, [entries]));
      });
    } finally {
      this.#awaitIdle();
    }
  }

  /** In haste without a checkpoint, which is not needed but makes the next opening faster. */
  close(isHasty = false): Promise<void> {
    this.#closing ??= this.#close(isHasty);
    return this.#closing;
  }

  async #close(isHasty: boolean): Promise<void> {
    clearTimeout(this.#idle);
    while (this.#isWorking) {
      await new Promise<void>((resolve) => this.#settling.push(resolve));
    }
    try {
      if (this.#isDirty && !isHasty && this.#failure === undefined) {
        await this.#rest?.checkpoint();
      }
    } finally {
      await this.#rest?.close();
      if (this.#failure === undefined) {
        this.#engine.free();
      }
    }
  }

  /** Begins to work, unless it is at it. */
  #wake(): void {
    if (!this.#isWorking) {
      clearTimeout(this.#idle);
      this.#isWorking = true;
      void this.#work();
    }
  }

  /** Works until nothing is left to do. */
  async #work(): Promise<void> {
    try {
      await this.#writeWaiting();
      while (this.#hasMaintenance && this.#closing === undefined) {
        await pause();
        this.#hasMaintenance = this.#call(() => this.#engine.maintain());
        this.#isDirty ||= this.#hasMaintenance;
        await this.#writeWaiting();
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#rested();
    this.#awaitIdle();
  }

  /** Nothing is done any more, unless something waits. */
  #rested(): void {
    this.#isWorking = false;
    this.#settling.splice(0).forEach((resolve) => resolve());
    if (this.#waiting.length > 0) {
      this.#wake();
    }
  }

  /** Sees to a checkpoint when nothing is done for a while. */
  #awaitIdle(): void {
    const isNeeded = this.#rest !== undefined && this.#isDirty && this.#closing === undefined;
    if (isNeeded && !this.#isWorking) {
      this.#idle = setTimeout(() => void this.#checkpoint(), IDLE_MS);
    }
  }

  /** Makes the writes that wait happen, as many at a time as one `put` takes. */
  async #writeWaiting(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#commit();
      if ((this.#rest?.recordBytes ?? 0) > REPLAY_BYTES_MAX) {
        await this.#rest?.checkpoint().catch(() => undefined);
      }
    }
  }

  /** Checkpoints when there was nothing to do for a while; when it fails, after the next write. */
  async #checkpoint(): Promise<void> {
    await this.#alone(async () => {
      await this.#rest?.checkpoint();
      this.#isDirty = false;
      // If it fails, what is in the store is as good as before.
    }).catch(() => undefined);
  }

  /** Does something while nothing else is done; writes wait. */
  async #alone<T>(work: () => Promise<T>): Promise<T> {
    clearTimeout(this.#idle);
    this.#isWorking = true;
    try {
      return await work();
    } finally {
      this.#rested();
    }
  }

  /** Prepares writes that wait, stores their records, applies and answers them. */
  async #commit(): Promise<void> {
    try {
      await this.#rest?.ready();
    } catch (error) {
      this.#waiting.splice(0).forEach(({ reject }) => reject(error));
      return;
    }
    const storing = await this.#prepareWaiting();
    if (storing.length === 0) {
      return;
    }
    try {
      const records = storing.map(({ prepared, record }) => [prepared.key, record] as const);
      const beside = storing.flatMap(({ entryOf, outcome }) => (entryOf ? [entryOf(outcome)] : []));
      await this.#rest?.append(new Map(records), beside);
    } catch (error) {
      for (const { prepared, reject } of storing) {
        prepared.free();
        reject(error);
      }
      return;
    }
    for (const { prepared, outcome, resolve, reject } of storing) {
      try {
        this.#call(() => this.#engine.apply(prepared));
        resolve(outcome);
      } catch (error) {
        this.#fail(error);
        reject(error);
      }
    }
    this.#checkFailure();
    this.#isDirty = this.#hasMaintenance = true;
  }

  /** As many of the writes that wait as one `put` takes; those that are wrong are answered. */
  async #prepareWaiting(): Promise<Storing[]> {
    const group = new this.#raw.Group();
    const storing: Storing[] = [];
    let bytes = 0;
    for (;;) {
      const [write] = this.#waiting;
      // Filters are put to what is applied.
      const isAlone = write !== undefined && "filter" in write.change;
      if (write === undefined || bytes >= COMMIT_BYTES_MAX || (isAlone && storing.length > 0)) {
        group.free();
        return storing;
      }
      this.#waiting.shift();
      try {
        const batch = await this.#batchOf(write);
        const prepared = this.#call(() => this.#engine.prepare(group, batch));
        const record = prepared.bytes();
        bytes += record.length;
        storing.push({ ...write, prepared, record, outcome: outcomeOf(prepared) });
      } catch (error) {
        write.reject(error);
      }
    }
  }

  async #batchOf({ change, onProgress }: Waiting): Promise<Batch> {
    const batch = this.#engine.batch();
    try {
      await this.#call(() => this.#fill(batch, change, onProgress));
      if ("ifVersion" in change) {
        this.#call(() => batch.expect({ ifVersion: change.ifVersion }));
      }
      return batch;
    } catch (error) {
      batch.free();
      throw error;
    }
  }

  async #fill(batch: Batch, change: Change, onProgress?: OnProgress): Promise<void> {
    switch (change.verb) {
      case "index":
      case "update":
        for await (const slice of slicesOf(change.docs, this.#vectors, onProgress)) {
          this.#call(() => batch[change.verb](slice));
        }
        return;
      case "patch":
        return this.#call(() => batch.patch(change.id, change.changes));
      case "patchWhere":
        return this.#call(() => batch.patchWhere({ filter: change.filter }, change.changes));
      case "delete":
        return this.#call(() => batch.delete([...change.ids]));
      case "deleteWhere":
        return this.#call(() => batch.deleteWhere({ filter: change.filter }));
    }
  }

  /** Makes a call into the engine; one that traps leaves it in a state nobody knows. */
  #call<T>(call: () => T): T {
    try {
      return guard(call);
    } catch (error) {
      if (isTrap(error)) {
        this.#fail(error);
      }
      throw error;
    }
  }

  #fail(error: unknown): void {
    if (this.#failure === undefined) {
      this.#failure = error;
      this.#waiting.splice(0).forEach(({ reject }) => reject(error));
      this.onFailure?.(error);
    }
  }

  #check(): void {
    if (this.#closing !== undefined) {
      throw new VectordocError("closed", `database "${this.#name}" was closed; open it again`);
    }
    this.#checkFailure();
  }

  #checkFailure(): void {
    if (this.#failure !== undefined) {
      throw this.#failure;
    }
  }
}

function outcomeOf({ indexed, deleted, missing, version }: Prepared): Outcome {
  return { indexed, deleted, missing: missing as Id[], version };
}

/** What a store of this engine would hold, for one that has none. */
function entriesOf(engine: Engine): Map<string, Uint8Array> {
  const checkpoint = engine.checkpoint();
  const pages = checkpoint.keys().map((key, place) => [key, engine.page(checkpoint, place)] as const);
  const entries = new Map([[META, checkpoint.meta()], ...pages]);
  checkpoint.free();
  return entries;
}

/** How each question is answered. */
const ANSWERS: {
  readonly [V in Verb]: (engine: Engine, question: Questions[V]) => unknown;
} = {
  search: (engine, { vector, options }) => engine.search(vector, options),
  searchLike: (engine, { ids, options }) => engine.searchLike([...ids], options),
  explain: (engine, { vector, options, path }) => engine.explain(vector, options, path),
  stats: (engine) => ({
    documents: engine.count(undefined),
    unindexed: engine.unindexed,
    memoryBytes: engine.memoryBytes,
  }),
  get: (engine, { ids, include, versions }) => ({
    docs: engine.get([...ids], { include }),
    versions: versions ? engine.versions([...ids]) : [],
  }),
  count: (engine, { filter }) => engine.count({ filter }),
  facet: (engine, { field, filter, limit }) => engine.facet(field, { filter, limit }),
  scroll: (engine, { cursor, options }) => engine.scroll(cursor, options),
};
