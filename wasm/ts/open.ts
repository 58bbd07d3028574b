import { Database } from "./database.js";
import type { ModuleSource } from "./engine.js";
import { VectordocError } from "./error.js";
import { Host } from "./host.js";
import { refuseUnknown } from "./options.js";
import type * as Raw from "./raw/engine.js";
import type { DocumentOf, FilterableOf, IdNameOf, Schema } from "./schema.js";
import type { Session } from "./session.js";
import type { Store } from "./store.js";
import type { Durability, Opening, Place } from "./tabs/message.js";

/** Workers that one database can have. */
const WORKERS_MAX = 64;

/** How a database is opened. */
export interface OpenOptions<S extends Schema = Schema> {
  /**
   * What documents look like. Needed to create a database; the schema of one that exists follows it
   * where that loses nothing, and is a `conflict` where it does not.
   */
  readonly schema?: S;
  /**
   * Where the database rests: in browsers in IndexedDB unless given, elsewhere in memory. In memory
   * it lives as long as the object does.
   */
  readonly store?: Place | Store;
  /**
   * When a write resolves that goes to IndexedDB: once it survives a crash of the tab unless given,
   * or once it is on the disk.
   */
  readonly durability?: Durability;
  /**
   * Workers, each of which has a part of the documents; 1 unless given. In pages and dedicated workers
   * only. A database keeps the number it was created with.
   */
  readonly workers?: number;
  /**
   * Where the engine's module is, for a place where `open` does not find it by itself. The first
   * `open` loads the engine for all of its thread.
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

/** @internal Opens a database at a place that the environment has, divided over workers. */
export type OpenAt = (
  opening: Opening,
  workers: number,
  module?: ModuleSource,
) => Promise<Session>;

/**
 * @internal The `open` of an environment that loads the engine by `load`, and opens databases by
 * `openAt` if it has more places for them than memory; the first of `places` is the one unless given.
 */
export function opener(
  load: Load,
  places: readonly [Place, ...Place[]] = ["memory"],
  openAt: OpenAt = async ({ name, schema }, workers, module) => {
    refuseWorkers(workers);
    return Host.open(name, await load(module), schema);
  },
): Open {
  const open = async (name: string, options: OpenOptions = {}) => {
    refuseUnknown(options, ["schema", "store", "durability", "workers", "module"]);
    const { schema: given, store = places[0], durability = "relaxed" } = options;
    const { workers = 1, module } = options;
    checkStore(store, places);
    checkDurability(options, store);
    checkWorkers(workers, store);
    const schema = given === undefined ? undefined : jsonOf(given);
    const session =
      typeof store === "string"
        ? await openAt({ name, place: store, durability, schema }, workers, module)
        : await Host.open(name, await load(module), schema, store);
    return new Database(name, session);
  };
  return open as Open;
}

/** @internal Loads once for all, but again after it failed. */
export function once(load: Load): Load {
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
function checkStore(store: unknown, places: readonly string[]): void {
  const methods = ["get", "put", "delete", "list"];
  const lacks = (name: string) => typeof Reflect.get(Object(store), name) !== "function";
  if (typeof store === "string" ? !places.includes(store) : methods.some(lacks)) {
    const given = typeof store === "string" ? `"${store}"` : String(store);
    const named = places.map((place) => `"${place}"`).join(" or ");
    const message = `a store is ${named} or has get, put, delete and list, not ${given}`;
    throw new VectordocError("invalid", message);
  }
}

/** Refuses a durability that is none, or that is asked of something else than IndexedDB. */
function checkDurability({ durability }: OpenOptions, store: unknown): void {
  const isKnown = durability === "relaxed" || durability === "strict";
  if (durability !== undefined && !(isKnown && store === "indexeddb")) {
    const message = `durability is "relaxed" or "strict" and that of the store "indexeddb", not ${String(durability)}`;
    throw new VectordocError("invalid", message);
  }
}

/** Refuses a number of workers that is none, or that a given store cannot be divided over. */
function checkWorkers(workers: unknown, store: unknown): void {
  const isCount = Number.isInteger(workers) && (workers as number) >= 1;
  if (!isCount || (workers as number) > WORKERS_MAX) {
    const message = `workers is a whole number from 1 to ${WORKERS_MAX}, not ${String(workers)}`;
    throw new VectordocError("invalid", message);
  }
  if (typeof store !== "string") {
    refuseWorkers(workers as number);
  }
}

/** @internal Refuses more than one worker where there can be one thread only. */
export function refuseWorkers(workers: number): void {
  if (workers > 1) {
    const message = `a database over ${workers} workers needs a page or a dedicated worker, and no store of your own; leave workers out`;
    throw new VectordocError("unsupported", message);
  }
}

function jsonOf(schema: Schema): string {
  try {
    return JSON.stringify(schema);
  } catch (cause) {
    throw new VectordocError("invalid", `the schema is not JSON: ${String(cause)}`, { cause });
  }
}
