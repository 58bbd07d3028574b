import type { Field, ObjectField, Schema } from "../schema.js";
import { object } from "./rpc.js";

/** Makes a document of a database out of what came over the wire. */
export type Documents = (wire: unknown) => object;

/** Makes a value out of one that JSON can say. */
type Revive = (wire: unknown) => unknown;

/** For documents of a schema: JSON has neither vectors nor bytes, only lists of numbers. */
export function documentsOf(schema: Schema): Documents {
  return objectsOf(schema);
}

function objectsOf(fields: Schema | ObjectField["fields"]): Documents {
  const revivers = Object.entries(fields).flatMap(([name, field]) => {
    const revive = reviverOf(field);
    return revive === undefined ? [] : [[name, revive] as const];
  });
  return (wire) => {
    const fields = object(wire) as { [name: string]: unknown };
    for (const [name, revive] of revivers) {
      if (Object.hasOwn(fields, name)) {
        fields[name] = revive(fields[name]);
      }
    }
    return fields;
  };
}

function reviverOf(field: Field): Revive | undefined {
  if (typeof field === "string") {
    return bytesOf(field);
  }
  if ("vector" in field) {
    return (wire) => (Array.isArray(wire) ? Float32Array.from(wire) : wire);
  }
  if ("fields" in field) {
    return ofType(field.type ?? "object", objectsOf(field.fields));
  }
  return bytesOf(field.type);
}

function bytesOf(type: string): Revive | undefined {
  const bytes = (wire: unknown) => (Array.isArray(wire) ? Uint8Array.from(wire) : wire);
  return type.startsWith("bytes") ? ofType(type, bytes) : undefined;
}

/** Of a list, each of its elements is made. */
function ofType(type: string, revive: Revive): Revive {
  return type.includes("[]")
    ? (wire) => (Array.isArray(wire) ? wire.map(revive) : wire)
    : revive;
}
