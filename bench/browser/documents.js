// The documents that are compared: a vector, and what the filters of 10 % and of 1 % ask about.

/** The schema. */
export const schema = (dim) => ({
  id: "integer",
  vector: { vector: dim, metric: "cosine" },
  of10: { type: "u8", filter: true },
  of100: { type: "u8", filter: true },
});

/** The filter that every tenth document passes, or every hundredth. */
export const everyNth = (nth) => ({ [`of${nth}`]: 0 });

/** A document. */
export const documentOf = (id, vector) => ({ id, vector, of10: id % 10, of100: id % 100 });

/** Writes the rows of `base`, which holds them one after the other. */
export async function indexRows(db, base, dim) {
  const documents = base.length / dim;
  for (let from = 0; from < documents; from += BATCH_DOCUMENTS) {
    const length = Math.min(BATCH_DOCUMENTS, documents - from);
    const rows = Array.from({ length }, (_, at) => {
      const id = from + at;
      return documentOf(id, base.subarray(id * dim, (id + 1) * dim));
    });
    await db.index(rows);
  }
}

const BATCH_DOCUMENTS = 1_000;
