/** A vector going in. Answers hold `Float32Array`. */
export type Vector = Float32Array | readonly number[];

/** A point in time going in, text as RFC 3339 writes it. Answers hold text. */
export type Timestamp = string | Date;

/** A point on the Earth, in degrees. */
export interface GeoPoint {
  /** -90 to 90: north is positive. */
  readonly lat: number;
  /** -180 to 180: east is positive. */
  readonly lon: number;
}

/** The types of single values by their names, and what a document holds. */
interface Scalars {
  boolean: boolean;
  bool: boolean;
  string: string;
  bytes: Uint8Array;
  number: number;
  f32: number;
  f64: number;
  integer: number;
  i8: number;
  i16: number;
  i32: number;
  i64: number | bigint;
  u8: number;
  u16: number;
  u32: number;
  u64: number | bigint;
  /** As RFC 3339 writes it: `"2026-01-31T12:00:00Z"`. */
  timestamp: Timestamp;
  uuid: string;
  geo: GeoPoint;
  /** Anything JSON can say; filters cannot ask about it. */
  json: unknown;
}

/** The name of a field's type: `"string"`, `"string[]"`, `"string?"`, `"string[]?"`. */
export type TypeName = `${keyof Scalars}${"" | "[]"}${"" | "?"}`;

/** What ids are. */
export type IdType = "string" | "uuid" | "u64" | "integer" | "number";

/** The id, when it is not the field called `id`. */
export interface IdField {
  readonly type: IdType;
  readonly id: true;
}

/** A field that holds a vector and can be searched. */
export interface VectorField {
  /** Numbers in each vector. */
  readonly vector: number;
  /** How distance is measured; `cosine` unless given. */
  readonly metric?: "cosine" | "l2" | "dot";
  /**
   * What is kept of each number; `f32` unless given. Less is rounded when it is written: `f16` to 11
   * significant bits, `i8` to one of 255 steps of each vector's own. Documents that are read have,
   * and distances are of, what was kept.
   */
  readonly precision?: "f32" | "f16" | "i8";
  /** Whether a document may lack it. */
  readonly optional?: boolean;
  /** The algorithm; `auto` unless given: a scan while that is fastest, a graph beyond. */
  readonly index?: "auto" | "exact" | "hnsw";
  /** Links per node of the graph. */
  readonly m?: number;
  /** Candidates considered when a node is inserted. */
  readonly ef_construction?: number;
  /** Candidates considered by a search that does not say; measured unless given. */
  readonly ef?: number;
  /**
   * What the many are compared by before the nearest are in full, nothing finer than `precision`;
   * unless given, `i8` below 96 numbers and where `precision` is `i8`, else `i4`.
   */
  readonly quantization?: "f32" | "f16" | "i8" | "i4" | "binary";
}

/** A field that holds a value. */
export interface ValueField {
  readonly type: TypeName;
  /** The words that a `"string"` or each of a `"string[]"` can be. */
  readonly enum?: readonly string[];
  /** Whether filters can ask about it. */
  readonly filter?: boolean;
  /** Whether the words of a `"string"` or a `"string[]"` are indexed. */
  readonly text?: boolean;
  /** Whether a document may lack it. */
  readonly optional?: boolean;
}

/** A field that holds an object, or any number of them. */
export interface ObjectField {
  readonly type?: "object" | "object?" | "object[]" | "object[]?";
  readonly fields: { readonly [name: string]: TypeName | ValueField | ObjectField };
  /** Whether filters can ask about those of its fields that are filterable; true unless given. */
  readonly filter?: boolean;
  /** Whether a document may lack it. */
  readonly optional?: boolean;
}

/** One field of a schema. */
export type Field = TypeName | IdType | IdField | VectorField | ValueField | ObjectField;

/**
 * What the documents of a database look like. One field is the id: the one marked `id: true`, or
 * else the one called `id`.
 */
export interface Schema {
  readonly [name: string]: Field;
}

/** The document a schema describes. */
export type DocumentOf<S> = ObjectOf<S>;

/** The name of the id field of a schema. */
export type IdNameOf<S> = {
  [N in keyof S]: S[N] extends { id: true } ? N : N extends "id" ? N : never;
}[keyof S];

/** The dotted paths that filters can ask about, each with the type of its field. */
export type FilterableOf<S> = { [P in PathsOf<S> as P[0]]: P[1] };

type ObjectOf<S> = Flat<
  { -readonly [N in keyof S as IsOptional<S[N]> extends true ? never : N]: ValueOf<S[N]> } & {
    -readonly [N in keyof S as IsOptional<S[N]> extends true ? N : never]?:
      ValueOf<S[N]> | undefined;
  }
>;

type Flat<T> = { [N in keyof T]: T[N] };

type IsOptional<F> = F extends `${string}?` | { optional: true } | { type: `${string}?` }
  ? true
  : false;

type ValueOf<F> = F extends string
  ? TypeOf<F>
  : F extends { vector: number }
    ? Vector
    : F extends { fields: infer Fields }
      ? ManyOf<F, ObjectOf<Fields>>
      : F extends { enum: readonly (infer Word)[] }
        ? ManyOf<F, Word>
        : F extends { type: infer Name }
          ? TypeOf<Name>
          : never;

/** What a field holds whose elements are `T`: an array of them, or one. */
type ManyOf<F, T> = F extends { type: `${string}[]${"" | "?"}` } ? T[] : T;

type TypeOf<Name> = Name extends `${infer Base}?`
  ? TypeOf<Base>
  : Name extends `${infer Base}[]`
    ? TypeOf<Base>[]
    : Name extends keyof Scalars
      ? Scalars[Name]
      : never;

/** What a text is to filters that is marked `text` and not `filter`. */
export interface WordsOnly {
  readonly $words: true;
}

/** `[path, type]` of every filterable field. */
type PathsOf<S, Prefix extends string = ""> = {
  [N in keyof S & string]: S[N] extends { fields: infer Fields; filter?: infer Filter }
    ? Filter extends false
      ? never
      : PathsOf<Fields, `${Prefix}${N}.`>
    : S[N] extends { type: TypeName; filter: true }
      ? [`${Prefix}${N}`, ValueOf<S[N]>]
      : S[N] extends { text: true }
        ? [`${Prefix}${N}`, WordsOnly]
        : never;
}[keyof S & string];
