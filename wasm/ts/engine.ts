import { VectordocError } from "./error.js";
import * as raw from "./raw/engine.js";

/**
 * The engine's module: compiled (`WebAssembly.Module`), as bytes (`ArrayBuffer` or a view of one), as
 * a `Response` that brings it, or where it is (`URL` or text).
 */
export type ModuleSource = object | string;

/** @internal Runs the engine of a module. */
export async function instantiate(
  source: ModuleSource | Promise<ModuleSource>,
): Promise<typeof raw> {
  await raw.default({ module_or_path: await compile(await source) });
  return raw;
}

/** @internal Compiles a module; what comes out can be sent to workers. */
export async function compile(source: ModuleSource): Promise<WebAssembly.Module> {
  try {
    return await compiled(source);
  } catch (cause) {
    if (cause instanceof VectordocError) throw cause;
    const message = `the engine's module cannot be loaded: ${String(cause)}`;
    throw new VectordocError("unavailable", message, { cause });
  }
}

async function compiled(source: ModuleSource): Promise<WebAssembly.Module> {
  // By their tags, as they may come from another realm.
  switch (Object.prototype.toString.call(source)) {
    case "[object WebAssembly.Module]":
      return source as WebAssembly.Module;
    case "[object URL]":
    case "[object String]":
      return compileResponse(await fetch(source as URL | string));
    case "[object Response]":
      return compileResponse(source as Response);
    default:
      if (source instanceof ArrayBuffer || ArrayBuffer.isView(source)) {
        return WebAssembly.compile(source as BufferSource);
      }
  }
  const known = "a WebAssembly.Module, its bytes, a URL or a Response";
  throw new VectordocError("invalid", `a module is ${known}, not ${String(source)}`);
}

async function compileResponse(response: Response): Promise<WebAssembly.Module> {
  if (!response.ok) {
    const { status, url } = response;
    const message = `the engine's module is not at ${url}: it was answered with status ${status}`;
    throw new VectordocError("unavailable", message);
  }
  return response.headers.get("content-type") === "application/wasm"
    ? WebAssembly.compileStreaming(response)
    : WebAssembly.compile(await response.arrayBuffer());
}
