import { readFile } from "node:fs/promises";
import { moduleUrl } from "./module.js";
import { type Open, once, opener } from "./open.js";
import * as raw from "./raw/engine.js";

export * from "./index.js";

/** Opens a database. */
export const open: Open = opener(
  once(async () => {
    await raw.default({ module_or_path: readFile(moduleUrl()) });
    return raw;
  }),
);
