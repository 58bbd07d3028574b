import { unpacked } from "./answer.js";
import { joined } from "./archive.js";
import type { Counted, Id } from "./document.js";
import { VectordocError, guard } from "./error.js";
import type { Progress } from "./options.js";
import type * as Raw from "./raw/engine.js";
import type { Schema } from "./schema.js";
import type {
  Answers,
  Archive,
  Change,
  OnProgress,
  Outcome,
  Questions,
  Session,
  Verb,
} from "./session.js";
import type { Shard } from "./shard.js";
import { slicesOf, vectorFields } from "./slices.js";

/** A shard that was opened, and whether it was created by that. */
export interface Opened {
  readonly shard: Shard;
  readonly isNew: boolean;
}

/** Ids as they come back, and the number of the shard of each. */
type Located = readonly [ids: readonly Id[], shards: Uint32Array];

/**
 * A database that several sessions have between them, each with an engine that shares no memory with
 * the others. It answers as one engine with all documents would. A write happens in each shard as a
 * whole or not at all, and nowhere if anything about it is wrong that can be known before.
 */
export class Sharded implements Session {
  readonly schema: Schema;
  readonly #name: string;
  readonly #module: typeof Raw;
  readonly #raw: Raw.Shards;
  readonly #shards: readonly Shard[];
  readonly #vectors: readonly string[];
  /** Done when what was asked for before has been sent to the shards. */
  #sent: Promise<unknown> = Promise.resolve();
  /** What was sent and is not done. */
  readonly #pending = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  private constructor(name: string, raw: typeof Raw, shards: readonly Shard[], schema: Schema) {
    this.#name = name;
    this.#module = raw;
    this.#raw = guard(() => new raw.Shards(JSON.stringify(schema), shards.length));
    this.#shards = shards;
    this.schema = schema;
    this.#vectors = vectorFields(schema);
  }

  /** The database of its shards, in their order, once all are open; if one is not, none stays so. */
  static async open(
    name: string,
    raw: typeof Raw,
    opening: readonly Promise<Opened>[],
  ): Promise<Sharded> {
    const settled = await Promise.allSettled(opening);
    const opened = settled.flatMap((opening) => ("value" in opening ? [opening.value] : []));
    const shards = opened.map(({ shard }) => shard);
    try {
      await Promise.all(opening);
      const schema = schemaOf(name, shards);
      await refuseLoss(name, opened);
      return new Sharded(name, raw, shards, schema);
    } catch (error) {
      await Promise.allSettled(shards.map((shard) => shard.close()));
      throw error;
    }
  }

  async write(change: Change, onProgress?: OnProgress): Promise<Outcome> {
    this.#check();
    // In the order in which they were asked for.
    const sending = this.#sent.then(() => this.#send(change, onProgress));
    this.#sent = sending.catch(() => undefined);
    const { outcome } = await sending;
    return outcome;
  }

  async read<V extends Verb>(verb: V, question: Questions[V]): Promise<Answers[V]> {
    this.#check();
    return this.#answers[verb](question);
  }

  async settle(onProgress?: OnProgress): Promise<void> {
    this.#check();
    const progress = summed(this.#shards.length, onProgress);
    await Promise.all(this.#shards.map((shard, number) => shard.settle(progress[number])));
  }

  async export(): Promise<Archive> {
    this.#check();
    const archives = await Promise.all(this.#shards.map((shard) => shard.export()));
    return joined(this.#module, archives);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#sent;
    await Promise.all(this.#shards.map((shard) => shard.close()));
  }

  /** How each question is answered. */
  readonly #answers: { readonly [V in Verb]: (question: Questions[V]) => Promise<Answers[V]> } = {
    search: async (question) => {
      const { vector, options } = question;
      return unpacked("search", question, await this.#gather(() => this.#raw.search(vector, options)));
    },
    searchLike: async (question) => {
      const begin = () => this.#raw.searchLike([...question.ids], question.options);
      return unpacked("searchLike", question, await this.#gather(begin));
    },
    explain: () => {
      const message = "a database over several workers does not explain searches; open one of 1 worker";
      throw new VectordocError("unsupported", message);
    },
    stats: async (question) => {
      const stats = await Promise.all(this.#shards.map((shard) => shard.read("stats", question)));
      return stats.reduce((sum, shard) => ({
        documents: sum.documents + shard.documents,
        unindexed: sum.unindexed + shard.unindexed,
        memoryBytes: sum.memoryBytes + shard.memoryBytes,
      }));
    },
    get: (question) => this.#get(question),
    count: async (question) => {
      const counts = await Promise.all(this.#shards.map((shard) => shard.read("count", question)));
      return counts.reduce((sum, count) => sum + count, 0);
    },
    facet: async ({ field, filter, limit }) =>
      (await this.#gather(() => this.#raw.facet(field, { filter, limit }))) as Counted[],
    scroll: async ({ cursor, options }) =>
      (await this.#gather(() => this.#raw.scroll(cursor, options))) as Answers["scroll"],
  };

  /** Asks the shards, all at once, until there is nothing left to ask. */
  async #gather(begin: () => Raw.Gathering): Promise<unknown> {
    const gathering = guard(begin);
    try {
      for (;;) {
        const questions = guard(() => gathering.questions());
        if (questions === undefined) {
          return guard(() => this.#raw.answer(gathering));
        }
        const asked = this.#shards.map((shard, number) => {
          const question = questions[number] as Uint8Array | undefined;
          return question && shard.answer(question);
        });
        const answers = await Promise.all(asked);
        guard(() => gathering.take(answers));
      }
    } finally {
      gathering.free();
    }
  }

  async #get({ ids, include, versions }: Questions["get"]): Promise<Answers["get"]> {
    const [, shards] = this.#locate(ids);
    const divided = this.#divided(ids, shards);
    const read = (shard: Shard, number: number) => {
      const ids = divided[number] as unknown[];
      // The first one refuses what is wrong about a question without ids.
      const isAsked = ids.length > 0 || (shards.length === 0 && number === 0);
      return isAsked ? shard.read("get", { ids, include, versions }) : undefined;
    };
    const parts = await Promise.all(this.#shards.map(read));
    const docs = parts.map((part) => part?.docs.values());
    const versionsOfDocs = parts.map((part) => part?.versions.values());
    return {
      docs: Array.from(shards, (number) => docs[number]?.next().value),
      versions: versions
        ? Array.from(shards, (number) => versionsOfDocs[number]?.next().value as number)
        : [],
    };
  }

  /** Checks a change and sends it to the shards it is for. */
  async #send(change: Change, onProgress?: OnProgress): Promise<Sent> {
    switch (change.verb) {
      case "index":
      case "update":
        return this.#sendDocuments(change, onProgress);
      case "delete":
        return this.#sendIds(change);
      case "patch": {
        const [, [shard]] = this.#locate([change.id]);
        return this.#sendTo((number) => (number === shard ? change : undefined));
      }
      case "patchWhere":
        guard(() => this.#raw.checkPatch(change.changes));
        break;
      case "deleteWhere":
    }
    // One shard refuses a wrong filter as all of them would.
    await this.#shards[0]?.read("count", { filter: change.filter });
    return this.#sendTo(() => change);
  }

  async #sendDocuments(change: OfDocuments, onProgress?: OnProgress): Promise<Sent> {
    const [ids, shards, docs]: [Id[], number[], object[]] = [[], [], []];
    for await (const slice of slicesOf(change.docs, this.#vectors)) {
      const located = guard<unknown>(() => this.#raw.locateDocuments(slice, docs.length));
      const [idsOfSlice, shardsOfSlice] = located as Located;
      ids.push(...idsOfSlice);
      shards.push(...shardsOfSlice);
      docs.push(...slice);
    }
    if (isOneConditionOfMany(change, docs)) {
      return this.#sendTo((number) => (number === 0 ? change : undefined));
    }
    if (change.verb === "update" && change.ifVersion === undefined) {
      await this.#refuseMissing(ids);
    }
    const divided = this.#divided(docs, shards);
    const part = (docs: readonly object[] = []) => (docs.length > 0 ? { ...change, docs } : undefined);
    return this.#sendTo((number) => part(divided[number]), onProgress);
  }

  async #sendIds(change: OfIds): Promise<Sent> {
    const [ids, shards] = this.#locate(change.ids);
    if (isOneConditionOfMany(change, ids)) {
      return this.#sendTo((number) => (number === 0 ? change : undefined));
    }
    const divided = this.#divided(ids, shards);
    const part = (ids: readonly Id[] = []) => (ids.length > 0 ? { ...change, ids } : undefined);
    const { outcome } = this.#sendTo((number) => part(divided[number]));
    return { outcome: outcome.then((outcome) => inOrder(outcome, ids)) };
  }

  /** Refuses an update when a document is not there, once all writes before it are done. */
  async #refuseMissing(ids: readonly Id[]): Promise<void> {
    await Promise.allSettled(this.#pending);
    const { docs } = await this.#get({ ids, include: [], versions: false });
    const missing = docs.indexOf(undefined);
    if (missing >= 0) {
      guard(() => this.#raw.refuseUpdate(ids[missing]));
    }
  }

  /** Sends each shard its part of a change; those without one are left out. */
  #sendTo(part: (shard: number) => Change | undefined, onProgress?: OnProgress): Sent {
    const parts = this.#shards.map((shard, number) => ({ shard, change: part(number) }));
    const sent = parts.filter(({ change }) => change !== undefined);
    const progress = summed(sent.length, onProgress);
    const writes = sent.map(({ shard, change }, at) => shard.write(change as Change, progress[at]));
    const outcome = total(writes);
    const pending = outcome.catch(() => undefined).finally(() => this.#pending.delete(pending));
    this.#pending.add(pending);
    return { outcome };
  }

  #locate(ids: readonly unknown[]): Located {
    return guard<unknown>(() => this.#raw.locate([...ids])) as Located;
  }

  /** The items of each shard, in their order. */
  #divided<T>(items: readonly T[], shards: ArrayLike<number>): T[][] {
    const divided: T[][] = this.#shards.map(() => []);
    items.forEach((item, at) => divided[shards[at] as number]?.push(item));
    return divided;
  }

  #check(): void {
    if (this.#closing !== undefined) {
      throw new VectordocError("closed", `database "${this.#name}" was closed; open it again`);
    }
  }
}

/** A change on its way; wrapped, as who sends the next one does not wait for it. */
interface Sent {
  readonly outcome: Promise<Outcome>;
}

type OfDocuments = Change & { readonly verb: "index" | "update" };
type OfIds = Change & { readonly verb: "delete" };

/** Whether a condition on one document is put to several or none, which any engine refuses. */
function isOneConditionOfMany(change: OfDocuments | OfIds, items: readonly unknown[]): boolean {
  return change.ifVersion !== undefined && items.length !== 1;
}

/** What writes did together, once all of them are done; the first error if there is one. */
async function total(writes: readonly Promise<Outcome>[]): Promise<Outcome> {
  await Promise.allSettled(writes);
  const outcomes = await Promise.all(writes);
  const sum = (count: (outcome: Outcome) => number) =>
    outcomes.reduce((sum, outcome) => sum + count(outcome), 0);
  return {
    indexed: sum(({ indexed }) => indexed),
    deleted: sum(({ deleted }) => deleted),
    missing: outcomes.flatMap(({ missing }) => missing),
    version: Math.max(0, ...outcomes.map(({ version }) => version)),
  };
}

/** The outcome with what is missing in the order of `ids`; of equal ones the last were missing. */
function inOrder(outcome: Outcome, ids: readonly Id[]): Outcome {
  const left = new Map<Id, number>();
  outcome.missing.forEach((id) => left.set(id, (left.get(id) ?? 0) + 1));
  const isMissing = (id: Id) => {
    const count = left.get(id) ?? 0;
    left.set(id, count - 1);
    return count > 0;
  };
  return { ...outcome, missing: [...ids].reverse().filter(isMissing).reverse() };
}

/** Listeners that tell one together how far they are, as soon as all have heard something. */
function summed(count: number, onProgress?: OnProgress): (OnProgress | undefined)[] {
  const heard = new Map<number, Progress>();
  return Array.from({ length: count }, (_, number) => {
    return (
      onProgress &&
      ((progress) => {
        heard.set(number, progress);
        if (heard.size === count) {
          const sum = (name: keyof Progress) =>
            [...heard.values()].reduce((sum, progress) => sum + progress[name], 0);
          onProgress({ done: sum("done"), total: sum("total") });
        }
      })
    );
  });
}

/** The schema that all shards have. */
function schemaOf(name: string, shards: readonly Shard[]): Schema {
  const [first, ...others] = shards.map(({ schema }) => schema);
  if (first === undefined) {
    throw new VectordocError("invalid", `database "${name}" has no shards; it needs 1 or more`);
  }
  const json = JSON.stringify(first);
  if (others.some((schema) => JSON.stringify(schema) !== json)) {
    const message = `the shards of database "${name}" have different schemas; open it with the newest`;
    throw new VectordocError("conflict", message);
  }
  return first;
}

/** Refuses to go on when a shard had to be created although others hold documents. */
async function refuseLoss(name: string, opened: readonly Opened[]): Promise<void> {
  const lost = opened.findIndex(({ isNew }) => isNew);
  const old = opened.filter(({ isNew }) => !isNew);
  if (lost < 0) {
    return;
  }
  const counts = await Promise.all(old.map(({ shard }) => shard.read("count", {})));
  if (counts.some((count) => count > 0)) {
    const message = `shard ${lost} of ${opened.length} of database "${name}" is lost: its store is empty and others hold documents`;
    throw new VectordocError("corrupt", message);
  }
}
