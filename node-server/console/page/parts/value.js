// Values of documents: short in tables, whole where one document is looked at, but never so long
// that the page stands still.

import { fill, h } from "../element.js";
import { format } from "../json.js";
import { count } from "../numbers.js";

const NUMBERS_SHOWN = 4;
const CHARACTERS_SHOWN = 2_000;

/**
 * What fits into a cell, without a look at the rest of a great value.
 *
 * @param {unknown} value
 * @returns {string}
 */
export function brief(value, characters_max = 140) {
  const parts = { text: "", left: characters_max };
  if (Array.isArray(value) && value.slice(0, characters_max).every((item) => typeof item === "string")) {
    add(value.slice(0, characters_max).join(", "), parts);
  } else {
    write(value, parts);
  }
  return parts.left < 0 ? `${parts.text.slice(0, characters_max)}…` : parts.text;
}

/** @typedef {{ text: string, left: number }} Parts */

/** @param {string} text @param {Parts} parts */
function add(text, parts) {
  parts.text += text.slice(0, Math.max(0, parts.left + 1));
  parts.left -= text.length;
}

/** @param {unknown} value @param {Parts} parts */
function write(value, parts, isInner = false) {
  if (parts.left < 0) {
    return;
  }
  if (typeof value === "string") {
    add(isInner ? JSON.stringify(value.slice(0, parts.left + 1)) : value, parts);
  } else if (Array.isArray(value)) {
    add(isVector(value) ? briefVector(value) : "", parts);
    isVector(value) || list(value, parts);
  } else if (typeof value === "object" && value !== null) {
    members(value, parts);
  } else if (value !== undefined) {
    add(String(value), parts);
  }
}

/** @param {unknown[]} items @param {Parts} parts */
function list(items, parts) {
  add("[", parts);
  for (const [place, item] of items.entries()) {
    if (parts.left < 0) {
      return;
    }
    add(place > 0 ? ", " : "", parts);
    write(item, parts, true);
  }
  add("]", parts);
}

/** @param {object} object @param {Parts} parts */
function members(object, parts) {
  add("{", parts);
  let separator = "";
  for (const name in object) {
    if (parts.left < 0) {
      return;
    }
    add(`${separator}${name}: `, parts);
    write(/** @type {any} */ (object)[name], parts, true);
    separator = ", ";
  }
  add("}", parts);
}

/**
 * Whether it is a list of numbers too long to be read.
 *
 * @param {unknown} value
 * @returns {value is number[]}
 */
function isVector(value) {
  return Array.isArray(value) && value.length > 16 && value.every((item) => typeof item === "number");
}

/** @param {number[]} vector */
function briefVector(vector) {
  const first = vector.slice(0, NUMBERS_SHOWN).map((number) => Number(number.toPrecision(3)));
  return `[${first.join(", ")}, … ${count(vector.length)} numbers]`;
}

/**
 * A value of the document that is looked at; what is long is shown whole when asked for.
 *
 * @param {unknown} value
 * @returns {Node}
 */
export function whole(value) {
  if (isVector(value)) {
    return folded(briefVector(value), () => format(value), "Show all numbers");
  }
  const text = typeof value === "string" ? value : format(value);
  if (text.length <= CHARACTERS_SHOWN) {
    return h("span", { class: typeof value === "string" ? "text" : "code" }, text);
  }
  const label = `Show all ${count(text.length)} characters`;
  return folded(`${text.slice(0, CHARACTERS_SHOWN)}…`, () => text, label);
}

/**
 * @param {string} shown
 * @param {() => string} all
 * @param {string} label
 */
function folded(shown, all, label) {
  const place = h("span", { class: "code" }, shown);
  const button = h(
    "button",
    {
      type: "button",
      class: "link",
      onclick: () => {
        fill(place, all());
        button.remove();
      },
    },
    label,
  );
  return h("span", {}, place, " ", button);
}
