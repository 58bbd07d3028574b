import { readFile } from "node:fs/promises";
import { type Open, opener } from "./open.js";
import load from "./raw/engine.js";

export * from "./index.js";

/** Opens a database. */
export const open: Open = opener(() =>
  load({ module_or_path: readFile(new URL("./raw/engine_bg.wasm", import.meta.url)) }),
);
