// A worker whose Durable Object tells its storage through the stories, one for each request.

import { DurableObject } from "cloudflare:workers";
import { durableObject } from "../../dist/store/durable_object.js";
import { STORIES } from "./conformance.mjs";
import { LIMITS, RESTART } from "./limits.mjs";

const ALL = { ...STORIES, ...LIMITS, ...RESTART };

export class Stores extends DurableObject {
  /** Runs a story and answers with what went wrong, if anything. */
  async run(story) {
    const open = () => durableObject(this.ctx.storage);
    return ALL[story](open, this.ctx.storage).then(
      () => undefined,
      (error) => String(error.stack),
    );
  }
}

export default {
  async fetch(request, env) {
    const { kind, name, story } = await request.json();
    const stub = env[kind].get(env[kind].idFromName(name));
    return Response.json({ failure: (await stub.run(story)) ?? null });
  },
};
