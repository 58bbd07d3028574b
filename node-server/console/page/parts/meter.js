// How much of the most something is, for the eye; the number stands beside it.

import { h } from "../element.js";

/** @param {number} part From 0 to 1. */
export function meter(part) {
  const filled = h("span");
  filled.style.inlineSize = `${Math.min(1, Math.max(0, part)) * 100}%`;
  return h("span", { class: "meter", "aria-hidden": "true" }, filled);
}
