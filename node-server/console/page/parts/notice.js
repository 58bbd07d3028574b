// A few words about what was just done, which go by themselves.

import { fill, h } from "../element.js";

const SHOWN_MS = 5_000;

export const noticePlace = h("div", { class: "notices", role: "status" });

/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @param {string} text */
export function notice(text) {
  clearTimeout(timer);
  fill(noticePlace, h("p", { class: "notice" }, text));
  timer = setTimeout(() => fill(noticePlace), SHOWN_MS);
}
