/** A multiple of the size of every number. */
const ALIGNMENT = 8;

/**
 * Where the typed arrays of a slice of documents lie side by side while it is sent: whole buffers
 * cross, however small the part a document has, and new ones for each slice would be litter that
 * holds the page up.
 */
export class Staging {
  #buffer = new ArrayBuffer(0);

  /** The documents with copies of their typed arrays, good until the next call. */
  pack(docs: readonly object[]): object[] {
    const arrays = docs.flatMap((doc) => Object.values(doc).filter(isTypedArray));
    const bytes = arrays.reduce((sum, { byteLength }) => sum + aligned(byteLength), 0);
    if (this.#buffer.byteLength !== bytes) {
      this.#buffer = new ArrayBuffer(bytes);
    }
    let at = 0;
    const place = (value: unknown): unknown => {
      if (!isTypedArray(value)) {
        return value;
      }
      const Type = value.constructor as Float32ArrayConstructor;
      const copy = new Type(this.#buffer, at, value.length);
      copy.set(value);
      at += aligned(value.byteLength);
      return copy;
    };
    return docs.map((doc) =>
      Object.fromEntries(Object.entries(doc).map(([name, value]) => [name, place(value)])),
    );
  }
}

/** A typed array of any kind; what they have in common is enough here. */
function isTypedArray(value: unknown): value is Float32Array {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}
