import { type ModuleSource, compile } from "../engine.js";
import { moduleUrl } from "../module.js";
import { type Candidacy, holderLock } from "./message.js";

let compiling: Promise<WebAssembly.Module> | undefined;

/**
 * The engine's module, compiled for a candidate that will hold its database at once; nothing if it
 * has one, or if another tab holds the database.
 */
export async function compiledFor(candidacy: Candidacy): Promise<ModuleSource | undefined> {
  if (candidacy.module !== undefined || (await isHeld(candidacy))) {
    return undefined;
  }
  compiling ??= compile(moduleUrl()).catch((error: unknown) => {
    compiling = undefined;
    throw error;
  });
  return compiling;
}

async function isHeld({ place, name }: Candidacy): Promise<boolean> {
  if (place === "memory") {
    return false;
  }
  const { held = [] } = await navigator.locks.query();
  return held.some((lock) => lock.name === holderLock(name));
}
