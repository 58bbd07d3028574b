import type { GeoPoint } from "./schema.js";

/** What an id can be. Ids beyond 2^53 are bigints. */
export type Id = string | number | bigint;

/** The names of the vector fields of a document, known by their type. */
export type VectorNames<Doc> = {
  [N in keyof Doc]-?: Float32Array extends NonNullable<Doc[N]> ? N : never;
}[keyof Doc];

/** The name of the id field of a document whose schema is not known to the compiler. */
export type IdNameIn<Doc> = keyof Doc & "id";

/** As `FilterableOf`, for a document whose schema is not known to the compiler: every value. */
export type FilterableIn<Doc> = {
  [P in PathsIn<Doc> as P extends [infer Path extends string, unknown] ? Path : never]: P extends [
    string,
    infer T,
  ]
    ? T
    : never;
};

/**
 * Which fields the documents of an answer carry: those named, or all of them with `"*"`. Without
 * it, all but the vectors. The id is always there.
 */
export type Include<Doc> = "*" | readonly (keyof Doc & string)[] | undefined;

/** A document as far as `include` asks for it. */
export type Included<Doc, IdName extends keyof Doc, I> = I extends "*"
  ? Stored<Doc>
  : I extends readonly (infer N)[]
    ? Pick<Stored<Doc>, IdName | Extract<N, keyof Doc>>
    : Omit<Stored<Doc>, VectorNames<Doc>>;

/** A document that was found. */
export interface Hit<Doc> {
  readonly id: Id;
  /** Bigger is better, for every metric. */
  readonly score: number;
  /** The metric's own value; smaller is nearer. */
  readonly distance: number;
  readonly doc: Doc;
}

/** How many documents have a value. */
export interface Counted {
  /** The value; timestamps and UUIDs as text. */
  readonly value: string | number | bigint | boolean | Uint8Array | GeoPoint;
  /** Documents that have it. */
  readonly count: number;
}

/** The best hits with one value of a field. */
export interface HitGroup<Doc> {
  /** The value they have in common. */
  readonly value: Counted["value"];
  /** Best first. */
  readonly hits: readonly Hit<Doc>[];
}

/** A document as it comes back: its vectors as typed arrays, points in time as text. */
type Stored<Doc> = {
  [N in keyof Doc]: N extends VectorNames<Doc>
    ? Float32Array | (undefined extends Doc[N] ? undefined : never)
    : Answered<Doc[N]>;
};

/** A value as it comes back. */
type Answered<T> = T extends Date
  ? string
  : T extends Scalar | ArrayBufferView | GeoPoint
    ? T
    : T extends readonly unknown[] | object
      ? { [N in keyof T]: Answered<T[N]> }
      : T;

type Scalar = string | number | bigint | boolean | Date | GeoPoint;

/** `[path, type]` of every value field. */
type PathsIn<Doc, Prefix extends string = ""> = {
  [N in keyof Doc & string]-?: N extends VectorNames<Doc>
    ? never
    : NonNullable<Doc[N]> extends Scalar | readonly Scalar[]
      ? [`${Prefix}${N}`, NonNullable<Doc[N]>]
      : PathsIn<NonNullable<Doc[N]>, `${Prefix}${N}.`>;
}[keyof Doc & string];
