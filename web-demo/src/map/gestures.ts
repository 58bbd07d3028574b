import type { Camera, Pixel } from "./camera";

/** Pixels that a pointer may move and still click. */
const CLICK_PX = 5;
const KEY_PAN_PX = 60;
const KEY_ZOOM = 1.4;

/** What gestures do to whatever they are made on. */
export interface Moved {
  /** The camera moved. */
  moved(): void;
  /** A pointer is over this pixel, or over none. */
  hovered(at: Pixel | undefined): void;
  clicked(at: Pixel): void;
}

/** Pans and zooms a camera by mouse, touch, pen and keyboard. Pixels are those of the canvas. */
export class Gestures {
  readonly #element: HTMLElement;
  readonly #camera: Camera;
  readonly #on: Moved;
  readonly #pointers = new Map<number, Pixel>();
  #travelled = 0;

  constructor(element: HTMLElement, camera: Camera, on: Moved) {
    this.#element = element;
    this.#camera = camera;
    this.#on = on;
    element.addEventListener("pointerdown", (event) => this.#press(event));
    element.addEventListener("pointermove", (event) => this.#move(event));
    element.addEventListener("pointerup", (event) => this.#release(event));
    element.addEventListener("pointercancel", ({ pointerId }) => this.#pointers.delete(pointerId));
    element.addEventListener("pointerleave", () => on.hovered(undefined));
    element.addEventListener("wheel", (event) => this.#turn(event), { passive: false });
    element.addEventListener("keydown", (event) => this.#key(event));
  }

  #press(event: PointerEvent): void {
    this.#element.setPointerCapture(event.pointerId);
    this.#pointers.set(event.pointerId, this.#at(event));
    this.#travelled = 0;
  }

  #move(event: PointerEvent): void {
    const [at, before] = [this.#at(event), this.#pointers.get(event.pointerId)];
    if (before === undefined) {
      this.#on.hovered(at);
      return;
    }
    const spreadBefore = this.#spread();
    this.#pointers.set(event.pointerId, at);
    this.#travelled += Math.hypot(at.x - before.x, at.y - before.y);
    const fingers = this.#pointers.size;
    this.#camera.pan((at.x - before.x) / fingers, (at.y - before.y) / fingers);
    if (fingers === 2 && spreadBefore > 0) {
      this.#camera.zoom(this.#spread() / spreadBefore, this.#middle());
    }
    this.#on.moved();
  }

  #release(event: PointerEvent): void {
    const wasAlone = this.#pointers.size === 1;
    this.#pointers.delete(event.pointerId);
    if (wasAlone && this.#travelled < CLICK_PX * this.#density()) this.#on.clicked(this.#at(event));
  }

  #turn(event: WheelEvent): void {
    event.preventDefault();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
    this.#camera.zoom(Math.exp(-event.deltaY * lines * 0.0016), this.#at(event));
    this.#on.moved();
  }

  #key(event: KeyboardEvent): void {
    const step = KEY_PAN_PX * this.#density();
    const keys: { readonly [key: string]: () => void } = {
      ArrowLeft: () => this.#camera.pan(step, 0),
      ArrowRight: () => this.#camera.pan(-step, 0),
      ArrowUp: () => this.#camera.pan(0, step),
      ArrowDown: () => this.#camera.pan(0, -step),
      "+": () => this.#camera.zoom(KEY_ZOOM),
      "=": () => this.#camera.zoom(KEY_ZOOM),
      "-": () => this.#camera.zoom(1 / KEY_ZOOM),
      "0": () => this.#camera.reset(),
    };
    const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
    if (act !== undefined) {
      event.preventDefault();
      act();
      this.#on.moved();
    }
  }

  #at({ clientX, clientY }: MouseEvent): Pixel {
    const { left, top } = this.#element.getBoundingClientRect();
    const density = this.#density();
    return { x: (clientX - left) * density, y: (clientY - top) * density };
  }

  #density(): number {
    return this.#camera.width / Math.max(1, this.#element.clientWidth);
  }

  #spread(): number {
    const [a, b] = [...this.#pointers.values()];
    return a && b ? Math.hypot(a.x - b.x, a.y - b.y) : 0;
  }

  #middle(): Pixel {
    const [a, b] = [...this.#pointers.values()];
    return a && b ? { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 } : { x: 0, y: 0 };
  }
}
