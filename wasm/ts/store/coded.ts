import { type ErrorCode, VectordocError } from "../error.js";

/** Does something and gives what goes wrong in it a code; errors that have one pass. */
export async function coded<T>(
  work: () => Promise<T>,
  codeOf: (cause: unknown) => ErrorCode,
): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof VectordocError) {
      throw cause;
    }
    throw new VectordocError(codeOf(cause), `the store failed: ${String(cause)}`, { cause });
  }
}
