import { readFile } from "node:fs/promises";
import { type ModuleSource, instantiate } from "./engine.js";
import { moduleUrl } from "./module.js";
import { type Open, once, opener } from "./open.js";

export * from "./index.js";

/** Opens a database. */
export const open: Open = opener(
  once(async (module = moduleUrl()) => instantiate(isFile(module) ? readFile(module) : module)),
);

/** Whether a module is a file, which `fetch` refuses in Node. */
function isFile(module: ModuleSource): module is URL {
  return module instanceof URL && module.protocol === "file:";
}
