import type { View } from "./camera";
import type { Dots, Look } from "./dots";
import type { ToPainter } from "./painter.worker";

const BYTES_PER_PIXEL = 4;

/**
 * Paints dots into a canvas by a worker, so that the page is free meanwhile. It paints one view at a
 * time; of those wanted before it is done only the last one comes next.
 */
export class Painter {
  readonly #worker = new Worker(new URL("./painter.worker.ts", import.meta.url), { type: "module" });
  readonly #context: CanvasRenderingContext2D;
  readonly #onPainted: (view: View) => void;
  /** What is being painted. */
  #current: View | undefined;
  /** What is to be painted next. */
  #next: View | undefined;
  /** Memory to paint into, while the worker does not have it. */
  #pixels = new ArrayBuffer(0);

  /** Calls `onPainted` each time that the canvas shows another view. */
  constructor(canvas: HTMLCanvasElement, onPainted: (view: View) => void) {
    const context = canvas.getContext("2d");
    if (context === null) throw new Error("this browser has no canvas");
    this.#context = context;
    this.#onPainted = onPainted;
    this.#worker.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => this.#show(data);
  }

  use({ xs, ys, parts }: Dots): void {
    this.#tell({ dots: { xs, ys, parts } });
  }

  look(look: Look): void {
    this.#tell({ look });
  }

  paint(view: View): void {
    if (this.#current === undefined) this.#begin(view);
    else this.#next = view;
  }

  #begin(view: View): void {
    this.#current = view;
    const size = view.width * view.height * BYTES_PER_PIXEL;
    const pixels = this.#pixels.byteLength === size ? this.#pixels : new ArrayBuffer(size);
    this.#tell({ view, pixels }, [pixels]);
  }

  #show(pixels: ArrayBuffer): void {
    const view = this.#current as View;
    this.#current = undefined;
    this.#pixels = pixels;
    const { canvas } = this.#context;
    const isForThis = canvas.width === view.width && canvas.height === view.height;
    if (isForThis) {
      this.#context.putImageData(new ImageData(new Uint8ClampedArray(pixels), view.width), 0, 0);
    }
    const next = this.#next;
    this.#next = undefined;
    if (next) this.#begin(next);
    if (isForThis) this.#onPainted(view);
  }

  #tell(message: ToPainter, transfer: Transferable[] = []): void {
    this.#worker.postMessage(message, transfer);
  }
}
