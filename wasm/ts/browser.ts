import { Host } from "./host.js";
import { load } from "./load.js";
import { type Open, opener } from "./open.js";
import type { Session } from "./session.js";
import { Client } from "./tabs/client.js";
import { checkBrowser, isPage } from "./tabs/environment.js";
import type { Opening } from "./tabs/message.js";
import { liveWithPage } from "./tabs/page.js";
import { IN_WORKERS, inPlace } from "./tabs/seat.js";

export * from "./index.js";
export { names, remove } from "./tabs/names.js";

/**
 * Opens a database. In a page it lives in a worker, and tabs that open the same one share it; in a
 * worker it lives there.
 */
export const open: Open = opener(load, ["indexeddb", "memory"], openAt);

async function openAt(opening: Opening): Promise<Session> {
  const { name, place, schema } = opening;
  const isApart = isPage && "Worker" in globalThis;
  if (place === "memory" && !isApart) {
    return Host.open(name, await load(), schema);
  }
  checkBrowser(place);
  return isPage
    ? liveWithPage(await Client.open(opening, IN_WORKERS))
    : Client.open(opening, inPlace(load));
}
