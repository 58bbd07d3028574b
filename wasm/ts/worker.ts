// The worker in which a page's candidate for a database runs.

import { load } from "./load.js";
import { Candidate } from "./tabs/candidate.js";
import type { Candidacy } from "./tabs/message.js";

/** What the page sends first. */
interface Start {
  readonly candidacy: Candidacy;
  readonly port: MessagePort;
}

addEventListener("message", ({ data: { candidacy, port } }: MessageEvent<Start>) => {
  new Candidate(load, candidacy, port);
});
