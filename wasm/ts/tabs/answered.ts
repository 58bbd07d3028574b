import type { Outcome } from "../session.js";
import type { Entry, Store } from "../store.js";

/** What the keys of outcomes begin with. */
const ANSWERED = "answered/";
/** Outcomes to forget that are worth a transaction. */
const FORGOTTEN_MAX = 64;
/**
 * Milliseconds for which the outcomes of a client without a lock are kept: it may be a page at rest
 * that comes back.
 */
const ABSENCE_MS_MAX = 60 * 60 * 1000;

/**
 * The outcomes of the writes that clients do not know of yet, in the store since the writes are: a
 * client that asks again after a crash is told what happened, and nothing happens twice.
 */
export class Answered {
  readonly #store: Store;
  #forgotten: string[] = [];

  constructor(store: Store) {
    this.#store = store;
  }

  /** What is stored: for each client outcomes by their numbers. Those of dead clients are removed. */
  async load(isAlive: (client: string) => boolean): Promise<Map<string, Map<number, Outcome>>> {
    const clients = new Map<string, Map<number, Outcome>>();
    for await (const [key, value] of await this.#store.list(ANSWERED)) {
      const [, client, number] = key.split("/") as [string, string, string];
      const { at, outcome } = decoded(value);
      if (!isAlive(client) && at < Date.now() - ABSENCE_MS_MAX) {
        this.#forgotten.push(key);
        continue;
      }
      const outcomes = clients.get(client) ?? new Map<number, Outcome>();
      clients.set(client, outcomes.set(Number(number), outcome));
    }
    return clients;
  }

  /** The entry to store with a write. */
  entry(client: string, number: number, outcome: Outcome): Entry {
    return [keyOf(client, number), encoded({ at: Date.now(), outcome })];
  }

  /** The client knows; the entry goes some time. */
  forget(client: string, number: number): void {
    this.#forgotten.push(keyOf(client, number));
    if (this.#forgotten.length >= FORGOTTEN_MAX) {
      // What stays is removed by a later opening.
      this.flush().catch(() => undefined);
    }
  }

  /** Removes what is forgotten. */
  async flush(): Promise<void> {
    const keys = this.#forgotten.splice(0);
    if (keys.length > 0) {
      await this.#store.delete(keys);
    }
  }
}

/** An outcome and when it was. */
interface Dated {
  readonly at: number;
  readonly outcome: Outcome;
}

const keyOf = (client: string, number: number): string => `${ANSWERED}${client}/${number}`;

function encoded(dated: Dated): Uint8Array {
  const text = JSON.stringify(dated, (_, value: unknown) =>
    typeof value === "bigint" ? { bigint: String(value) } : value,
  );
  return new TextEncoder().encode(text);
}

function decoded(bytes: Uint8Array): Dated {
  return JSON.parse(new TextDecoder().decode(bytes), (_, value: unknown) =>
    typeof value === "object" && value !== null && "bigint" in value
      ? BigInt(value.bigint as string)
      : value,
  ) as Dated;
}
