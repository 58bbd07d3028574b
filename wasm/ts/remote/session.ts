import type { Counted, Hit, HitGroup, Id } from "../document.js";
import { VectordocError } from "../error.js";
import { refuseUnknown } from "../options.js";
import type { Schema } from "../schema.js";
import type {
  Answers,
  Archive,
  Change,
  OnProgress,
  Outcome,
  Questions,
  Session,
  Verb,
} from "../session.js";
import { packedDocument, vectorFields } from "../slices.js";
import { type Documents, documentsOf } from "./documents.js";
import type { Link } from "./link.js";
import { type Fields, count, list, number, object, text, understood } from "./rpc.js";
import { Batch } from "./value.js";

/** How often the server is asked whether its indexes are built. */
const SETTLE_MS = 100;
/** Documents of a page of a scroll, unless they are too long for one answer. */
const PAGE_DOCUMENTS_MAX = 1_000;

/** The options of a read that are called otherwise on the wire. */
const PARAMETERS: { readonly [option: string]: string } = {
  minScore: "min_score",
  textField: "text_field",
  groupBy: "group_by",
  groupSize: "group_size",
  orderBy: "order_by",
};

/** A database on a server. */
export class RemoteSession implements Session {
  readonly schema: Schema;
  readonly #link: Link;
  readonly #db: string;
  readonly #vectorFields: readonly string[];
  readonly #document: Documents;
  /** Settles with the last write asked for; writes happen one after the other. */
  #writes: Promise<unknown> = Promise.resolve();
  #pageDocuments = PAGE_DOCUMENTS_MAX;
  #closing: Promise<void> | undefined;

  private constructor(link: Link, db: string, schema: Schema) {
    this.#link = link;
    this.#db = db;
    this.schema = schema;
    this.#vectorFields = vectorFields(schema);
    this.#document = documentsOf(schema);
  }

  /** The database `db`, created with `schema`, if that is given, when it is missing. */
  static async open(link: Link, db: string, schema: Schema | undefined): Promise<RemoteSession> {
    const description =
      schema === undefined
        ? await link.request("db.get", { db }, true)
        : await link.request("db.create", { db, schema }, true);
    const stored = understood(() => object(object(description)["schema"]));
    return new RemoteSession(link, db, stored as Schema);
  }

  async write(change: Change, onProgress?: OnProgress): Promise<Outcome> {
    this.#check();
    const write = this.#writes.then(() => this.#change(change, onProgress));
    this.#writes = write.catch(() => undefined);
    return write;
  }

  async read<V extends Verb>(verb: V, question: Questions[V]): Promise<Answers[V]> {
    this.#check();
    return this.#readers[verb](question);
  }

  async settle(onProgress?: OnProgress): Promise<void> {
    for (let total = 0; ;) {
      this.#check();
      const waiting = count((await this.#ask("db.get", {}))["unindexed"]);
      total = Math.max(total, waiting);
      onProgress?.({ done: total - waiting, total });
      if (waiting === 0) {
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    }
  }

  async export(): Promise<Archive> {
    const message = "a server does not send whole databases yet; run `vectordoc backup` there";
    throw new VectordocError("unsupported", message);
  }

  close(): Promise<void> {
    this.#closing ??= this.#writes.then(() => this.#link.close());
    return this.#closing;
  }

  #check(): void {
    if (this.#closing !== undefined) {
      throw new VectordocError("closed", `database "${this.#db}" was closed; connect again`);
    }
  }

  /** What the server answers to `method`; unless said otherwise one that only reads. */
  async #ask(method: string, params: object, isRepeatable = true): Promise<Fields> {
    const answer = await this.#link.request(method, { db: this.#db, ...params }, isRepeatable);
    return understood(() => object(answer));
  }

  /** Writes that come out the same when they are done twice are repeated when their answer is lost. */
  async #change(change: Change, onProgress: OnProgress | undefined): Promise<Outcome> {
    switch (change.verb) {
      case "index":
      case "update":
        return this.#writeDocuments(change.verb, change.docs, change.ifVersion, onProgress);
      case "patch": {
        const { id, ifVersion } = change;
        const changes = changesOf(change.changes);
        const isRepeatable = ifVersion === undefined && changes.increment === undefined;
        const params = { id, if_version: ifVersion, ...changes };
        const answer = await this.#ask("doc.patch", params, isRepeatable);
        return outcome({ indexed: 1, version: understood(() => count(answer["version"])) });
      }
      case "patchWhere": {
        const params = { filter: change.filter, ...changesOf(change.changes) };
        const answer = await this.#ask("doc.patch", params, false);
        return outcome({ indexed: understood(() => count(answer["patched"])) });
      }
      case "delete":
        return this.#delete(change.ids, change.ifVersion);
      case "deleteWhere": {
        const answer = await this.#ask("doc.delete", { filter: change.filter }, false);
        return outcome({ deleted: understood(() => count(answer["deleted"])) });
      }
    }
  }

