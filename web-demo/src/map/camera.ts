/** How far one can zoom in. */
const SCALE_MAX = 60;
/** Part of the canvas that is left free around all points. */
const MARGIN = 0.06;

/** A point in pixels of a canvas. */
export interface Pixel {
  readonly x: number;
  readonly y: number;
}

/** What a camera saw at one moment: points are on the canvas at `x * side + left`, `y * side + top`. */
export interface View {
  readonly width: number;
  readonly height: number;
  readonly side: number;
  readonly left: number;
  readonly top: number;
  /** How much larger than all of it. */
  readonly scale: number;
}

/** Where a point of the map is in a view. */
export function toPixel(x: number, y: number, { side, left, top }: View): Pixel {
  return { x: x * side + left, y: y * side + top };
}

/** Which part of the map is seen: a point of it in the middle, and how much larger than all of it. */
export class Camera {
  width = 1;
  height = 1;
  #x = 0.5;
  #y = 0.5;
  #scale = 1;

  /** What it sees now. */
  get view(): View {
    const { width, height, side, left, top } = this;
    return { width, height, side, left, top, scale: this.#scale };
  }

  /** Pixels that the side of the whole map takes. */
  get side(): number {
    return Math.min(this.width, this.height) * (1 - 2 * MARGIN) * this.#scale;
  }

  get left(): number {
    return this.width / 2 - this.#x * this.side;
  }

  get top(): number {
    return this.height / 2 - this.#y * this.side;
  }

  /** Where on the map a pixel is. */
  toMap({ x, y }: Pixel): Pixel {
    return { x: (x - this.left) / this.side, y: (y - this.top) / this.side };
  }

  pan(dx: number, dy: number): void {
    this.#moveTo(this.#x - dx / this.side, this.#y - dy / this.side);
  }

  /** Zooms so that what is at a pixel stays there. */
  zoom(factor: number, at: Pixel = { x: this.width / 2, y: this.height / 2 }): void {
    const before = this.toMap(at);
    this.#scale = Math.min(SCALE_MAX, Math.max(1, this.#scale * factor));
    const after = this.toMap(at);
    this.#moveTo(this.#x + before.x - after.x, this.#y + before.y - after.y);
  }

  reset(): void {
    this.#scale = 1;
    this.#moveTo(0.5, 0.5);
  }

  /** Shows points as large as they fit, but not larger than `scale`. */
  frame(xs: readonly number[], ys: readonly number[], scale: number): void {
    const [left, right] = [Math.min(...xs), Math.max(...xs)];
    const [top, bottom] = [Math.min(...ys), Math.max(...ys)];
    const extent = Math.max(right - left, bottom - top, 1e-3);
    this.#scale = Math.min(scale, Math.max(1, 0.7 / extent));
    this.#moveTo((left + right) / 2, (top + bottom) / 2);
  }

  /** Where it looks, to go there by and by. */
  get pose(): Pose {
    return { x: this.#x, y: this.#y, scale: this.#scale };
  }

  set pose({ x, y, scale }: Pose) {
    this.#scale = scale;
    this.#moveTo(x, y);
  }

  #moveTo(x: number, y: number): void {
    this.#x = Math.min(1, Math.max(0, x));
    this.#y = Math.min(1, Math.max(0, y));
  }
}

/** Where a camera looks. */
export interface Pose {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

/** What is a part of the way from one pose to another; scales grow by factors. */
export function between(from: Pose, to: Pose, part: number): Pose {
  const mix = (a: number, b: number) => a + (b - a) * part;
  return {
    x: mix(from.x, to.x),
    y: mix(from.y, to.y),
    scale: from.scale * (to.scale / from.scale) ** part,
  };
}
