import { VectordocError } from "../error.js";
import { checkBrowser } from "./environment.js";
import { holderLock } from "./message.js";
import { forgetInPage, remember } from "./sentinel.js";
import { indexedDbNames, removeIndexedDb } from "../store/indexed_db.js";
import { load } from "../load.js";

/** The names of the databases that rest in IndexedDB. */
export async function names(): Promise<string[]> {
  checkBrowser("indexeddb");
  return indexedDbNames();
}

/** Deletes a database from IndexedDB; `busy` while it is open somewhere. */
export async function remove(name: string): Promise<void> {
  checkBrowser("indexeddb");
  await load();
  await navigator.locks.request(holderLock(name), { ifAvailable: true }, async (lock) => {
    if (lock === null) {
      const message = `database "${name}" is open, here or in another tab; close it first`;
      throw new VectordocError("busy", message);
    }
    await removeIndexedDb(name);
    await remember(name, "removed");
    forgetInPage(name);
  });
}
