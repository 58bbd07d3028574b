// What the documents of a database look like, from its schema in JSON.

import { parse } from "./json.js";

/**
 * @typedef {object} Field
 * @property {string} name
 * @property {string} type `string`, `number[]`, `vector` and so on.
 * @property {boolean} isVector
 * @property {boolean} isFilter Whether a filter on it is served by an index.
 * @property {boolean} isText Whether its words are indexed.
 * @property {boolean} isOptional
 * @property {any} options As the schema has it.
 * @property {Field[]} fields Those of a nested object.
 */

/**
 * @typedef {object} Schema
 * @property {string} id The name of the field of ids.
 * @property {boolean} hasNumericIds
 * @property {Field[]} fields In the order of the schema, without the id.
 */

const ID_TYPES = ["string", "u64", "integer", "number", "uuid"];

/**
 * @param {Record<string, any>} json
 * @returns {Schema}
 */
export function readSchema(json) {
  const named = Object.entries(json).find(([, options]) => options?.id === true);
  const id = named?.[0] ?? "id";
  const idType = typeof json[id] === "string" ? json[id] : (json[id]?.type ?? ID_TYPES[0]);
  return {
    id,
    hasNumericIds: idType !== "string" && idType !== "uuid",
    fields: readFields(json).filter((field) => field.name !== id),
  };
}

/**
 * @param {Record<string, any>} json
 * @returns {Field[]}
 */
function readFields(json) {
  return Object.entries(json).map(([name, options]) => {
    const isShort = typeof options === "string";
    const type = isShort ? options.replace(/\?$/, "") : String(options.type ?? "vector");
    return {
      name,
      type,
      isVector: !isShort && "vector" in options,
      isFilter: !isShort && options.filter === true,
      isText: !isShort && options.text === true,
      isOptional: isShort ? options.endsWith("?") : options.optional === true,
      options,
      fields: isShort ? [] : readFields(options.fields ?? {}),
    };
  });
}

/**
 * The paths of fields that an index serves.
 *
 * @param {Field[]} fields
 * @returns {{ path: string, type: string, options: any }[]}
 */
export function filterPaths(fields, prefix = "") {
  return fields.flatMap((field) => {
    const path = prefix + field.name;
    const own = field.isFilter && field.fields.length === 0 ? [{ path, type: field.type, options: field.options }] : [];
    return [...own, ...filterPaths(field.fields, `${path}.`)];
  });
}

/**
 * What the text of an id stands for.
 *
 * @param {Schema} schema
 * @param {string} text
 */
export function readId(schema, text) {
  if (!schema.hasNumericIds || !/^\d+$/.test(text)) {
    return text;
  }
  const id = Number(text);
  return Number.isSafeInteger(id) ? id : BigInt(text);
}

/**
 * A document to begin with.
 *
 * @param {Schema} schema
 */
export function blankDocument(schema) {
  /** @type {Record<string, unknown>} */
  const blank = { [schema.id]: schema.hasNumericIds ? 0 : "" };
  for (const field of schema.fields.filter((field) => !field.isOptional)) {
    blank[field.name] = blankValue(field);
  }
  return blank;
}

/** @param {Field} field @returns {unknown} */
function blankValue(field) {
  const { type, options } = field;
  if (field.isVector) {
    return Array.from({ length: options.vector }, (_, place) => (place === 0 ? 1 : 0));
  }
  if (type.endsWith("[]")) {
    return [];
  }
  if (field.fields.length > 0) {
    return Object.fromEntries(
      field.fields.filter((inner) => !inner.isOptional).map((inner) => [inner.name, blankValue(inner)]),
    );
  }
  return scalar(type, options);
}

/** @param {string} type @param {any} options @returns {unknown} */
function scalar(type, options) {
  switch (type) {
    case "string":
      return options?.enum?.[0] ?? "";
    case "bytes":
      return "";
    case "boolean":
      return false;
    case "timestamp":
      return new Date().toISOString();
    case "uuid":
      return "00000000-0000-0000-0000-000000000000";
    case "geo":
      return { lat: 0, lon: 0 };
    case "json":
      return null;
    default:
      return 0;
  }
}

/**
 * Ids as a user writes them: with commas between them, or, where an id has one, as JSON.
 *
 * @param {Schema} schema
 * @param {string} text
 */
export function readIds(schema, text) {
  const parts = text.split(",").map((part) => part.trim());
  const texts = text.trim().startsWith("[") ? listOf(text) : parts.filter((part) => part !== "");
  return texts.map((part) => readId(schema, part));
}

/**
 * An id as it is written for `readIds`.
 *
 * @param {string | number | bigint} id
 */
export function writeId(id) {
  const text = String(id);
  return /^\s|\s$|,|^\[/.test(text) ? JSON.stringify([text]) : text;
}

/** @param {string} text @returns {string[]} */
function listOf(text) {
  try {
    return parse(text).map(String);
  } catch {
    return [text];
  }
}
