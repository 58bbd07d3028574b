import { readFile } from "node:fs/promises";
import { moduleUrl } from "./module.js";
import { type Open, opener } from "./open.js";
import load from "./raw/engine.js";

export * from "./index.js";

/** Opens a database. */
export const open: Open = opener(async () => load({ module_or_path: readFile(moduleUrl()) }));
