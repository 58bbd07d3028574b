// The storage of a Durable Object in memory, with the limits of the older kind, which are the
// tighter ones.

const KEYS_MAX = 128;
const KEY_BYTES_MAX = 2_048;
const VALUE_BYTES_MAX = 128 * 1024;

export class FakeStorage {
  /** What the storage takes in all. */
  bytesMax = Infinity;
  /** What a `sync` waits for. */
  syncing = Promise.resolve();
  #values = new Map();

  async get(keyOrKeys) {
    if (typeof keyOrKeys === "string") return structuredClone(this.#values.get(keyOrKeys));
    refuseMany(keyOrKeys);
    const found = keyOrKeys.filter((key) => this.#values.has(key));
    return new Map(found.map((key) => [key, structuredClone(this.#values.get(key))]));
  }

  async put(entries) {
    refuseMany(Object.keys(entries));
    for (const [key, value] of Object.entries(entries)) {
      if (key.length > KEY_BYTES_MAX) throw new RangeError(`key of ${key.length} bytes`);
      if (sizeOf(value) > VALUE_BYTES_MAX) throw new RangeError(`value of ${sizeOf(value)} bytes`);
      this.#values.set(key, structuredClone(value));
    }
    const bytes = [...this.#values.values()].reduce((sum, value) => sum + sizeOf(value), 0);
    if (bytes > this.bytesMax) throw new Error("database or disk is full: SQLITE_FULL");
  }

  async delete(keyOrKeys) {
    const keys = [keyOrKeys].flat();
    refuseMany(keys);
    return keys.filter((key) => this.#values.delete(key)).length;
  }

  async list({ prefix = "", start, startAfter, limit = Infinity } = {}) {
    if (start !== undefined && startAfter !== undefined) throw new TypeError("start and startAfter");
    const isListed = (key) =>
      key.startsWith(prefix) && !(key < start) && !(startAfter !== undefined && key <= startAfter);
    const keys = [...this.#values.keys()].filter(isListed).sort().slice(0, limit);
    return new Map(keys.map((key) => [key, structuredClone(this.#values.get(key))]));
  }

  async transaction(work) {
    const before = new Map(this.#values);
    try {
      return await work(this);
    } catch (error) {
      this.#values = before;
      throw error;
    }
  }

  async sync() {
    await this.syncing;
  }
}

function refuseMany(keys) {
  if (keys.length > KEYS_MAX) throw new RangeError(`${keys.length} keys`);
}

function sizeOf(value) {
  // A view is stored with all that is behind it.
  return value instanceof Uint8Array ? value.buffer.byteLength : 8;
}
