/** Milliseconds of work after which others get their turn: half a frame. */
const WORK_MS_MAX = 8;

/** Lets everything else that waits have its turn. */
export function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}

/** A stretch of work that pauses now and then. */
export class Turn {
  #until = performance.now() + WORK_MS_MAX;

  /** Pauses when the work has taken long enough. */
  async rest(): Promise<void> {
    if (performance.now() >= this.#until) {
      await pause();
      this.#until = performance.now() + WORK_MS_MAX;
    }
  }
}
