// A map of vectors: their two principal components, found by power iteration.

/** Vectors one after the other, each of `dim` numbers. */
export interface ToProjection {
  readonly vectors: Float32Array;
  readonly dim: number;
}

/** Where each of them is, from 0 to 1. */
export interface FromProjection {
  readonly xs: Float32Array;
  readonly ys: Float32Array;
}

/** Vectors that components are found on; the others only follow. */
const SAMPLE = 4_000;
const ROUNDS = 24;
/** Parts of the points that may lie outside and are moved to the edge. */
const OUTLIERS = 0.005;

self.onmessage = ({ data: { vectors, dim } }: MessageEvent<ToProjection>) => {
  const answer = project(vectors, dim);
  self.postMessage(answer, { transfer: [answer.xs.buffer, answer.ys.buffer] });
};

function project(vectors: Float32Array, dim: number): { xs: Float32Array<ArrayBuffer>; ys: Float32Array<ArrayBuffer> } {
  const count = vectors.length / dim;
  const rows = sampleOf(vectors, dim, count);
  const mean = meanOf(rows, dim);
  const first = component(rows, mean, []);
  const second = component(rows, mean, [first]);
  const along = (axis: Float64Array) => {
    const places = new Float32Array(count);
    for (let at = 0; at < count; at++) places[at] = dot(vectors.subarray(at * dim, (at + 1) * dim), mean, axis);
    return spread(places);
  };
  return { xs: along(first), ys: along(second) };
}

function sampleOf(vectors: Float32Array, dim: number, count: number): Float32Array[] {
  const step = Math.max(1, Math.ceil(count / SAMPLE));
  const rows: Float32Array[] = [];
  for (let at = 0; at < count; at += step) rows.push(vectors.subarray(at * dim, (at + 1) * dim));
  return rows;
}

function meanOf(rows: readonly Float32Array[], dim: number): Float64Array {
  const mean = new Float64Array(dim);
  for (const row of rows) row.forEach((number, at) => (mean[at] = (mean[at] as number) + number / rows.length));
  return mean;
}

/** The direction in which rows differ most, at right angles to those already known. */
function component(rows: readonly Float32Array[], mean: Float64Array, known: readonly Float64Array[]): Float64Array {
  // It begins somewhere that no direction is likely to be at right angles to, the same each time.
  let axis = mean.map((_, at) => Math.sin(at + 1 + 7 * known.length));
  for (let round = 0; round < ROUNDS; round++) {
    const next = new Float64Array(axis.length);
    for (const row of rows) {
      const share = dot(row, mean, axis);
      for (let at = 0; at < next.length; at++) {
        next[at] = (next[at] as number) + share * ((row[at] as number) - (mean[at] as number));
      }
    }
    for (const other of known) {
      const share = next.reduce((sum, number, at) => sum + number * (other[at] as number), 0);
      other.forEach((number, at) => (next[at] = (next[at] as number) - share * number));
    }
    const length = Math.hypot(...next) || 1;
    axis = next.map((number) => number / length);
  }
  return axis;
}

/** How far along an axis a vector is, seen from the mean. */
function dot(row: Float32Array, mean: Float64Array, axis: Float64Array): number {
  let sum = 0;
  for (let at = 0; at < axis.length; at++) {
    sum += ((row[at] as number) - (mean[at] as number)) * (axis[at] as number);
  }
  return sum;
}

/** Places from 0 to 1; a single one in the middle. */
function spread(places: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  const sorted = places.toSorted();
  const edge = Math.floor(sorted.length * OUTLIERS);
  const [least, most] = [sorted[edge] ?? 0, sorted[sorted.length - 1 - edge] ?? 0];
  const extent = most - least;
  return places.map((place) => (extent === 0 ? 0.5 : Math.min(1, Math.max(0, (place - least) / extent))));
}
