// A database of a few products, as the tests use it.

import { open } from "vectordoc";

export const SCHEMA = /** @type {const} */ ({
  id: "string",
  embedding: { vector: 2, metric: "cosine" },
  price: { type: "number", filter: true },
  tags: { type: "string[]", filter: true },
  maker: { fields: { country: { type: "string", filter: true } }, optional: true },
  title: "string?",
});

export const CHAIR = {
  id: "chair",
  embedding: [1, 0],
  price: 40,
  tags: ["wood", "new"],
  title: "Chair",
};
export const TABLE = {
  id: "table",
  embedding: [0.9, 0.1],
  price: 90,
  tags: ["wood"],
  maker: { country: "NL" },
};
export const LAMP = {
  id: "lamp",
  embedding: [0, 1],
  price: 15,
  tags: [],
  maker: { country: "DE" },
};

/** A new database with the three products. */
export async function openProducts() {
  const db = await open("products", { schema: SCHEMA });
  await db.index([CHAIR, TABLE, LAMP]);
  return db;
}

/** Every value of an async iterable. */
export async function collect(iterable) {
  const values = [];
  for await (const value of iterable) values.push(value);
  return values;
}
