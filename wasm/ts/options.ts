import type { FieldName, Filter } from "./filter.js";
import { VectordocError } from "./error.js";

/** Which documents are meant. */
export interface Selection<Fields> {
  /** Documents that pass; all of them unless given. */
  readonly filter?: Filter<Fields>;
}

/** How a search by words goes, besides the words. */
export interface TextSearch<Fields> extends Selection<Fields> {
  /** Hits wanted; 10 unless given. */
  readonly limit?: number;
  /** Best hits to leave out. */
  readonly offset?: number;
  /** Leave out hits that score less. */
  readonly minScore?: number;
  /** The dotted path of the field to look for words in; needed when several are marked `text`. */
  readonly textField?: string;
}

/** What to search for, besides the vector. */
export interface Search<Fields> extends TextSearch<Fields> {
  /** Words to look for too: what has them and what is near to the vector become one list. */
  readonly text?: string;
  /**
   * How two lists become one: by reciprocal ranks unless given, or by scores, of which the text's
   * have this weight from 0 to 1.
   */
  readonly fusion?: "rrf" | { readonly rrf: number } | { readonly weighted: number };
  /** The vector field; needed when there are several. */
  readonly field?: string;
  /** Candidates a graph considers; more find better and take longer. */
  readonly ef?: number;
  /** Compare with every vector, whatever the index. */
  readonly exact?: boolean;
}

/** What to be near to and far from, besides a search's options. */
export interface Examples<Id> {
  /** Documents to be far from, one or several. */
  readonly unlike?: Id | readonly Id[];
}

/** Hits in groups: limit and offset count groups. */
export interface Grouping<Fields> {
  /** The field, no array, by whose value hits are grouped. */
  readonly groupBy: FieldName<Fields>;
  /** Hits of each group; 1 unless given. */
  readonly groupSize?: number;
}

/** In which order documents come; of their ids unless given. */
export interface Ordering<Fields> {
  /** The field, no array; documents without a value come last, equal ones in order of their ids. */
  readonly orderBy?: FieldName<Fields>;
  /** Whether the largest values come first. */
  readonly descending?: boolean;
}

/** How far something is. */
export interface Progress {
  readonly done: number;
  readonly total: number;
}

/** Who is told how far something is. */
export interface Progressive {
  readonly onProgress?: (progress: Progress) => void;
}

/** Refuses options the compiler was not asked about. */
export function refuseUnknown(options: object, known: readonly string[]): void {
  if (Object(options) !== options) {
    throw new VectordocError("invalid", `options are an object, not ${String(options)}`);
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    const names = known.join(", ");
    throw new VectordocError("invalid", `unknown option "${unknown}"; there are ${names}`);
  }
}
