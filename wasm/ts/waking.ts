import { VectordocError, guard, isTrap } from "./error.js";
import type { Engine } from "./raw/engine.js";
import { type Store, valuesOf } from "./store.js";

/** Pages that are fetched together: few, so that what is asked meanwhile waits for few. */
const PIECE_PAGES = 64;
/** Pieces that are asked for ahead. */
const PIECES_AHEAD = 2;
/** Rounds of fetching what a call lacks, after which it waits for everything. */
const ROUNDS_MAX = 8;

/** An engine that answers while what it left at rest is taken into memory. */
export class Waking {
  readonly #engine: Engine;
  readonly #store: Store;
  #underWay: Promise<void> | undefined;
  #isStopped = false;
  /** What calls wait for. */
  readonly #fetches = new Set<Promise<unknown>>();

  constructor(engine: Engine, store: Store) {
    this.#engine = engine;
    this.#store = store;
  }

  /** Resolves when all is in memory; after a failure another call goes on. */
  finish(): Promise<void> {
    this.#underWay ??= this.#takeAll().catch((error: unknown) => {
      this.#underWay = undefined;
      throw error;
    });
    return this.#underWay;
  }

  /** Stops, what waits for it being rejected; resolves when nothing is fetched any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.allSettled([this.#underWay, ...this.#fetches]);
  }

  /** What a call comes to that may look for pages which are not there yet: they are fetched. */
  async answer<T>(call: () => T): Promise<T> {
    for (let round = 1; ; round++) {
      try {
        return call();
      } catch (error) {
        const wanted = isTrap(error) ? [] : this.#engine.wanted();
        if (wanted.length === 0) {
          throw error;
        }
        if (round < ROUNDS_MAX) {
          const values = await this.#fetch(wanted);
          this.#checkStopped();
          this.#engine.bring(wanted, values);
        } else {
          await this.finish();
        }
      }
    }
  }

  #checkStopped(): void {
    if (this.#isStopped) {
      throw new VectordocError("closed", "the database was closed before all of it was read");
    }
  }

  async #fetch(keys: readonly string[]): Promise<(Uint8Array | undefined)[]> {
    const values = valuesOf(this.#store, keys);
    this.#fetches.add(values);
    return values.finally(() => this.#fetches.delete(values));
  }

  async #takeAll(): Promise<void> {
    const keys = this.#engine.resting();
    const pieces: Promise<(Uint8Array | undefined)[]>[] = [];
    let next = 0;
    do {
      await Promise.allSettled(this.#fetches);
      while (next < keys.length && pieces.length < PIECES_AHEAD) {
        const piece = valuesOf(this.#store, keys.slice(next, next + PIECE_PAGES));
        // It is waited for later.
        piece.catch(() => undefined);
        pieces.push(piece);
        next += PIECE_PAGES;
      }
      const values = (await pieces.shift()) ?? [];
      if (this.#isStopped) {
        await Promise.allSettled(pieces);
      }
      this.#checkStopped();
      guard(() => this.#engine.wake(values));
    } while (next < keys.length || pieces.length > 0);
  }
}
