import { VectordocError } from "./error.js";
import type { Session } from "./session.js";
import type { Store } from "./store.js";

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

/** The key under which a store says whose it is; one without it is all of a database. */
const SHARD = "shard";
/** The key that every store has which holds a database. */
const META = "meta";

/**
 * Makes a store that of a shard, before the shard is opened over it; says whether it held nothing
 * until now. A `conflict` when it is that of another shard, or of another number of them.
 */
export async function claim(name: string, store: Store, place: Place): Promise<boolean> {
  const isNew = (await store.get(META)) === undefined;
  const claimed = await store.get(SHARD);
  const wanted = `${place.shard} of ${place.of}`;
  const found = claimed === undefined ? "0 of 1" : new TextDecoder().decode(claimed);
  if (found === wanted || (isNew && claimed === undefined)) {
    if (found !== wanted) {
      await store.put(new Map([[SHARD, new TextEncoder().encode(wanted)]]));
    }
    return isNew;
  }
  const message = `the store is that of shard ${found} of database "${name}", not ${wanted}; open it with as many shards as it has`;
  throw new VectordocError("conflict", message);
}
