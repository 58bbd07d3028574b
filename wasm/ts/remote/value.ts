import { VectordocError } from "../error.js";

/** Levels of nesting in a message, as many as the server reads. */
export const DEPTH_MAX = 128;

/** Elements of one list, as many as the server takes. */
const ELEMENTS_MAX = 100_000;

/** Elements of which a message takes as many as fit, those before `from` left out. */
export class Batch {
  /** How many elements the message took. */
  taken = 0;

  constructor(
    readonly elements: readonly unknown[],
    readonly from: number,
    /** What is sent for an element. */
    readonly sent: (element: unknown) => unknown = (element) => element,
  ) {}

  /** Has `fits` write one element after the other until one does not fit. */
  take(fits: (element: unknown) => boolean): void {
    const count = Math.min(this.elements.length - this.from, ELEMENTS_MAX);
    for (this.taken = 0; this.taken < count; this.taken++) {
      if (!this.#fits(this.from + this.taken, fits)) {
        break;
      }
    }
    if (this.taken === 0 && count > 0) {
      const message = `element ${this.from} is longer than the server takes in one message`;
      throw new VectordocError("limit_exceeded", message);
    }
  }

  #fits(at: number, fits: (element: unknown) => boolean): boolean {
    try {
      return fits(this.sent(this.elements[at]));
    } catch (cause) {
      throw cause instanceof VectordocError
        ? new VectordocError(cause.code, `element ${at}: ${cause.message}`, { cause })
        : cause;
    }
  }
}

/** A value that can be sent, by what it is. */
export type Sendable =
  | { readonly is: "null" }
  | { readonly is: "boolean"; readonly value: boolean }
  | { readonly is: "number"; readonly value: number }
  | { readonly is: "integer"; readonly value: number | bigint }
  | { readonly is: "text"; readonly value: string }
  | { readonly is: "bytes"; readonly value: Uint8Array }
  | { readonly is: "floats"; readonly value: Float32Array }
  | { readonly is: "array"; readonly value: readonly unknown[] }
  | { readonly is: "batch"; readonly value: Batch }
  | { readonly is: "object"; readonly value: readonly (readonly [string, unknown])[] };

/** What a value is to the server, fields without a value left out; `invalid` when it is nothing. */
export function sendable(value: unknown): Sendable {
  switch (typeof value) {
    case "undefined":
      return { is: "null" };
    case "boolean":
      return { is: "boolean", value };
    case "bigint":
      return { is: "integer", value: checkedInteger(value) };
    case "number":
      return Number.isSafeInteger(value)
        ? { is: "integer", value }
        : { is: "number", value: checkedNumber(value) };
    case "string":
      return { is: "text", value: checkedText(value) };
    case "object":
      return value === null ? { is: "null" } : sendableObject(value);
    default:
      throw invalid(`a ${typeof value} cannot be sent`);
  }
}

function sendableObject(value: object): Sendable {
  if (Array.isArray(value)) {
    return { is: "array", value };
  }
  if (value instanceof Batch) {
    return { is: "batch", value };
  }
  // By their tags, so that those of another realm are known too.
  const tag = Object.prototype.toString.call(value).slice("[object ".length, -1);
  switch (tag) {
    case "Float32Array":
      return { is: "floats", value: checkedNumbers(value as Float32Array) };
    case "Uint8Array":
      return { is: "bytes", value: value as Uint8Array };
    case "Date":
      return { is: "text", value: textOfDate(value as Date) };
    case "Object":
      if (!(Symbol.iterator in value)) {
        const fields = Object.entries(value).filter(([, field]) => field !== undefined);
        return { is: "object", value: fields };
      }
  }
  throw invalid(`a ${tag} cannot be sent`);
}

function checkedNumber(number: number): number {
  if (Number.isFinite(number)) {
    return number;
  }
  throw invalid(`${number} is no finite number`);
}

function checkedNumbers(numbers: Float32Array): Float32Array {
  const wrong = numbers.find((number) => !Number.isFinite(number));
  checkedNumber(wrong ?? 0);
  return numbers;
}

function checkedInteger(integer: bigint): bigint {
  if (BigInt.asUintN(64, integer) === integer || BigInt.asIntN(64, integer) === integer) {
    return integer;
  }
  throw invalid(`${integer} exceeds 64 bits`);
}

function checkedText(text: string): string {
  if (/\p{Surrogate}/u.test(text)) {
    throw invalid(`text ${JSON.stringify(text.slice(0, 40))} has half a surrogate pair`);
  }
  return text;
}

function textOfDate(date: Date): string {
  if (Number.isNaN(date.getTime())) {
    throw invalid("the Date is invalid: it is no point in time");
  }
  return date.toISOString();
}

function invalid(message: string): VectordocError {
  return new VectordocError("invalid", message);
}

/** Refuses to go deeper than the server would. */
export function checkDepth(depth: number): void {
  if (depth > DEPTH_MAX) {
    throw invalid(`a value is nested deeper than ${DEPTH_MAX} levels`);
  }
}

/** Refuses a message that is too long. */
export function checkLength(bytes: number, bytesMax: number): void {
  if (bytes > bytesMax) {
    throw new VectordocError(
      "limit_exceeded",
      `the request has ${bytes} bytes, the server takes ${bytesMax}; send less at a time`,
    );
  }
}

/** Sets a field that may have any name. */
export function setField(object: Record<string, unknown>, name: string, value: unknown): void {
  if (name === "__proto__") {
    const attributes = { enumerable: true, writable: true, configurable: true };
    Object.defineProperty(object, name, { value, ...attributes });
  } else {
    object[name] = value;
  }
}
