// vectordoc for the peers' harness, in place: the harness runs in a dedicated worker, and so does
// the engine. The package is served as it is published, without a bundler.

import { open } from "/vectordoc/browser.js";
import { everyNth, indexRows, schema } from "../documents.js";

let db;

export default {
  worker: true,
  // The default first; the others for data of which it finds too little.
  efs: [null, 64, 128, 256],
  filterEfs: [null, 128, 256],
  async init() {},
  async build(base, documents, dim) {
    db = await open("bench", { schema: schema(dim) });
    const started = performance.now();
    await indexRows(db, base.subarray(0, documents * dim), dim);
    const acknowledged_ms = performance.now() - started;
    await db.waitIndexed();
    return { acknowledged_ms, params: "defaults" };
  },
  search: async (query, limit, ef) => idsOf(await db.search(query, optionsOf(limit, ef))),
  searchFilter: async (query, limit, nth, ef) =>
    idsOf(await db.search(query, { ...optionsOf(limit, ef), filter: everyNth(nth) })),
};

const optionsOf = (limit, ef) => ({ limit, include: [], ...(ef === null ? {} : { ef }) });
const idsOf = (hits) => hits.map(({ id }) => id);
