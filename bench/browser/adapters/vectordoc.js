// vectordoc for the peers' harness, in place: the harness runs in a dedicated worker, and so does
// the engine. The package is served beside the harness as it is published, without a bundler.

import { open } from "/vectordoc/browser.js";
import { documents, fields } from "../vectordoc-documents.js";

const BATCH_DOCUMENTS = 1_000;

let db;
const openNamed = async (name, dim) => {
  db = await open(name, { schema: fields(dim) });
};

export default {
  worker: true,
  // The default first; the others for data where it finds too little.
  efs: [null, 64, 128, 256],
  filterEfs: [null],
  async init() {},
  async build(base, n, dim) {
    await openNamed("bench", dim);
    const started = performance.now();
    for (let from = 0; from < n; from += BATCH_DOCUMENTS) {
      await db.index(documents(base, dim, from, Math.min(n, from + BATCH_DOCUMENTS)));
    }
    const indexed_ms = performance.now() - started;
    await db.waitIndexed();
    return { indexed_ms, params: "defaults" };
  },
  search: (query, limit, ef) => ids(db.search(query, { limit, include: [], ...given({ ef }) })),
  searchFilter: (query, limit, part) =>
    ids(db.search(query, { limit, include: [], filter: { [`of${part}`]: 0 } })),
  async open(name, _n, dim) {
    await openNamed(name, dim);
  },
};

const ids = async (hits) => (await hits).map(({ id }) => id);
const given = ({ ef }) => (ef === null ? {} : { ef });
