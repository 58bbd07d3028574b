import { instantiate } from "./engine.js";
import { moduleUrl } from "./module.js";
import { type Open, opener } from "./open.js";

export * from "./index.js";

/** Opens a database. */
export const open: Open = opener((module = moduleUrl()) => instantiate(module));
