// All databases: how many documents each has, how far its index is, what it takes.

import { call, metrics } from "../api.js";
import { fill, h } from "../element.js";
import { parseMetrics, sum } from "../metrics.js";
import { bytes, count } from "../numbers.js";
import { indexState } from "../parts/index_state.js";
import { problemPlace } from "../parts/problem.js";
import { go, toTab } from "../route.js";
import { may } from "../session.js";
import { repeat } from "../ticker.js";
import { createDatabase } from "./create_database.js";

const PAUSE_MS = 2_000;

/**
 * @param {HTMLElement} place
 * @param {AbortSignal} signal
 */
export function showDatabases(place, signal) {
  const problem = problemPlace();
  const list = h("div", { class: "card" }, h("p", { class: "empty" }, "Reading…"));
  /** @type {string[]} */
  let names = [];
  const create = h(
    "button",
    {
      type: "button",
      class: "primary",
      onclick: async () => {
        const created = await createDatabase(names);
        if (created !== null) {
          go(toTab(created, "about"));
        }
      },
    },
    "New database",
  );
  const title = h("h1", { tabindex: -1 }, "Databases");
  fill(place, h("header", { class: "title" }, title, may("admin") && create), problem.element, list);

  /** What is shown, so that nothing is drawn anew that has not changed. */
  let shown = "";
  repeat(
    PAUSE_MS,
    signal,
    async () => {
      const [{ dbs }, samples] = await Promise.all([
        call("GET", "/v1/dbs", undefined, signal),
        metrics(signal).then(parseMetrics),
      ]);
      problem.clear();
      names = dbs.map((/** @type {any} */ db) => db.db);
      const rows = dbs.map((/** @type {any} */ db) => ({
        ...db,
        disk: sum(samples, "vectordoc_database_disk_bytes", { db: db.db }),
      }));
      const state = JSON.stringify(rows);
      if (state !== shown) {
        shown = state;
        fill(list, rows.length > 0 ? table(rows) : nothing());
      }
    },
    problem.show,
  );
}

function nothing() {
  const how = may("admin")
    ? "Create one here, or let vectordoc import make one of a file:"
    : "A key of role admin can create one, here or with vectordoc import:";
  return h(
    "div",
    { class: "empty" },
    h("p", {}, "There is no database yet. ", how),
    h("pre", {}, "vectordoc import documents.jsonl --db products"),
  );
}

/** @param {any[]} rows */
function table(rows) {
  const head = ["Name", "Documents", "Index", "State", "Shards", "Memory", "Disk"].map((name, place) =>
    h("th", { scope: "col", class: columnClass(place) }, name),
  );
  return h("table", { class: "databases" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows.map(row)));
}

/** @param {number} place */
function columnClass(place) {
  return `${place === 0 || place === 2 || place === 3 ? "" : "number"} ${place > 3 ? "wide-only" : ""}`.trim();
}

/** @param {any} db */
function row(db) {
  const name = h("th", { scope: "row" }, h("a", { href: toTab(db.db) }, db.db));
  if (db.error) {
    const problem = [h("code", {}, db.error.code), " ", db.error.message];
    return h("tr", {}, name, h("td", { colspan: 6 }, h("span", { class: "problem" }, problem)));
  }
  const cells = [
    count(db.documents),
    indexState(db),
    restState(db),
    count(db.shards),
    bytes(db.memory_bytes),
    db.disk > 0 ? bytes(db.disk) : db.rests === "here" ? "in memory" : "none here",
  ];
  return h(
    "tr",
    {},
    name,
    cells.map((cell, place) => h("td", { class: columnClass(place + 1) }, cell)),
  );
}

/**
 * Whether a database is in memory, and where the newest of it is, if that is not here.
 * @param {any} db
 */
function restState(db) {
  const places = { waiting: "not uploaded yet", bucket: "in the bucket", elsewhere: `at node ${db.rests_why}` };
  const place = places[/** @type {keyof typeof places} */ (db.rests)];
  return place ? `${db.state}, ${place}` : db.state;
}
