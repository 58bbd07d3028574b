import { type ModuleSource, compile } from "./engine.js";
import { Host } from "./host.js";
import { load } from "./load.js";
import { type Open, opener, refuseWorkers } from "./open.js";
import type { Session } from "./session.js";
import { shardName } from "./shard.js";
import { Sharded } from "./sharded.js";
import { Client } from "./tabs/client.js";
import { checkBrowser, isPage } from "./tabs/environment.js";
import { compiledFor } from "./tabs/compiled.js";
import type { Opening } from "./tabs/message.js";
import { liveWithPage } from "./tabs/page.js";
import { inPlace, inWorkers } from "./tabs/seat.js";

export * from "./index.js";
export { names, remove, restore } from "./tabs/names.js";

/**
 * Opens a database. In a page it lives in a worker, and tabs that open the same one share it; in a
 * worker it lives there.
 */
export const open: Open = opener(load, ["indexeddb", "memory"], openAt);

async function openAt(
  opening: Opening,
  workers: number,
  module?: ModuleSource,
): Promise<Session> {
  const { name, place, schema } = opening;
  const hasWorkers = "Worker" in globalThis;
  if (place === "memory" && workers === 1 && !(isPage && hasWorkers)) {
    return Host.open(name, await load(module), schema);
  }
  checkBrowser(place);
  // Compiled, it reaches a worker too.
  const given = module === undefined ? opening : { ...opening, module: await compile(module) };
  if (workers > 1) {
    if (!hasWorkers) refuseWorkers(workers);
    return openShards(given, workers);
  }
  return openOne(given);
}

async function openOne(opening: Opening): Promise<Client> {
  return isPage
    ? liveWithPage(await Client.open(opening, inWorkers(startWorker, compiledFor)))
    : Client.open(opening, inPlace(load));
}

/** A database each shard of which is one of its own, in a worker of its own. */
async function openShards(opening: Opening, workers: number): Promise<Session> {
  const raw = await load(opening.module);
  const openShard = async (shard: number) => {
    const name = shardName(opening.name, shard);
    const client = Client.open({ ...opening, name, shard: { shard, of: workers } }, inWorkers(startWorker, compiledFor));
    // Its loss is known to whoever holds it.
    return { shard: isPage ? liveWithPage(await client) : await client, isNew: false };
  };
  const shards = Array.from({ length: workers }, (_, shard) => openShard(shard));
  return Sharded.open(opening.name, raw, shards);
}

/** Bundlers find what is written out, and beside it if they do not know what it means. */
function startWorker(): Worker {
  return new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
}
