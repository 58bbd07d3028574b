// The modules of the package, each in an engine of its own: for the bench and the tests, which want
// all of them and not the one that `open` chooses.

import { readFile } from "node:fs/promises";
import { Database } from "./dist/database.js";
import { Host } from "./dist/host.js";
import { moduleUrl } from "./dist/module.js";

/** Every module, and the one that `open` chooses here. */
export const MODULES = ["engine_simd128", "engine_relaxed_simd"];
export const CHOSEN = MODULES.find((name) => moduleUrl().pathname.endsWith(`/${name}.wasm`));

/** An empty database of a schema, in the engine of a module. */
export async function openIn(name, schema) {
  // Glue holds one module; the query makes it glue of its own.
  const raw = await import(`./dist/raw/engine.js?${name}`);
  await raw.default({ module_or_path: readFile(new URL(`./dist/raw/${name}.wasm`, import.meta.url)) });
  return new Database(name, await Host.open(name, raw, JSON.stringify(schema)));
}
