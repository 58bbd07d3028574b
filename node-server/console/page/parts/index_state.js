// How far the index of a database is.

import { h } from "../element.js";
import { count } from "../numbers.js";

/**
 * @param {{ documents: number, unindexed: number, resharding?: { from: number, to: number, done: number, total: number } }} db
 */
export function indexState(db) {
  const { documents, unindexed, resharding } = db;
  if (resharding) {
    const { from, to, done, total } = resharding;
    return bar(`Resharding from ${from} to ${to}`, done, total);
  }
  if (unindexed > 0) {
    return bar(`${count(unindexed)} waiting`, Math.max(0, documents - unindexed), documents);
  }
  return h("span", { class: "ready" }, documents > 0 ? "Ready" : "Empty");
}

/** @param {string} text @param {number} done @param {number} total */
function bar(text, done, total) {
  const meter = h("progress", { max: Math.max(1, total), value: done, "aria-label": text });
  return h("span", { class: "working" }, text, meter);
}
