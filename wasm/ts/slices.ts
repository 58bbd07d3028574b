import { isNumbers } from "./arguments.js";
import type { OnProgress } from "./session.js";
import type { Schema } from "./schema.js";
import { Turn } from "./turn.js";

/** Documents that cross in one step: few enough that it takes less than a frame. */
export const SLICE_DOCUMENTS = 64;

/** The names of the vector fields of a schema. */
export function vectorFields(schema: Schema): string[] {
  const isVector = (field: unknown) => typeof field === "object" && field !== null && "vector" in field;
  return Object.keys(schema).filter((name) => isVector(schema[name]));
}

/**
 * Documents a slice at a time, their vectors as typed arrays, with pauses between so that others get
 * their turn.
 */
export async function* slicesOf(
  docs: readonly object[],
  vectors: readonly string[],
  onProgress?: OnProgress,
): AsyncGenerator<object[], void, undefined> {
  const turn = new Turn();
  for (let done = 0; done < docs.length;) {
    const slice = docs.slice(done, done + SLICE_DOCUMENTS).map((doc) => packedDocument(doc, vectors));
    yield slice;
    done += slice.length;
    onProgress?.({ done, total: docs.length });
    await turn.rest();
  }
}

/** The document with its vectors as typed arrays, which cross in one copy. */
export function packedDocument(doc: object, vectors: readonly string[]): object {
  let result = doc;
  for (const name of vectors) {
    const vector: unknown = Reflect.get(Object(doc), name);
    if (isNumbers(vector)) {
      result = { ...result, [name]: Float32Array.from(vector) };
    }
  }
  return result;
}
