import { Database } from "./database.js";
import { VectordocError, guard } from "./error.js";
import { refuseUnknown } from "./options.js";
import { Engine } from "./raw/engine.js";
import type { DocumentOf, FilterableOf, IdNameOf, Schema } from "./schema.js";

/** Opens a database. */
export interface Open {
  /**
   * Opens an empty database in memory; its documents have the types the schema says. Every call
   * makes a database of its own, whatever the name.
   */
  <const S extends Schema>(
    name: string,
    options: { readonly schema: S },
  ): Promise<Database<DocumentOf<S>, IdNameOf<S> & keyof DocumentOf<S>, FilterableOf<S>>>;
  /** The same for documents of a type that is given: `open<Product>(…)`. */
  <Doc extends object>(name: string, options: { readonly schema: Schema }): Promise<Database<Doc>>;
}

/** The `open` of an environment that loads the engine by `load`. */
export function opener(load: () => Promise<unknown>): Open {
  let loading: Promise<unknown> | undefined;
  const open = async (name: string, options: { readonly schema?: Schema } = {}) => {
    refuseUnknown(options, ["schema"]);
    const schema = jsonOf(options.schema);
    loading ??= load();
    try {
      await loading;
    } catch (cause) {
      loading = undefined;
      const message = `the engine could not be loaded: ${String(cause)}`;
      throw new VectordocError("unavailable", message, { cause });
    }
    return new Database(
      name,
      guard(() => new Engine(schema)),
    );
  };
  return open as Open;
}

function jsonOf(schema: Schema | undefined): string {
  try {
    return JSON.stringify(schema ?? null);
  } catch (cause) {
    throw new VectordocError("invalid", `the schema is not JSON: ${String(cause)}`, { cause });
  }
}
