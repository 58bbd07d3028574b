/** Milliseconds after which a frame is not waited for any more. */
const FRAME_MS_MAX = 250;

/**
 * Runs a task with the next frame; by the clock where no frames are made, as browsers do with pages
 * that nobody looks at: such a page is complete when somebody looks again. Returns how not to run it.
 */
export function withNextFrame(task: (now: number) => void): () => void {
  const run = () => {
    cancel();
    task(performance.now());
  };
  const frame = requestAnimationFrame(run);
  const timer = setTimeout(run, FRAME_MS_MAX);
  const cancel = () => {
    cancelAnimationFrame(frame);
    clearTimeout(timer);
  };
  return cancel;
}
