/**
 * Where a database rests: an ordered map from keys to bytes. Keys are short ASCII text; values are
 * under 64 KiB, but for records, which are as large as the batches they hold.
 *
 * A store serves one database at a time. What rejects is best a `VectordocError`: `full` when there
 * is no space, then nothing of the `put` may be kept and later ones may succeed.
 */
export interface Store {
  /** The value of a key. */
  get(key: string): Promise<Uint8Array | undefined>;
  /** Stores all of the entries or none of them; when it resolves, they outlive a crash. */
  put(entries: ReadonlyMap<string, Uint8Array>): Promise<void>;
  /** Removes keys, also those that are not there; need not be atomic. */
  delete(keys: readonly string[]): Promise<void>;
  /** The entries whose keys begin with `prefix`, in order of their keys. */
  list(prefix: string): AsyncIterable<Entry> | Promise<Iterable<Entry>>;
  /**
   * The values of several keys, in their order. A store that has it is opened sooner: searches are
   * answered before all of it was read.
   */
  getMany?(keys: readonly string[]): Promise<(Uint8Array | undefined)[]>;
  /** Lets go of whatever the store holds. */
  close?(): Promise<void>;
}

/** A key and its value. */
export type Entry = readonly [key: string, value: Uint8Array];

/** @internal The values of several keys, in their order. */
export function valuesOf(
  store: Store,
  keys: readonly string[],
): Promise<(Uint8Array | undefined)[]> {
  return store.getMany?.(keys) ?? Promise.all(keys.map((key) => store.get(key)));
}
