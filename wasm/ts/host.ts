import { ANSWERS, unpacked } from "./answer.js";
import { archiveOf } from "./archive.js";
import { VectordocError, guard, isTrap } from "./error.js";
import type { Id } from "./document.js";
import type { Batch, Engine, Prepared } from "./raw/engine.js";
import type * as Raw from "./raw/engine.js";
import { Rest, entriesOf } from "./rest.js";
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
import type { Waking } from "./waking.js";

/** Bytes of records after which one `put` takes no further ones. */
const COMMIT_BYTES_MAX = 16 * 1024 * 1024;
/** Bytes of records that opening may have to apply. */
const REPLAY_BYTES_MAX = 64 * 1024 * 1024;
/** Milliseconds without requests after which the engine is checkpointed. */
const IDLE_MS = 500;
/**
 * Milliseconds until what the engine left at rest is read, if no write asks for it: what is asked
 * first has the store for itself.
 */
const WAKING_AFTER_MS = 100;

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
    if (rest?.waking === undefined) {
      this.#wake();
    } else {
      this.#idle = setTimeout(() => this.#wake(), WAKING_AFTER_MS);
    }
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
    return unpacked(verb, question, await this.ask(verb, question));
  }

  /**
   * Answers a question in the form that crosses to other threads, as soon as all is there that it
   * takes; `unpacked` makes it an answer.
   */
  ask<V extends Verb>(verb: V, question: Questions[V]): unknown {
    return this.#look(() => ANSWERS[verb](this.#engine, question));
  }

  async answer(question: Uint8Array): Promise<Uint8Array> {
    return this.#look(() => this.#engine.answer(question));
  }

  /** What a schema would change; a `conflict` when it does not follow. */
  changesTo(schema: string): string[] {
    return this.#call(() => this.#engine.changesTo(schema));
  }

  async settle(onProgress?: OnProgress): Promise<void> {
    this.#check();
    this.#wakeIfAsleep();
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
    this.#wakeIfAsleep();
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
    if (this.#waiting.length === 0) {
      await this.#rest?.waking?.stop();
    }
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

  /** Reads the engine, which may have to fetch what it reads. */
  #look<T>(read: () => T): T | Promise<T> {
    this.#check();
    const call = () => this.#call(read);
    return this.#rest?.waking === undefined ? call() : this.#fetch(this.#rest.waking, call);
  }

  async #fetch<T>(waking: Waking, call: () => T): Promise<T> {
    try {
      return await waking.answer(() => {
        this.#check();
        return call();
      });
    } catch (error) {
      this.#checkDamage(error);
      throw error;
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

  #wakeIfAsleep(): void {
    if (this.#rest?.waking !== undefined) {
      this.#wake();
    }
  }

  /** Works until nothing is left to do. */
  async #work(): Promise<void> {
    try {
      if (await this.#wakeEngine()) {
        await this.#workAwake();
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#rested();
    this.#awaitIdle();
  }

  /** Whether the engine has all in memory now; if not, writes are told why. */
  async #wakeEngine(): Promise<boolean> {
    try {
      await this.#rest?.wake();
      return this.#rest?.waking === undefined;
    } catch (error) {
      this.#checkDamage(error);
      this.#waiting.splice(0).forEach(({ reject }) => reject(error));
      return false;
    }
  }

  /** Fails when what is stored is damaged, or the engine trapped. */
  #checkDamage(error: unknown): void {
    if (isTrap(error) || (error instanceof VectordocError && error.code === "corrupt")) {
      this.#fail(error);
    }
  }

  async #workAwake(): Promise<void> {
    await this.#writeWaiting();
    while (this.#hasMaintenance && this.#closing === undefined) {
      await pause();
      this.#hasMaintenance = this.#call(() => this.#engine.maintain());
      this.#isDirty ||= this.#hasMaintenance;
      await this.#writeWaiting();
    }
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
