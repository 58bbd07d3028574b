import type { GeoPoint } from "./schema.js";

/** Which fields of a document change, and how: nested ones by dotted path, each field once. */
export interface Changes<Doc, IdName> {
  /** New values. */
  readonly set?: { readonly [F in Fields<Doc, IdName> as PathOf<F>]?: TypeOf<F> };
  /** Optional fields that are to have no value. */
  readonly unset?: readonly OptionalOf<Fields<Doc, IdName>>[];
  /** Numbers to add, negative ones to subtract; a missing number counts as 0. */
  readonly increment?: {
    readonly [F in Fields<Doc, IdName> as IsNumber<TypeOf<F>> extends true ? PathOf<F> : never]?:
      number | bigint;
  };
}

/** A write on the condition that nobody else wrote the document meanwhile. */
export interface Conditional {
  /**
   * The version that the document must have, as `get` with `versions` or an earlier write said it;
   * 0 when there must be none yet. The write rejects as `conflict` otherwise.
   */
  readonly ifVersion?: number;
}

/** What a write of one document did. */
export interface Versioned {
  /** The version the document has now. */
  readonly version: number;
}

/** `[path, type]` of every field but the id. */
type Fields<Doc, IdName> = FieldsIn<Omit<Doc, IdName & keyof Doc>>;

type FieldsIn<T, Prefix extends string = ""> = {
  [N in keyof T & string]-?:
    | [`${Prefix}${N}`, T[N]]
    | (NonNullable<T[N]> extends Whole ? never : FieldsIn<NonNullable<T[N]>, `${Prefix}${N}.`>);
}[keyof T & string];

/** What is set as a whole. */
type Whole =
  | string
  | number
  | bigint
  | boolean
  | Date
  | ArrayBufferView
  | GeoPoint
  | readonly unknown[];

type PathOf<F> = F extends [infer Path extends string, unknown] ? Path : never;

type TypeOf<F> = F extends [string, infer T] ? T : never;

/** The paths of those that a document may lack. */
type OptionalOf<F> = F extends [infer Path, infer T] ? (undefined extends T ? Path : never) : never;

type IsNumber<T> = [NonNullable<T>] extends [number | bigint] ? true : false;
