// Nothing is compiled from bytes there, so that the module is part of the program.
import engine from "./raw/engine_relaxed_simd.wasm";
import { instantiate } from "./engine.js";
import { type Open, opener } from "./open.js";

export * from "./index.js";

/** Opens a database. */
export const open: Open = opener((module = engine) => instantiate(module));
