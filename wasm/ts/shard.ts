import { VectordocError } from "./error.js";
import { META } from "./rest.js";
import type { Session } from "./session.js";
import { type Store, valuesOf } from "./store.js";

/** One of the sessions that have a database between them. */
export interface Shard extends Session {
  /**
   * Answers what a request to all shards asks this one: the question and the answer are bytes of
   * the engine's own.
   */
  answer(question: Uint8Array): Promise<Uint8Array>;
}

/** Which shard it is, from 0, and of how many. */
export interface Place {
  readonly shard: number;
  readonly of: number;
}

/** A database that is not divided. */
export const ALONE: Place = { shard: 0, of: 1 };

/** The key under which a store says whose it is; one without it is all of a database. */
const SHARD = "shard";

/**
 * Makes a store that of a shard, before the shard is opened over it; says whether it held nothing
 * until now, which `checkNew` can refuse. A `conflict` when it is that of another shard, or of another number of them.
 */
export async function claim(
  name: string,
  store: Store,
  place: Place,
  checkNew?: () => Promise<void>,
): Promise<boolean> {
  const [meta, claimed] = await valuesOf(store, [META, SHARD]);
  const isNew = meta === undefined;
  if (isNew) {
    await checkNew?.();
  }
  const wanted = textOf(place);
  const found = claimed === undefined ? textOf(ALONE) : new TextDecoder().decode(claimed);
  if (found === wanted || (isNew && claimed === undefined)) {
    if (found !== wanted) {
      await store.put(claimOf(place));
    }
    return isNew;
  }
  const message = `the store is that of shard ${found} of database "${name}", not ${wanted}; open it with as many workers as it has shards`;
  throw new VectordocError("conflict", message);
}

/** What a store holds that is that of a shard. */
export function claimOf(place: Place): Map<string, Uint8Array> {
  const text = textOf(place);
  return new Map(text === textOf(ALONE) ? [] : [[SHARD, new TextEncoder().encode(text)]]);
}

/** The name under which a shard is stored: the first has that of the database. */
export function shardName(name: string, shard: number): string {
  return shard === 0 ? name : `${name} [${shard}]`;
}

/** The names of databases among those of their shards. */
export function databaseNames(names: readonly string[]): string[] {
  const isShard = (name: string) => {
    const base = name.replace(/ \[[1-9]\d*\]$/, "");
    return base !== name && names.includes(base);
  };
  return names.filter((name) => !isShard(name));
}

function textOf({ shard, of }: Place): string {
  return `${shard} of ${of}`;
}
