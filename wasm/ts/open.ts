import { Database } from "./database.js";
import { VectordocError } from "./error.js";
import { Host } from "./host.js";
import type { ModuleSource } from "./engine.js";
import { refuseUnknown } from "./options.js";
import type * as Raw from "./raw/engine.js";
import type { DocumentOf, FilterableOf, IdNameOf, Schema } from "./schema.js";
import type { Store } from "./store.js";

/** How a database is opened. */
export interface OpenOptions<S extends Schema = Schema> {
  /**
   * What documents look like. Needed to create a database; the schema of one that exists follows it
   * where that loses nothing, and is a `conflict` where it does not.
   */
  readonly schema?: S;
  /** Where the database rests; in memory unless given: then it lives as long as the object does. */
  readonly store?: "memory" | Store;
  /**
   * Where the engine's module is, for a place where `open` does not find it by itself. The first
   * `open` loads the engine for all.
   */
  readonly module?: ModuleSource;
}

/** Opens a database. */
export interface Open {
  /** Opens or creates a database; its documents have the types the schema says. */
  <const S extends Schema>(
    name: string,
    options: OpenOptions<S> & { readonly schema: S },
  ): Promise<Database<DocumentOf<S>, IdNameOf<S> & keyof DocumentOf<S>, FilterableOf<S>>>;
  /** The same for documents of a type that is given: `open<Product>(…)`. */
  <Doc extends object>(name: string, options?: OpenOptions): Promise<Database<Doc>>;
}

/** @internal Loads the engine, from a module that is given or the one it finds. */
export type Load = (module?: ModuleSource) => Promise<typeof Raw>;

/** @internal The `open` of an environment that loads the engine by `load`. */
export function opener(load: Load): Open {
  const loadOnce = once(load);
  const open = async (name: string, options: OpenOptions = {}) => {
    refuseUnknown(options, ["schema", "store", "module"]);
    const { schema, store = "memory" } = options;
    checkStore(store);
    const json = schema === undefined ? undefined : jsonOf(schema);
    const raw = await loadOnce(options.module);
    return new Database(name, await Host.open(name, raw, json, store === "memory" ? undefined : store));
  };
  return open as Open;
}

/** Loads once for all, but again after it failed. */
function once(load: Load): Load {
  let loading: Promise<typeof Raw> | undefined;
  return async (module) => {
    loading ??= load(module);
    try {
      return await loading;
    } catch (cause) {
      loading = undefined;
      if (cause instanceof VectordocError) throw cause;
      const message = `the engine could not be loaded: ${String(cause)}`;
      throw new VectordocError("unavailable", message, { cause });
    }
  };
}

/** Refuses what is no store. */
function checkStore(store: unknown): void {
  const methods = ["get", "put", "delete", "list"];
  const lacks = (name: string) => typeof Reflect.get(Object(store), name) !== "function";
  if (store !== "memory" && methods.some(lacks)) {
    const given = typeof store === "string" ? `"${store}"` : String(store);
    const message = `a store is "memory" or has get, put, delete and list, not ${given}`;
    throw new VectordocError("invalid", message);
  }
}

function jsonOf(schema: Schema): string {
  try {
    return JSON.stringify(schema);
  } catch (cause) {
    throw new VectordocError("invalid", `the schema is not JSON: ${String(cause)}`, { cause });
  }
}
