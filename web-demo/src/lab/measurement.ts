/** A way to keep and to ask, that is measured. */
export interface Series {
  readonly name: string;
  /** What the graph is walked on. */
  readonly quantization: "bits4" | "f32" | "i8" | "binary";
  /** Which entries may be found. */
  readonly filter: { readonly part?: string; readonly category?: string };
}

/** One measurement. */
export interface Point {
  readonly ef: number;
  /** Of what comparing with everything finds, how much was found, on average. */
  readonly recall: number;
  /** Of one query, the median. */
  readonly milliseconds: number;
  /** Distances computed by one query, on average. */
  readonly visited: number;
  readonly plan: string;
}

/** Candidates that the graph considers. */
export const EFS = [10, 16, 24, 40, 64, 100, 160] as const;

/** What the laboratory is told: which database to measure on. */
export interface ToLaboratory {
  readonly name: string;
  /** By which it is filtered. */
  readonly part: string | undefined;
}

/** What it tells. */
export type FromLaboratory =
  | { readonly kind: "phase"; readonly words: string; readonly done: number; readonly total: number }
  | { readonly kind: "point"; readonly series: string; readonly point: Point; readonly memoryBytes: number }
  | { readonly kind: "done"; readonly entries: number }
  | { readonly kind: "failed"; readonly message: string };
