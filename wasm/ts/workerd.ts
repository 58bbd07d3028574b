// Nothing is compiled from bytes there, so that the module is part of the program.
import engine from "./raw/engine_relaxed_simd.wasm";
import { instantiate } from "./engine.js";
import { type Open, once, opener } from "./open.js";

export * from "./index.js";

/** Opens a database. */
export const open: Open = opener(once(async (module = engine) => instantiate(module)));
