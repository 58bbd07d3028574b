// The documents that are compared: a vector, and what the filters of 10 % and of 1 % ask about.

/** The schema. */
export const fields = (dim) => ({
  id: "integer",
  vector: { vector: dim, metric: "cosine" },
  of10: { type: "u8", filter: true },
  of100: { type: "u8", filter: true },
});

/** The documents of the rows `from` to `to` of `base`, which holds them one after the other. */
export function documents(base, dim, from, to) {
  return Array.from({ length: to - from }, (_, at) => {
    const id = from + at;
    const vector = base.subarray(id * dim, (id + 1) * dim);
    return { id, vector, of10: id % 10, of100: id % 100 };
  });
}
