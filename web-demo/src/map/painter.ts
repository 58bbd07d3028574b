import type { Atlas } from "../corpus/atlas";
import type { Camera } from "./camera";
import type { Colour, Palette } from "./palette";

/** A pixel of a dot: how far from its middle, and how much of it the dot covers, of 256. */
interface Spot {
  readonly dx: number;
  readonly dy: number;
  readonly cover: number;
}

/**
 * Paints all points of an atlas into a canvas, pixel by pixel: tens of thousands take a few
 * milliseconds in any browser, with a graphics processor or without.
 */
export class Painter {
  readonly #context: CanvasRenderingContext2D;
  #image = new ImageData(1, 1);

  constructor(canvas: HTMLCanvasElement) {
    const context = canvas.getContext("2d", { alpha: false });
    if (context === null) throw new Error("this browser has no canvas");
    this.#context = context;
  }

  /** Points that are not `lit` are pale. */
  paint(atlas: Atlas, camera: Camera, palette: Palette, lit: Uint8Array | undefined): void {
    const { width, height } = camera;
    if (this.#image.width !== width || this.#image.height !== height) {
      this.#image = new ImageData(width, height);
    }
    fill(this.#image, palette.paper);
    const colours = atlas.partNames.map((part) => palette.parts[part] ?? palette.other);
    const spots = dot(radiusOf(atlas.ids.length, camera));
    if (lit === undefined) {
      this.#points(atlas, camera, colours, spots, () => 0.75);
    } else {
      this.#points(atlas, camera, colours, spots, (at) => (lit[at] === 0 ? 0.1 : 0));
      this.#points(atlas, camera, colours, spots, (at) => (lit[at] === 0 ? 0 : 0.9));
    }
    this.#context.putImageData(this.#image, 0, 0);
  }

  #points(
    { xs, ys, parts }: Atlas,
    { side, left, top, width, height }: Camera,
    colours: readonly Colour[],
    spots: readonly Spot[],
    strength: (at: number) => number,
  ): void {
    const { data } = this.#image;
    const reach = spots.reduce((reach, { dx }) => Math.max(reach, dx), 0);
    for (let at = 0; at < xs.length; at++) {
      const x = Math.round((xs[at] as number) * side + left);
      const y = Math.round((ys[at] as number) * side + top);
      const part = strength(at);
      const isSeen = x >= reach && y >= reach && x < width - reach && y < height - reach;
      if (!isSeen || part === 0) continue;
      const [red, green, blue] = colours[parts[at] as number] as Colour;
      for (const { dx, dy, cover } of spots) {
        const pixel = ((y + dy) * width + x + dx) * 4;
        const share = cover * part;
        data[pixel] = mix(data[pixel] as number, red, share);
        data[pixel + 1] = mix(data[pixel + 1] as number, green, share);
        data[pixel + 2] = mix(data[pixel + 2] as number, blue, share);
      }
    }
  }
}

function mix(under: number, over: number, share: number): number {
  return under + ((over - under) * share) / 256;
}

/** Few points are large, many are small, and all grow as one comes nearer. */
function radiusOf(points: number, { side, scale }: Camera): number {
  const spacing = side / scale / Math.sqrt(points);
  return Math.min(6, Math.max(0.8, 0.16 * spacing * Math.sqrt(scale)));
}

/** The pixels of a dot with soft edges. */
function dot(radius: number): Spot[] {
  const spots: Spot[] = [];
  const reach = Math.ceil(radius);
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) {
      const cover = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(dx, dy)));
      if (cover > 0) spots.push({ dx, dy, cover: cover * 256 });
    }
  }
  return spots;
}

function fill({ data }: ImageData, [red, green, blue]: Colour): void {
  // Little-endian, as every machine is that browsers run on.
  new Uint32Array(data.buffer).fill(0xff000000 | (blue << 16) | (green << 8) | red);
}
