import { VectordocError } from "../error.js";
import { checkBrowser } from "./environment.js";
import { holderLock } from "./message.js";
import { forgetInPage, remember } from "./sentinel.js";
import { restoreArchive, restoreStore } from "../archive.js";
import { load } from "../load.js";
import type { Archive } from "../session.js";
import { databaseNames, shardName } from "../shard.js";
import type { Store } from "../store.js";
import { indexedDb, indexedDbNames, removeIndexedDb } from "../store/indexed_db.js";

/** Milliseconds until a database counts as open; one that was closed lets go a moment later. */
const CLOSING_MS = 500;

/** The names of the databases that rest in IndexedDB. */
export async function names(): Promise<string[]> {
  checkBrowser("indexeddb");
  return databaseNames(await indexedDbNames());
}

/** Deletes a database from IndexedDB; `busy` while it is open somewhere. */
export async function remove(name: string): Promise<void> {
  checkBrowser("indexeddb");
  await load();
  const all = await indexedDbNames();
  const shards = [shardName(name, 0)];
  while (all.includes(shardName(name, shards.length))) {
    shards.push(shardName(name, shards.length));
  }
  // The first one last: what is left when that fails can be removed again.
  for (const shard of shards.reverse()) {
    await closed(shard, async () => {
      await removeIndexedDb(shard);
      await remember(shard, "removed");
      forgetInPage(shard);
    });
  }
}

/**
 * Makes a database in IndexedDB, or in a store of your own, of what `export` or the command line of the service made of one:
 * `conflict` if there is one of this name. One of several shards is opened with as many `workers`.
 */
export async function restore(target: string | Store, archive: Archive): Promise<void> {
  if (typeof target !== "string") {
    return restoreStore(await load(), target, archive);
  }
  checkBrowser("indexeddb");
  const raw = await load();
  await closed(target, () =>
    restoreArchive(raw, `"${target}"`, archive, (shard) =>
      indexedDb(shardName(target, shard), { durability: "strict" }),
    ),
  );
}

/** Does something with a database that is open nowhere. */
async function closed(name: string, work: () => Promise<void>): Promise<void> {
  let isFree = false;
  const request = { signal: AbortSignal.timeout(CLOSING_MS) };
  try {
    await navigator.locks.request(holderLock(name), request, () => {
      isFree = true;
      return work();
    });
  } catch (error) {
    if (isFree) throw error;
    const message = `database "${name}" is open, here or in another tab; close it first`;
    throw new VectordocError("busy", message);
  }
}