  async #writeDocuments(
    verb: "index" | "update",
    docs: readonly object[],
    ifVersion: number | undefined,
    onProgress: OnProgress | undefined,
  ): Promise<Outcome> {
    let version = 0;
    const pack = (doc: unknown) => packedDocument(doc as object, this.#vectorFields);
    await inBatches(docs, pack, async (batch, done) => {
      const params = { if_version: ifVersion, docs: batch };
      const answer = await this.#ask(`doc.${verb}`, params, ifVersion === undefined);
      version = understood(() => count(answer["version"] ?? 0));
      onProgress?.({ done: done + batch.taken, total: docs.length });
    });
    return outcome({ indexed: docs.length, version });
  }

  async #delete(ids: readonly unknown[], ifVersion: number | undefined): Promise<Outcome> {
    let deleted = 0;
    let missing: Id[] = [];
    await inBatches(ids, undefined, async (batch) => {
      const params = { if_version: ifVersion, ids: batch };
      const answer = await this.#ask("doc.delete", params, false);
      understood(() => {
        deleted += count(answer["deleted"]);
        missing = missing.concat(list(answer["missing"]) as Id[]);
      });
    });
    return outcome({ deleted, missing });
  }

  readonly #readers: { readonly [V in Verb]: (question: Questions[V]) => Promise<Answers[V]> } = {
    search: ({ vector, options }) => this.#search({ vector, ...options }),
    searchLike: ({ ids, options: { unlike, ...options } }) =>
      this.#search({ like: ids, unlike: manyOf(unlike), ...options }),
    explain: ({ vector, options, path }) => this.#explain({ vector, ...options }, path),
    stats: () => this.#stats(),
    get: ({ ids, include }) => this.#get(ids, include),
    count: async ({ filter }) => {
      const answer = await this.#ask("doc.count", { filter });
      return understood(() => count(answer["count"]));
    },
    facet: async (question) => {
      const answer = await this.#ask("doc.facet", question);
      return understood(() => list(answer["values"]) as Counted[]);
    },
    scroll: ({ cursor, options }) => this.#scroll({ cursor, ...options }),
  };

  async #search(options: Fields): Promise<Answers["search"]> {
    const answer = await this.#ask("search", parameters(options));
    return understood(() =>
      isGiven(options["groupBy"]) ? this.#groups(answer["groups"]) : this.#hits(answer["hits"]),
    );
  }

  async #explain(options: Fields, path: boolean): Promise<Answers["explain"]> {
    if (path) {
      const message = "a server does not tell the path of a search; leave path out";
      throw new VectordocError("unsupported", message);
    }
    const answer = await this.#ask("search", { ...parameters(options), explain: true });
    return understood(() => {
      const { plan, visited, exact, ef, allowed } = object(answer["explain"]);
      return {
        hits: this.#hits(answer["hits"]),
        plan: text(plan),
        visited: count(visited),
        exact: exact === true,
        ef: count(ef),
        allowed: count(allowed),
      };
    });
  }

  async #stats(): Promise<Answers["stats"]> {
    const answer = await this.#ask("db.get", {});
    return understood(() => ({
      documents: count(answer["documents"]),
      unindexed: count(answer["unindexed"]),
      memoryBytes: count(answer["memory_bytes"]),
    }));
  }

  #hits(hits: unknown): Hit<object>[] {
    return list(hits).map((hit) => {
      const { id, score, distance, doc } = object(hit);
      return {
        id: id as Id,
        score: Math.fround(number(score)),
        distance: Math.fround(number(distance)),
        doc: this.#document(doc),
      };
    });
  }

  #groups(groups: unknown): HitGroup<object>[] {
    return list(groups).map((group) => {
      const { value, hits } = object(group);
      return { value: value as Counted["value"], hits: this.#hits(hits) };
    });
  }

  async #get(ids: readonly unknown[], include: unknown): Promise<Answers["get"]> {
    let docs: (object | undefined)[] = [];
    let versions: number[] = [];
    await inBatches(ids, undefined, async (batch) => {
      const answer = await this.#ask("doc.get", { include, ids: batch });
      understood(() => {
        const found = list(answer["docs"]);
        docs = docs.concat(found.map((doc) => (doc === null ? undefined : this.#document(doc))));
        versions = versions.concat(list(answer["versions"]).map((version) => count(version ?? 0)));
      });
    });
    return { docs, versions };
  }

  async #scroll(options: Fields): Promise<Answers["scroll"]> {
    for (;;) {
      const limit = this.#pageDocuments;
      try {
        const answer = await this.#ask("doc.scroll", { ...parameters(options), limit });
        return understood(() => ({
          docs: list(answer["docs"]).map(this.#document),
          cursor: answer["cursor"] === null ? undefined : text(answer["cursor"]),
        }));
      } catch (error) {
        const isTooLong = error instanceof VectordocError && error.code === "limit_exceeded";
        if (!isTooLong || limit === 1) {
          throw error;
        }
        this.#pageDocuments = Math.ceil(limit / 2);
      }
    }
  }
}

/** Has `write` take all elements, as many at a time as fit into a message. */
async function inBatches(
  elements: readonly unknown[],
  sent: ((element: unknown) => unknown) | undefined,
  write: (batch: Batch, done: number) => Promise<void>,
): Promise<void> {
  let done = 0;
  do {
    const batch = new Batch(elements, done, sent);
    try {
      await write(batch, done);
    } catch (error) {
      throw done === 0 ? error : partly(error as VectordocError, done, elements.length);
    }
    done += batch.taken;
  } while (done < elements.length);
}

/** What went wrong after the first batches went well. */
function partly(cause: VectordocError, done: number, total: number): VectordocError {
  const message = `after ${done} of ${total}, which are done: ${cause.message}`;
  return new VectordocError(cause.code, message, { cause });
}

function outcome(known: Partial<Outcome>): Outcome {
  return { indexed: 0, deleted: 0, missing: [], version: 0, ...known };
}

/** The parts of a patch. */
function changesOf(changes: object): { readonly [part in "set" | "unset" | "increment"]?: unknown } {
  refuseUnknown(changes, ["set", "unset", "increment"]);
  return changes;
}

/** Options by the names they have on the wire. */
function parameters(options: Fields): object {
  const named = Object.entries(options).map(([name, value]) => [PARAMETERS[name] ?? name, value]);
  return Object.fromEntries(named);
}

/** What may be given alone, as a list. */
function manyOf(oneOrMany: unknown): unknown {
  return Array.isArray(oneOrMany) || !isGiven(oneOrMany) ? oneOrMany : [oneOrMany];
}

function isGiven(option: unknown): boolean {
  return option !== undefined && option !== null;
}
