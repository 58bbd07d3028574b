// One database: its head, and the tab that is open.

import { at, call } from "../api.js";
import { fill, h } from "../element.js";
import { bytes, count, counted } from "../numbers.js";
import { indexState } from "../parts/index_state.js";
import { problemPlace } from "../parts/problem.js";
import { ADD, TABS, toTab } from "../route.js";
import { readSchema } from "../schema.js";
import { repeat } from "../ticker.js";
import { showAbout } from "./about.js";
import { showChanges } from "./changes.js";
import { showDocument, showNew } from "./document.js";
import { showDocuments } from "./documents.js";
import { showSearch } from "./search.js";
import { showValues } from "./values.js";

const PAUSE_MS = 2_000;

/**
 * What the tabs of a database have to work with.
 *
 * @typedef {object} Tab
 * @property {string} db
 * @property {import("../schema.js").Schema} schema
 * @property {any} description As the server gave it, when the page was opened.
 * @property {import("../route.js").Route} route
 * @property {HTMLElement} place
 * @property {AbortSignal} signal
 * @property {() => Promise<void>} refresh Reads the figures of the head anew.
 */

/**
 * @param {HTMLElement} place
 * @param {import("../route.js").Route} route
 * @param {AbortSignal} signal
 */
export async function showDatabase(place, route, signal) {
  const { db } = route;
  const problem = problemPlace();
  const facts = h("p", { class: "facts" });
  const content = h("div", { class: "tab" });
  const title = h("h1", { tabindex: -1 }, db);
  fill(place, h("header", { class: "title" }, title, facts), tabs(route), problem.element, content);

  const refresh = async () => {
    const description = await call("GET", at(db), undefined, signal);
    fill(facts, ...factsOf(description));
    problem.clear();
    return description;
  };
  let description;
  try {
    description = await refresh();
  } catch (error) {
    return problem.show(error);
  }
  const schema = readSchema(description.schema);
  show({ db, schema, description, route, place: content, signal, refresh });
  const again = async () => void (await refresh());
  await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  await repeat(PAUSE_MS, signal, again, problem.show);
}

/** @param {Tab} tab */
function show(tab) {
  switch (tab.route.tab) {
    case "documents":
      return tab.route.id === null ? showDocuments(tab) : showDocument(tab, tab.route.id);
    case ADD:
      return showNew(tab);
    case "search":
      return showSearch(tab);
    case "values":
      return showValues(tab);
    case "changes":
      return showChanges(tab);
    default:
      return showAbout(tab);
  }
}

/** @param {import("../route.js").Route} route */
function tabs({ db, tab }) {
  const links = TABS.map(([name, text]) =>
    h("a", { href: toTab(db, name), "aria-current": name === tab ? "page" : undefined }, text),
  );
  return h("nav", { class: "tabs", "aria-label": `Parts of ${db}` }, links);
}

/**
 * @param {any} db
 * @returns {(Node | string)[]}
 */
function factsOf(db) {
  return [
    h("span", {}, h("strong", {}, count(db.documents)), db.documents === 1 ? " document" : " documents"),
    h("span", {}, counted(db.shards, "shard")),
    h("span", {}, `${bytes(db.memory_bytes)} of memory`),
    indexState(db),
  ];
}
