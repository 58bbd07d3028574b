/** The cache that remembers, outside of IndexedDB, which databases there are. */
const CACHE = "vectordoc";
/** What the entries of `localStorage` begin with. */
const PREFIX = "vectordoc/";

/** What is remembered of a database: it is there, it was deleted; or nothing. */
export type Memory = "present" | "removed" | undefined;

/**
 * What workers remember of a database. Browsers lose IndexedDB and begin with an empty one without a
 * word: this tells an empty database from a lost one.
 */
export async function recall(name: string): Promise<Memory> {
  try {
    const found = await caches.match(urlOf(name), { cacheName: CACHE });
    return (await found?.text()) as Memory;
  } catch {
    return undefined;
  }
}

/** Remembers a database. Where that is refused, its loss goes unnoticed. */
export async function remember(name: string, memory: NonNullable<Memory>): Promise<void> {
  try {
    const cache = await caches.open(CACHE);
    await cache.put(urlOf(name), new Response(memory));
  } catch {
    // Only in the interest of a better error.
  }
}

/** What a page remembers: its storage outlives an eviction of all that workers reach. */
export function recallInPage(name: string): boolean {
  return inPage((storage) => storage.getItem(PREFIX + name) !== null) ?? false;
}

/** Remembers a database for pages. */
export function rememberInPage(name: string): void {
  inPage((storage) => storage.setItem(PREFIX + name, "present"));
}

/** Forgets a database. */
export function forgetInPage(name: string): void {
  inPage((storage) => storage.removeItem(PREFIX + name));
}

/** Workers have no `localStorage`, and in some pages touching it throws. */
function inPage<T>(work: (storage: Storage) => T): T | undefined {
  try {
    return "localStorage" in globalThis ? work(localStorage) : undefined;
  } catch {
    return undefined;
  }
}

function urlOf(name: string): string {
  return `https://vectordoc.invalid/${encodeURIComponent(name)}`;
}
