import type { Atlas } from "../corpus/atlas";
import { categoryName } from "../corpus/words";

/** Squares along a side in which points are counted. */
const GRID = 16;
/** Fewer entries make no region. */
const ENTRIES_MIN = 12;

/** A category, where most of it is. */
export interface Region {
  readonly name: string;
  readonly entries: number;
  readonly x: number;
  readonly y: number;
}

/** Where the categories of an atlas are, the largest first; of two with one name the larger. */
export function regionsOf(atlas: Atlas): Region[] {
  const members: number[][] = atlas.categoryNames.map(() => []);
  atlas.categories.forEach((category, at) => members[category]?.push(at));
  const regions = members.map((places, number) => ({
    name: categoryName(atlas.categoryNames[number] ?? ""),
    entries: places.length,
    ...middleOf(atlas, densest(atlas, places)),
  }));
  const sorted = regions.sort((a, b) => b.entries - a.entries);
  const isFirst = ({ name }: Region, at: number) => sorted.findIndex((other) => other.name === name) === at;
  const isRegion = ({ name, entries }: Region) => entries >= ENTRIES_MIN && name !== "general";
  return sorted.filter((region, at) => isRegion(region) && isFirst(region, at));
}

/** The entries in the square that has most of them. */
function densest({ xs, ys }: Atlas, places: readonly number[]): number[] {
  const cells = new Map<number, number[]>();
  for (const at of places) {
    const cell = cellOf(ys[at] as number) * GRID + cellOf(xs[at] as number);
    const known = cells.get(cell);
    if (known) known.push(at);
    else cells.set(cell, [at]);
  }
  return [...cells.values()].reduce((most, cell) => (cell.length > most.length ? cell : most), []);
}

function cellOf(place: number): number {
  return Math.min(GRID - 1, Math.floor(place * GRID));
}

function middleOf({ xs, ys }: Atlas, places: readonly number[]): { x: number; y: number } {
  const mean = (values: Float32Array) =>
    places.reduce((sum, at) => sum + (values[at] as number), 0) / Math.max(1, places.length);
  return { x: mean(xs), y: mean(ys) };
}
