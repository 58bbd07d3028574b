/** Every `code` an error of vectordoc can have; each says what the caller can do about it. */
export const ERROR_CODES = [
  "invalid",
  "not_found",
  "conflict",
  "limit_exceeded",
  "unauthenticated",
  "denied",
  "busy",
  "unavailable",
  "full",
  "corrupt",
  "unsupported",
  "closed",
  "internal",
] as const;

/** What kind of error it is, the same string as over every wire. */
export type ErrorCode = (typeof ERROR_CODES)[number];

/** Why an operation did not happen. Nothing of it was applied. */
export class VectordocError extends Error {
  override readonly name = "VectordocError";
  /** What the caller can do about it. */
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Makes a call into the engine and turns what it throws into a `VectordocError`. */
export function guard<T>(call: () => T): T {
  try {
    return call();
  } catch (thrown) {
    throw asVectordocError(thrown);
  }
}

/** Whether an error is no answer of the engine, but its end: it did not return. */
export function isTrap(error: unknown): boolean {
  return error instanceof VectordocError && error.code === "internal" && error.cause !== undefined;
}

function asVectordocError(thrown: unknown): VectordocError {
  if (thrown instanceof VectordocError) {
    return thrown;
  }
  if (thrown instanceof Error && "code" in thrown && isErrorCode(thrown.code)) {
    return new VectordocError(thrown.code, thrown.message);
  }
  return new VectordocError("internal", `the engine failed: ${String(thrown)}`, { cause: thrown });
}

function isErrorCode(code: unknown): code is ErrorCode {
  return ERROR_CODES.some((known) => known === code);
}
