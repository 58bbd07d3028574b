import { VectordocError } from "./error.js";
import { type Selection, refuseUnknown } from "./options.js";

/** What may be given alone or as a list. */
export type OneOrMany<T> = T | readonly T[];

/** A vector as a typed array, if it is one; the engine says what is wrong with anything else. */
export function packed(vector: unknown): unknown {
  return isNumbers(vector) ? Float32Array.from(vector) : vector;
}

/** A list of its own, so that nobody changes it while a write waits. */
export function listOf<T>(oneOrMany: OneOrMany<T>): T[] {
  return isMany(oneOrMany) ? [...oneOrMany] : [oneOrMany];
}

/** Whether a list was given. */
export function isMany<T>(oneOrMany: OneOrMany<T>): oneOrMany is readonly T[] {
  return Array.isArray(oneOrMany);
}

/** Whether it is a vector written as an array. */
export function isNumbers(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((number) => typeof number === "number");
}

/** Tells a filter from ids; an object without one is a mistake: it would mean all documents. */
export function isSelection<Fields>(
  which: unknown,
  verb: string,
): which is Required<Selection<Fields>> {
  if (typeof which !== "object" || which === null || Array.isArray(which)) {
    return false;
  }
  refuseUnknown(which, ["filter"]);
  if ("filter" in which && typeof which.filter === "object" && which.filter !== null) {
    return true;
  }
  throw new VectordocError(
    "invalid",
    `${verb} takes ids or { filter }; to ${verb} every document, say { filter: {} }`,
  );
}
