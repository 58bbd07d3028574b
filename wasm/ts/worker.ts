// The worker in which a page's candidate for a database runs.

import { type ModuleSource, instantiate } from "./engine.js";
import { moduleUrl } from "./module.js";
import { once } from "./open.js";
import { Candidate } from "./tabs/candidate.js";
import type { Candidacy } from "./tabs/message.js";
import type { Brought, Start } from "./tabs/seat.js";

let bring: (module: ModuleSource | undefined) => void;
const brought = new Promise<ModuleSource | undefined>((resolve) => (bring = resolve));

/** Loads the engine: from a module that is given, or the page compiled, or it finds itself. */
const load = once(async (module) => instantiate(module ?? (await brought) ?? moduleUrl()));

addEventListener("message", ({ data }: MessageEvent<Start | Brought>) => {
  if ("port" in data) {
    new Candidate(load, data.candidacy as Candidacy, data.port);
  } else {
    bring(data.module);
  }
});
