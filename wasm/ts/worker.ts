// The worker in which a page's candidate for a database runs.

import { load } from "./load.js";
import { Candidate } from "./tabs/candidate.js";
import type { Candidacy } from "./tabs/message.js";

addEventListener("message", ({ data }: MessageEvent<{ candidacy: Candidacy; port: MessagePort }>) => {
  new Candidate(load, data.candidacy, data.port);
});
