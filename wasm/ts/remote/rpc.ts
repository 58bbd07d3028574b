import { type ErrorCode, ERROR_CODES, VectordocError } from "../error.js";

// JSON-RPC 2.0, the client's side of it.

const VERSION = "2.0";
/** The number of the error for a method that a server does not know. */
const METHOD_NOT_FOUND = -32601;

/** What a server says. */
export type Incoming =
  /** The answer to a request; to nobody knows which without an id. */
  | { readonly id: number | undefined; readonly result: unknown }
  | { readonly id: number | undefined; readonly error: VectordocError }
  /** Something that wants no answer. */
  | { readonly method: string; readonly params: unknown };

/** The request `id` for `method`. What may be cut is to be the last of `params`. */
export function request(id: number, method: string, params: object): object {
  return { jsonrpc: VERSION, id, method, params };
}

/** Reads one message of a server; throws when it is none. */
export function incoming(message: unknown): Incoming {
  const { jsonrpc, id, method, params, result, error } = object(message);
  if (jsonrpc !== VERSION) {
    throw new TypeError(`"jsonrpc" is ${String(jsonrpc)}`);
  }
  if (method !== undefined) {
    return { method: text(method), params };
  }
  if (id !== null && typeof id !== "number") {
    throw new TypeError(`an answer to the request ${String(id)}, which was not asked`);
  }
  const ofRequest = id ?? undefined;
  return error === undefined
    ? { id: ofRequest, result }
    : { id: ofRequest, error: errorOf(object(error)) };
}

/** An error of a server that does not know the method. */
export class UnknownMethod extends VectordocError {}

function errorOf({ code, message, data }: Fields): VectordocError {
  const kind = ERROR_CODES.find((known) => known === Object(data).code) ?? "internal";
  return code === METHOD_NOT_FOUND
    ? new UnknownMethod(kind, text(message))
    : new VectordocError(kind, text(message));
}

/** The fields of an object, of which nothing is known. */
export type Fields = { readonly [name: string]: unknown };

/** `value`, if it is an object; throws when it is none. */
export function object(value: unknown): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new TypeError(`${String(value)} is no object`);
  }
  return value as Fields;
}

/** `value`, if it is a list; throws when it is none. */
export function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) {
    throw new TypeError(`${String(value)} is no list`);
  }
  return value;
}

/** `value`, if it is a number; throws when it is none. */
export function number(value: unknown): number {
  if (typeof value !== "number") {
    throw new TypeError(`${String(value)} is no number`);
  }
  return value;
}

/** `value`, if it counts something; throws when it does not. */
export function count(value: unknown): number {
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    throw new TypeError(`${String(value)} is no count`);
  }
  return value;
}

/** `value`, if it is a text; throws when it is none. */
export function text(value: unknown): string {
  if (typeof value !== "string") {
    throw new TypeError(`${String(value)} is no text`);
  }
  return value;
}

/** Reads what a server sent by `read`, whose mistakes are the server's. */
export function understood<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const message = `the server's answer is not understood: ${messageOf(cause)}`;
    throw new VectordocError("internal" satisfies ErrorCode, message, { cause });
  }
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
