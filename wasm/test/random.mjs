/** Numbers that look random and can be had again: `SEED=… npm test`. */
export class Random {
  #seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 32));
  #state = this.#seed;

  /** What to say when a test fails. */
  get story() {
    return `run again with SEED=${this.#seed}`;
  }

  /** A number from −1 to 1 (mulberry32). */
  number() {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 31 - 1;
  }

  /** A vector of `dim` such numbers. */
  vector(dim) {
    return Array.from({ length: dim }, () => this.number());
  }
}
