import type { Atlas } from "../corpus/atlas";
import type { Pixel } from "./camera";

/** Squares along a side. */
const SIDE = 96;

/** The points of an atlas by squares, to find which one is near. */
export class Grid {
  readonly #atlas: Atlas;
  readonly #cells: number[][] = Array.from({ length: SIDE * SIDE }, () => []);

  constructor(atlas: Atlas) {
    this.#atlas = atlas;
    atlas.xs.forEach((x, at) => this.#cell(x, atlas.ys[at] as number)?.push(at));
  }

  /** The point nearest to a place of the map, not farther than `reach`. */
  nearest({ x, y }: Pixel, reach: number): number | undefined {
    let best: number | undefined;
    let bestDistance = reach;
    const step = 1 / SIDE;
    const rings = Math.ceil(reach / step);
    for (let dy = -rings; dy <= rings; dy++) {
      for (let dx = -rings; dx <= rings; dx++) {
        for (const at of this.#cell(x + dx * step, y + dy * step) ?? []) {
          const { xs, ys } = this.#atlas;
          const distance = Math.hypot((xs[at] as number) - x, (ys[at] as number) - y);
          if (distance < bestDistance) {
            best = at;
            bestDistance = distance;
          }
        }
      }
    }
    return best;
  }

  #cell(x: number, y: number): number[] | undefined {
    if (x < 0 || y < 0 || x > 1 || y > 1) return undefined;
    const index = (place: number) => Math.min(SIDE - 1, Math.floor(place * SIDE));
    return this.#cells[index(y) * SIDE + index(x)];
  }
}
