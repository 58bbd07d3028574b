import type { WordsOnly } from "./schema.js";

/**
 * Which documents: conditions on fields that all hold, and filters combined. `Fields` has the type
 * of each path that can be asked about.
 */
export type Filter<Fields> = { readonly [P in keyof Fields]?: Condition<Fields[P]> } & {
  readonly $and?: readonly Filter<Fields>[];
  readonly $or?: readonly Filter<Fields>[];
  readonly $not?: Filter<Fields>;
};

/** What holds for one field: it equals a value (`null`: it is missing), or it passes tests. */
export type Condition<T> = [T] extends [WordsOnly]
  ? WordTests
  : Element<T> | null | Tests<T>;

/** An array passes a test when one of its elements does, but for `$size` and the negative ones. */
export type Tests<T> = Comparisons<Element<T>> &
  ([T] extends [readonly unknown[]] ? ArrayTests<Element<T>> : unknown) &
  ([Element<T>] extends [string] ? TextTests : unknown) & {
    readonly $not?: Tests<T>;
  };

interface Comparisons<T> {
  readonly $eq?: T | null;
  readonly $ne?: T | null;
  readonly $neq?: T | null;
  readonly $lt?: T;
  readonly $lte?: T;
  readonly $gt?: T;
  readonly $gte?: T;
  readonly $in?: readonly (T | null)[];
  readonly $any?: readonly (T | null)[];
  readonly $nin?: readonly (T | null)[];
  /** Whether the field is there and not null. */
  readonly $exists?: boolean;
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

interface TextTests extends Pick<WordTests, "$text"> {
  /** A text has this part; an array has this element. */
  readonly $contains?: string;
  readonly $startsWith?: string;
}

type Element<T> = T extends readonly (infer E)[] ? E : T;
