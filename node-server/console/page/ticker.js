// Work that is done again and again while somebody looks.

/**
 * Does `work` now, and again `pause_ms` after it is done, while the page is visible, until `signal`.
 * What it throws goes to `fail`.
 *
 * @param {number} pause_ms
 * @param {AbortSignal} signal
 * @param {() => Promise<void>} work
 * @param {(error: unknown) => void} fail
 */
export async function repeat(pause_ms, signal, work, fail) {
  while (!signal.aborted) {
    try {
      await work();
    } catch (error) {
      if (!signal.aborted) {
        fail(error);
      }
    }
    await pause(pause_ms, signal);
    await visible(signal);
  }
}

/**
 * @param {number} ms
 * @param {AbortSignal} signal
 */
export function pause(ms, signal) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    const stop = () => {
      clearTimeout(timer);
      resolve(undefined);
    };
    signal.addEventListener("abort", stop, { once: true });
  });
}

/**
 * Until the page is visible.
 *
 * @param {AbortSignal} signal
 */
async function visible(signal) {
  while (document.visibilityState === "hidden" && !signal.aborted) {
    await new Promise((resolve) => {
      const options = { once: true, signal };
      document.addEventListener("visibilitychange", resolve, options);
      signal.addEventListener("abort", resolve, { once: true });
    });
  }
}
