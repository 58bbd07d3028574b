// Nothing is compiled from bytes there, so that the module is part of the program.
import engine from "./raw/engine_relaxed_simd.wasm";
import { restoreStore } from "./archive.js";
import { instantiate } from "./engine.js";
import { type Load, type Open, once, opener } from "./open.js";
import type { Archive } from "./session.js";
import type { Store } from "./store.js";

export * from "./index.js";

const load: Load = once(async (module = engine) => instantiate(module));

/** Opens a database. */
export const open: Open = opener(load);

/**
 * Makes a database in an empty store of what `export` or the command line of the service made of one:
 * `conflict` if there is one in it.
 */
export async function restore(store: Store, archive: Archive): Promise<void> {
  await restoreStore(await load(), store, archive);
}
