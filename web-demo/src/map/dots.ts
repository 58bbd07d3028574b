import type { Atlas } from "../corpus/atlas";
import type { View } from "./camera";
import type { Colour } from "./palette";

/** The entries of a map: where each is, and its number among the colours. */
export type Dots = Pick<Atlas, "xs" | "ys" | "parts">;

/** How dots are painted. */
export interface Look {
  readonly paper: Colour;
  readonly colours: readonly Colour[];
  /** By entry, 1 where it passes a filter; without a filter undefined. */
  readonly lit: Uint8Array | undefined;
}

/** How much of the paper a dot covers, of 256: without a filter, and where one passes it or does not. */
const COVER = 192;
const COVER_LIT = 230;
const COVER_UNLIT = 26;

/** A pixel of a dot: how far from its middle, and how much of it the dot covers, of 256. */
interface Spot {
  readonly dx: number;
  readonly dy: number;
  readonly cover: number;
}

/** Paints dots into pixels (RGBA, row by row), with a graphics processor or without. */
export function paintDots(pixels: Uint8ClampedArray, dots: Dots, view: View, { paper, colours, lit }: Look): void {
  fill(pixels, paper);
  const spots = dotOf(radiusOf(dots.xs.length, view));
  if (lit === undefined) {
    paintEach(pixels, dots, view, colours, spots, () => COVER);
  } else {
    paintEach(pixels, dots, view, colours, spots, (at) => (lit[at] === 0 ? COVER_UNLIT : 0));
    paintEach(pixels, dots, view, colours, spots, (at) => (lit[at] === 0 ? 0 : COVER_LIT));
  }
}

function paintEach(
  pixels: Uint8ClampedArray,
  { xs, ys, parts }: Dots,
  { side, left, top, width, height }: View,
  colours: readonly Colour[],
  spots: readonly Spot[],
  coverOf: (at: number) => number,
): void {
  const reach = spots.reduce((reach, { dx }) => Math.max(reach, dx), 0);
  for (let at = 0; at < xs.length; at++) {
    const x = Math.round((xs[at] as number) * side + left);
    const y = Math.round((ys[at] as number) * side + top);
    const strength = coverOf(at);
    const isSeen = x >= reach && y >= reach && x < width - reach && y < height - reach;
    if (!isSeen || strength === 0) continue;
    const [red, green, blue] = colours[parts[at] as number] as Colour;
    for (const { dx, dy, cover } of spots) {
      const pixel = ((y + dy) * width + x + dx) * 4;
      const share = (cover * strength) >> 8;
      pixels[pixel] = mix(pixels[pixel] as number, red, share);
      pixels[pixel + 1] = mix(pixels[pixel + 1] as number, green, share);
      pixels[pixel + 2] = mix(pixels[pixel + 2] as number, blue, share);
    }
  }
}

function mix(under: number, over: number, share: number): number {
  return under + (((over - under) * share) >> 8);
}

/** Few points are large, many are small, and all grow as one comes nearer. */
function radiusOf(points: number, { side, scale }: View): number {
  const spacing = side / scale / Math.sqrt(points);
  return Math.min(6, Math.max(0.8, 0.16 * spacing * Math.sqrt(scale)));
}

/** The pixels of a dot with soft edges. */
function dotOf(radius: number): Spot[] {
  const spots: Spot[] = [];
  const reach = Math.ceil(radius);
  for (let dy = -reach; dy <= reach; dy++) {
    for (let dx = -reach; dx <= reach; dx++) {
      const cover = Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(dx, dy)));
      if (cover > 0) spots.push({ dx, dy, cover: Math.round(cover * 256) });
    }
  }
  return spots;
}

function fill(pixels: Uint8ClampedArray, [red, green, blue]: Colour): void {
  // Little-endian, as every machine is that browsers run on.
  new Uint32Array(pixels.buffer).fill(0xff000000 | (blue << 16) | (green << 8) | red);
}
