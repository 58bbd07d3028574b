// Nothing is compiled from bytes there, so that the module is part of the program.
import engine from "./raw/engine_relaxed_simd.wasm";
import { load } from "./load.js";
import { type Open, opener } from "./open.js";

export * from "./index.js";

/** Opens a database. */
export const open: Open = opener((module = engine) => load(module));
