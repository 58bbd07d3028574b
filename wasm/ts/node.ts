import { readFile } from "node:fs/promises";
import { restoreStore } from "./archive.js";
import { type ModuleSource, instantiate } from "./engine.js";
import { moduleUrl } from "./module.js";
import { type Load, type Open, once, opener } from "./open.js";
import type { Archive } from "./session.js";
import type { Store } from "./store.js";

export * from "./index.js";

const load: Load = once(async (module = moduleUrl()) =>
  instantiate(isFile(module) ? readFile(module) : module),
);

/** Opens a database. */
export const open: Open = opener(load);

/**
 * Makes a database in an empty store of what `export` or the command line of the service made of one:
 * `conflict` if there is one in it.
 */
export async function restore(store: Store, archive: Archive): Promise<void> {
  await restoreStore(await load(), store, archive);
}

/** Whether a module is a file, which `fetch` refuses in Node. */
function isFile(module: ModuleSource): module is URL {
  return module instanceof URL && module.protocol === "file:";
}
