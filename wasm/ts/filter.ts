import type { GeoPoint, WordsOnly } from "./schema.js";

/**
 * Which documents: conditions on fields that all hold, and filters combined. `Fields` has the type
 * of each path that can be asked about; a number after the path of an array asks about one element.
 */
export type Filter<Fields> = {
  readonly [P in keyof Fields]?: Condition<Fields[P], Fields>;
} & {
  readonly [P in ArrayPath<Fields> as `${P}.${number}`]?: Condition<Element<Fields[P]>, Fields>;
} & {
  readonly $and?: Filters<Fields>;
  readonly $or?: Filters<Fields>;
  /** None of them. */
  readonly $nor?: Filters<Fields>;
  readonly $not?: Filter<Fields>;
};

/** The paths of fields that have values to filters, not words alone. */
export type FieldName<Fields> = {
  [P in keyof Fields & string]: [Fields[P]] extends [WordsOnly] ? never : P;
}[keyof Fields & string];

/** Several filters: a list, or one object of conditions. */
type Filters<Fields> = readonly Filter<Fields>[] | Filter<Fields>;

/** What holds for one field: it equals a value (`null`: it is missing), or it passes tests. */
export type Condition<T, Fields = unknown> = [T] extends [WordsOnly]
  ? WordTests
  : Compared<Element<T>, Fields> | null | Tests<T, Fields>;

/** An array passes a test when one of its elements does, but for `$size` and the negative ones. */
export type Tests<T, Fields = unknown> = Equalities<Element<T>, Fields> &
  (IsOrdered<Element<T>> extends true ? Orders<Element<T>, Fields> : unknown) &
  ([T] extends [readonly unknown[]] ? ArrayTests<Element<T>> : unknown) &
  (IsText<Element<T>> extends true ? TextTests : unknown) &
  ([Element<T>] extends [GeoPoint] ? GeoTests : unknown) & {
    readonly $not?: Tests<T, Fields>;
  };

/** What a field is compared with: a value, another field, or text that looks like one. */
type Compared<T, Fields> =
  | T
  | { readonly $field: FieldName<Fields> }
  | (string extends T ? { readonly $literal: T } : never);

interface Equalities<T, Fields> {
  readonly $eq?: Compared<T, Fields> | null;
  readonly $ne?: Compared<T, Fields> | null;
  readonly $neq?: Compared<T, Fields> | null;
  readonly $in?: readonly (T | null)[];
  readonly $any?: readonly (T | null)[];
  readonly $nin?: readonly (T | null)[];
  /** Whether the field is there and not null. */
  readonly $exists?: boolean;
}

/** Numbers stand by size, text by its bytes, points in time one after the other. */
interface Orders<T, Fields> {
  readonly $lt?: Compared<T, Fields>;
  readonly $lte?: Compared<T, Fields>;
  readonly $gt?: Compared<T, Fields>;
  readonly $gte?: Compared<T, Fields>;
}

interface ArrayTests<T> {
  readonly $all?: readonly T[];
  readonly $contains?: T;
  /** How many elements there are. */
  readonly $size?: number;
}

interface WordTests {
  /** A text, or the texts of an array together, have all these words; the field is marked `text`. */
  readonly $text?: string;
  readonly $not?: WordTests;
}

/** Those with `i` ignore case. */
interface TextTests extends Pick<WordTests, "$text"> {
  /** A text has this part; an array has this element. */
  readonly $contains?: string;
  readonly $icontains?: string;
  readonly $startsWith?: string;
  readonly $istartsWith?: string;
  readonly $endsWith?: string;
  readonly $iendsWith?: string;
  /** A regular expression that matches somewhere in the text, in time linear in its length. */
  readonly $regex?: string;
}

interface GeoTests {
  /** Within so many metres of a point. */
  readonly $geoRadius?: { readonly center: GeoPoint; readonly radius: number };
  /** Between two corners; a box may cross the 180th meridian. */
  readonly $geoBox?: { readonly south_west: GeoPoint; readonly north_east: GeoPoint };
}

/** Whether it is any text, not a word of an enum or a point in time. */
type IsText<T> = [T] extends [string] ? (string extends T ? true : false) : false;

/** Whether it has an order; the words of an enum have none. */
type IsOrdered<T> = [T] extends [string]
  ? IsText<T>
  : [T] extends [number | bigint | string | Date]
    ? true
    : false;

type ArrayPath<Fields> = {
  [P in keyof Fields & string]: Fields[P] extends readonly unknown[] ? P : never;
}[keyof Fields & string];

type Element<T> = T extends readonly (infer E)[] ? E : T;
