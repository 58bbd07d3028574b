import { VectordocError } from "../error.js";
import { Host } from "../host.js";
import type * as Raw from "../raw/engine.js";
import { ALONE, claim } from "../shard.js";
import type { Store } from "../store.js";
import { indexedDb, removeIndexedDb } from "../store/indexed_db.js";
import { Answered } from "./answered.js";
import { Holder, type Keeper } from "./holder.js";
import { type Candidacy, type Up, clientLock } from "./message.js";
import { recall, remember } from "./sentinel.js";

/** An open database that is served. */
export interface Holding {
  readonly host: Host;
  readonly holder: Holder;
  /** What clients have to know. */
  state(): Pick<Up, "schema" | "isBusy">;
  /** Sets what is called when the engine trapped, or what is stored turned out to be damaged. */
  onFailure(call: (error: unknown) => void): void;
  /** Lets go of it; in haste without writing what need not be written. */
  close(isHasty: boolean): Promise<void>;
}

/** Opens a database to serve it. */
export async function openHolding(
  raw: typeof Raw,
  candidacy: Candidacy,
  keeper: Keeper,
): Promise<Holding> {
  const { name, place, durability, schema } = candidacy;
  if (place === "memory") {
    const host = await Host.open(name, raw, schema);
    const holder = new Holder(host, keeper);
    return holdingOf(host, holder, () => host.close());
  }
  const store = await indexedDb(name, { durability });
  const answered = new Answered(store);
  const [host, outcomes] = await both(
    openHost(raw, candidacy, store),
    clientsAlive().then((isAlive) => answered.load(isAlive)),
  );
  const remembered = remember(name, "present");
  const close = async (isHasty: boolean) => {
    if (!isHasty) {
      // What stays is removed by a later opening.
      await answered.flush().catch(() => undefined);
    }
    await host.close(isHasty);
    // Who deletes the database then is remembered after it.
    await remembered;
  };
  const holder = new Holder(host, keeper, answered, outcomes);
  return holdingOf(host, holder, close);
}

function holdingOf(host: Host, holder: Holder, close: Holding["close"]): Holding {
  return {
    host,
    holder,
    state: () => ({ schema: host.schema, isBusy: holder.isBusy }),
    onFailure: (call) => (host.onFailure = call),
    close,
  };
}

/** Opens what is in the store; leaves nothing behind where there was no database and none came to be. */
async function openHost(raw: typeof Raw, candidacy: Candidacy, store: Store): Promise<Host> {
  const { name, schema } = candidacy;
  let wasEmpty = false;
  try {
    await claim(name, store, candidacy.shard ?? ALONE, () => {
      wasEmpty = true;
      return checkNotLost(candidacy);
    });
    return await Host.open(name, raw, schema, store);
  } catch (error) {
    await store.close?.();
    if (wasEmpty) {
      await removeIndexedDb(name).catch(() => undefined);
    }
    throw error;
  }
}

/** Refuses, once, to begin with an empty database where there was another. */
async function checkNotLost({ name, isKnown }: Candidacy): Promise<void> {
  const memory = await recall(name);
  if (memory === "present" || (memory === undefined && isKnown)) {
    await remember(name, "removed");
    const message = `the browser lost database "${name}": its storage was evicted, cleared or damaged; opening it again begins with an empty one`;
    throw new VectordocError("corrupt", message);
  }
}

async function clientsAlive(): Promise<(client: string) => boolean> {
  const { held = [] } = await navigator.locks.query();
  const names = new Set(held.map(({ name }) => name));
  return (client) => names.has(clientLock(client));
}

/** Both results; if one of them is none, the first error, once both have settled. */
async function both<A, B>(first: Promise<A>, second: Promise<B>): Promise<[A, B]> {
  await Promise.allSettled([first, second]);
  return Promise.all([first, second]);
}
