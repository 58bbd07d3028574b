// The field for a filter, with the paths that an index serves at hand.

import { at, call, Problem } from "../api.js";
import { h } from "../element.js";
import { format } from "../json.js";
import { filterPaths } from "../schema.js";
import { jsonField } from "./json_field.js";

/**
 * @param {import("../schema.js").Schema} schema
 * @param {string} [value]
 */
export function filterField(schema, value = "") {
  const paths = filterPaths(schema.fields);
  const chips = paths.slice(0, 24).map(({ path, type, options }) =>
    h(
      "button",
      {
        type: "button",
        class: "chip",
        title: `${type}: adds a condition on ${path}`,
        onclick: () => add(path, example(type, options)),
      },
      path,
    ),
  );
  const hint = h(
    "span",
    {},
    paths.length > 0 ? "Served by an index: " : "No field of this schema has an index for filters.",
    h("span", { class: "chips" }, chips),
  );
  const field = jsonField({
    label: "Filter",
    value,
    hint,
    placeholder: placeholder(paths),
    submits: true,
  });

  /** @param {string} path @param {unknown} condition */
  function add(path, condition) {
    let filter;
    try {
      filter = field.read() ?? {};
    } catch {
      return field.input.focus();
    }
    const isFree = !(path in filter);
    field.write(isFree ? { ...filter, [path]: condition } : { $and: [filter, { [path]: condition }] });
    field.input.focus();
  }
  return field;
}

/** @param {string} type @param {any} options @returns {unknown} */
function example(type, options) {
  switch (type.replace(/\[\]$/, "")) {
    case "string":
      return options?.enum ? options.enum[0] : "";
    case "boolean":
      return true;
    case "timestamp":
      return { $gte: new Date().toISOString().slice(0, 10) + "T00:00:00Z" };
    case "geo":
      return { $geoRadius: { center: { lat: 0, lon: 0 }, radius: 1000 } };
    case "uuid":
      return "";
    default:
      return { $gte: 0 };
  }
}

/** @param {{ path: string, type: string, options: any }[]} paths */
function placeholder(paths) {
  const first = paths[0];
  if (!first) {
    return "{}";
  }
  const filter = format({ [first.path]: example(first.type, first.options) });
  return filter.replace(/\s+/g, " ").replace(/([{[]) | (?=[}\]])/g, "$1");
}

/**
 * How many documents pass the filter. When the server refuses it, the field says so and this is
 * `null`.
 *
 * @param {string} db
 * @param {import("./json_field.js").JsonField} field
 * @param {AbortSignal} signal
 * @returns {Promise<number | null>}
 */
export async function countPassing(db, field, signal) {
  try {
    const { count } = await call("POST", at(db, "/count"), { filter: field.read() }, signal);
    field.clear();
    return count;
  } catch (error) {
    if (error instanceof Problem && (error.code === "invalid" || error.code === "limit_exceeded")) {
      field.fail(error);
      return null;
    }
    throw error;
  }
}
