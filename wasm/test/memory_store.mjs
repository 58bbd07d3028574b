// A store in memory that forgets nothing, and fails when it is told to.

/** A store whose entries outlive the databases that are opened over it. */
export class MemoryStore {
  entries = new Map();
  puts = 0;
  /** What happens to the put with a number: throw before or after the entries are there. */
  faults = new Map();
  isDown = false;

  async get(key) {
    this.#check();
    return this.entries.get(key);
  }

  async put(entries) {
    this.#check();
    this.puts += 1;
    const fault = this.faults.get(this.puts);
    fault?.before?.();
    for (const [key, value] of entries) this.entries.set(key, value.slice());
    fault?.after?.();
  }

  async delete(keys) {
    this.#check();
    for (const key of keys) this.entries.delete(key);
  }

  async list(prefix) {
    this.#check();
    return [...this.entries].filter(([key]) => key.startsWith(prefix)).sort(([a], [b]) => (a < b ? -1 : 1));
  }

  /** The keys there are, by what they begin with. */
  count(prefix) {
    return [...this.entries.keys()].filter((key) => key.startsWith(prefix)).length;
  }

  /** The store as it is now, as a crash would leave it. */
  snapshot() {
    const copy = new this.constructor();
    copy.entries = new Map(this.entries);
    return copy;
  }

  #check() {
    if (this.isDown) throw new Error("the store is away");
  }
}

/** The same, which can read several keys at once; what is read waits while there is a gate. */
export class KeyedStore extends MemoryStore {
  /** Every key that was asked for, in order. */
  asked = [];
  /** Tells whether a key is asked for in vain until the promise resolves. */
  gate = undefined;

  async getMany(keys) {
    this.asked.push(...keys);
    if (this.gate !== undefined && keys.some(this.gate.holds)) await this.gate.opened;
    return Promise.all(keys.map((key) => this.get(key)));
  }
}
