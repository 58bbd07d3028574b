// What every runtime, bundler and browser is put through, with nothing but the language at hand:
// documents on a quarter of a circle, of which some are replaced and deleted, and asked for again
// from a database that is opened anew.

const DOCS = 100;
const SCHEMA = {
  id: "string",
  embedding: { vector: 2, metric: "cosine", index: "hnsw" },
  price: { type: "number", filter: true },
  tags: { type: "string[]", filter: true },
  title: { type: "string", text: true },
};

/** What `write` and `read` find. */
export const WRITTEN = {
  indexed: DOCS,
  nearest: ["p19", "p17", "p15"],
  titled: ["product 42"],
  afterwards: ["p17", "p15", "p13"],
  deleted: { deleted: 1, missing: ["none"] },
  refused: "not_found",
  progress: DOCS,
};
export const READ = {
  count: DOCS - 1,
  nearest: ["p17", "p15", "p13"],
  replaced: { id: "p19", price: 99, tags: ["new"], title: "product 19" },
  scrolled: DOCS - 1,
};

/** Fills a database; `options` are those of `open`. */
export async function write({ open, VectordocError }, options = {}) {
  const db = await open("exercise", { schema: SCHEMA, ...options });
  let progress = 0;
  const docs = Array.from({ length: DOCS }, (_, i) => product(i));
  const { indexed } = await db.index(docs, { onProgress: ({ done }) => (progress = done) });
  await db.waitIndexed();
  const nearest = await cheapAndNew(db);
  const titled = await db.searchText("42");
  await db.update({ ...product(19), price: 99 });
  const deleted = await db.delete(["p18", "none"]);
  const afterwards = await cheapAndNew(db);
  const refused = await db.update(product(DOCS)).catch((error) => {
    if (!(error instanceof VectordocError)) throw error;
    return error.code;
  });
  await db.close();
  return {
    indexed,
    nearest,
    titled: titled.map(({ doc }) => doc.title),
    afterwards,
    deleted,
    refused,
    progress,
  };
}

/** Opens the database that was filled, and asks. */
export async function read({ open }, options = {}) {
  const db = await open("exercise", { schema: SCHEMA, ...options });
  const [count, nearest, replaced] = [await db.count(), await cheapAndNew(db), await db.get("p19")];
  let scrolled = 0;
  for await (const { id } of db.scroll({ include: [] })) scrolled += id.startsWith("p") ? 1 : 0;
  await db.close();
  return { count, nearest, replaced, scrolled };
}

/** Of the products that cost less than 20 and are new, the three nearest to one of price 30. */
async function cheapAndNew(db) {
  const filter = { price: { $lt: 20 }, tags: "new" };
  const hits = await db.search(Float32Array.from(product(30).embedding), { limit: 3, filter });
  return hits.map(({ id }) => id);
}

/** Every second product is new; the dearer, the further on the circle. */
function product(i) {
  const angle = (i / DOCS) * (Math.PI / 2);
  return {
    id: `p${i}`,
    embedding: [Math.cos(angle), Math.sin(angle)],
    price: i,
    tags: i % 2 === 1 ? ["new"] : [],
    title: `product ${i}`,
  };
}
