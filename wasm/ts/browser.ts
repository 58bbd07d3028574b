import { type ModuleSource, compile } from "./engine.js";
import { Host } from "./host.js";
import { load } from "./load.js";
import { type Open, opener } from "./open.js";
import type { Session } from "./session.js";
import { Client } from "./tabs/client.js";
import { checkBrowser, isPage } from "./tabs/environment.js";
import type { Opening } from "./tabs/message.js";
import { liveWithPage } from "./tabs/page.js";
import { inPlace, inWorkers } from "./tabs/seat.js";

export * from "./index.js";
export { names, remove } from "./tabs/names.js";

/**
 * Opens a database. In a page it lives in a worker, and tabs that open the same one share it; in a
 * worker it lives there.
 */
export const open: Open = opener(load, ["indexeddb", "memory"], openAt);

async function openAt(opening: Opening, module?: ModuleSource): Promise<Session> {
  const { name, place, schema } = opening;
  const isApart = isPage && "Worker" in globalThis;
  if (place === "memory" && !isApart) {
    return Host.open(name, await load(module), schema);
  }
  checkBrowser(place);
  // Compiled, it reaches a worker too.
  const given = module === undefined ? opening : { ...opening, module: await compile(module) };
  return isPage
    ? liveWithPage(await Client.open(given, inWorkers(startWorker)))
    : Client.open(given, inPlace(load));
}

/** Bundlers find what is written out, and beside it if they do not know what it means. */
function startWorker(): Worker {
  return new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
}
