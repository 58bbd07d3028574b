import { instantiate } from "./engine.js";
import { moduleUrl } from "./module.js";
import { type Load, once } from "./open.js";

/** Loads the engine as browsers do. */
export const load: Load = once(async (module = moduleUrl()) => instantiate(module));
