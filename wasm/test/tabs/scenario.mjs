// What a database has to do wherever it is opened; runs in pages and in all kinds of workers.

import { open } from "/dist/browser.js";

const SCHEMA = {
  id: "string",
  embedding: { vector: 2, metric: "cosine" },
  price: { type: "number", filter: true },
};

/** Writes, reads, closes, opens again; says what it found. */
export async function use(name) {
  const db = await open(name, { schema: SCHEMA });
  await db.index([
    { id: "a", embedding: [1, 0], price: 1 },
    { id: "b", embedding: new Float32Array([0, 1]), price: 2 },
    // A view of a larger buffer.
    { id: "c", embedding: new Float32Array([9, 1, 1, 9]).subarray(1, 3), price: 3 },
  ]);
  await db.update({ id: "a", embedding: [1, 0], price: 10 });
  await db.patch("b", { increment: { price: 5 } });
  await db.delete("c");
  const hits = await db.search([1, 0.1], { filter: { price: { $gt: 1 } } });
  const error = await db.update({ id: "d", embedding: [1, 0], price: 1 }).catch((error) => error);
  await db.close();
  const closed = await db.count().catch((error) => error);
  const again = await open(name);
  const docs = [];
  for await (const doc of again.scroll()) docs.push(doc);
  await again.close();
  return {
    hits: hits.map(({ id, doc }) => [id, doc.price]),
    docs,
    codes: [error.code, closed.code],
    isError: error instanceof Error,
  };
}

// As a worker.
if (!("document" in globalThis)) {
  const answer = async (port, name) => port.postMessage(await use(name).catch((error) => String(error.stack)));
  globalThis.onconnect = ({ ports: [port] }) => (port.onmessage = ({ data }) => answer(port, data));
  globalThis.onmessage = ({ data, ports: [port] }) => answer(port ?? globalThis, data);
}
