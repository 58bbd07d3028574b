// Where in the console the user is. It is in the fragment of the URL, which no server sees.

/**
 * @typedef {object} Route
 * @property {"databases" | "metrics" | "database" | "nowhere"} view
 * @property {string} db
 * @property {string} tab
 * @property {string | null} id Of the document, as text.
 * @property {URLSearchParams} query
 */

export const TABS = /** @type {const} */ ([
  ["documents", "Documents"],
  ["search", "Search"],
  ["values", "Values"],
  ["changes", "Changes"],
  ["about", "Schema and index"],
]);

/** Where a new document is written. */
export const ADD = "add";

/**
 * @param {string} fragment
 * @returns {Route}
 */
export function parseRoute(fragment) {
  const [path = "", query = ""] = fragment.replace(/^#/, "").split("?", 2);
  const [first = "", db = "", tab = "documents", id] = path.split("/").slice(1).map(decoded);
  /** @type {Route} */
  const route = { view: "nowhere", db, tab, id: id ?? null, query: new URLSearchParams(query) };
  if (first === "") {
    return { ...route, view: "databases" };
  }
  if (first === "metrics") {
    return { ...route, view: "metrics" };
  }
  const isTab = tab === ADD || TABS.some(([name]) => name === tab);
  return first === "db" && db && isTab ? { ...route, view: "database" } : route;
}

/** @param {string} part */
function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/**
 * The link to a tab of a database, or to one of its documents.
 *
 * @param {string} db
 * @param {string} [tab]
 * @param {Record<string, string>} [query]
 */
export function toTab(db, tab = "documents", query = {}) {
  const text = new URLSearchParams(Object.entries(query).filter(([, value]) => value)).toString();
  return `#/db/${encodeURIComponent(db)}/${tab}${text ? `?${text}` : ""}`;
}

/**
 * @param {string} db
 * @param {string | number | bigint} id
 */
export function toDocument(db, id) {
  return `#/db/${encodeURIComponent(db)}/documents/${encodeURIComponent(String(id))}`;
}

/**
 * Goes there; a step back leads here.
 *
 * @param {string} href
 */
export function go(href) {
  location.hash = href.slice(1);
}
