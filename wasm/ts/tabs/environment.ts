import { VectordocError } from "../error.js";
import type { Place } from "./message.js";

/** Whether this is the thread of a page, which long work would freeze. */
export const isPage: boolean = "document" in globalThis;

/** Refuses, with the way out, to keep a database where the browser lacks what that takes. */
export function checkBrowser(place: Place): void {
  const lack = [
    () => isPage && !("Worker" in globalThis) && "it has no workers",
    () => place === "indexeddb" && !isSecureContext && "it is not secure: serve it by https",
    () => place === "indexeddb" && !("indexedDB" in globalThis) && "it has no IndexedDB",
    () => place === "indexeddb" && !("locks" in navigator) && "it has no Web Locks",
  ].map((check) => check()).find((why) => why !== false);
  if (lack !== undefined) {
    const message = `this page cannot keep databases, since ${lack}; keep them in memory by store: "memory", or give a store`;
    throw new VectordocError("unavailable", message);
  }
}
