import { moduleUrl } from "./module.js";
import { type Load, once } from "./open.js";
import * as raw from "./raw/engine.js";

/** Loads the engine as browsers do. */
export const load: Load = once(async () => {
  await raw.default({ module_or_path: moduleUrl() });
  return raw;
});
