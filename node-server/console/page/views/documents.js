// The documents of a database, page by page.

import { at, call } from "../api.js";
import { fill, h } from "../element.js";
import { format } from "../json.js";
import { count, counted, milliseconds } from "../numbers.js";
import { askByName } from "../parts/dialog.js";
import { choiceField } from "../parts/fields.js";
import { countPassing, filterField } from "../parts/filter_field.js";
import { Wrong } from "../parts/json_field.js";
import { notice } from "../parts/notice.js";
import { problemPlace, warningList } from "../parts/problem.js";
import { brief } from "../parts/value.js";
import { ADD, go, toDocument, toTab } from "../route.js";
import { filterPaths } from "../schema.js";
import { may } from "../session.js";

const COLUMNS_MAX = 12;
const PAGE = "25";

/** @param {import("./database.js").Tab} tab */
export function showDocuments(tab) {
  const { db, schema, place, signal, route } = tab;
  const filter = filterField(schema, route.query.get("filter") ?? "");
  const paths = filterPaths(schema.fields).filter(({ type }) => !/\[\]$|^geo$/.test(type));
  const choices = paths.flatMap(({ path }) => [both(path, "↑", ""), both(path, "↓", "-")]);
  const order = choiceField("Order", [["", "by id"], ...choices], route.query.get("order") ?? "");
  const size = choiceField("Per page", [["10", "10"], [PAGE, PAGE], ["100", "100"]], route.query.get("size") ?? PAGE);
  const problem = problemPlace();
  const status = h("p", { class: "status", role: "status" });
  const results = h("div", { class: "card" });
  const previous = h("button", { type: "button", disabled: true, onclick: () => turn(-1) }, "← Previous");
  const next = h("button", { type: "button", disabled: true, onclick: () => turn(1) }, "Next →");
  /** Where each page up to the one after this begins. @type {(string | null)[]} */
  let cursors = [null];
  let page = 0;

  const form = h(
    "form",
    {
      class: "ask card",
      onsubmit: (/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        const query = { filter: filter.input.value.trim(), order: order.input.value, size: size.input.value };
        history.replaceState(null, "", toTab(db, "documents", query));
        [cursors, page] = [[null], 0];
        read();
      },
    },
    filter.element,
    h("div", { class: "row" }, order.element, size.element, h("button", { class: "primary" }, "Show")),
  );
  const actions = may("write") && [
    h("button", { type: "button", onclick: () => go(toTab(db, ADD)) }, "Add document"),
    h("button", { type: "button", class: "quiet danger", onclick: () => deletePassing() }, "Delete all that pass…"),
  ];
  const pager = h("nav", { class: "pager", "aria-label": "Pages" }, previous, next);
  fill(place, form, problem.element, h("div", { class: "bar" }, status, h("div", { class: "buttons" }, actions || [])), results, pager);

  /** @param {number} step */
  function turn(step) {
    page += step;
    read();
    results.scrollIntoView({ block: "nearest" });
  }

  async function read() {
    problem.clear();
    try {
      const started = performance.now();
      const passing = await countPassing(db, filter, signal);
      if (passing === null) {
        return fill(status, "The filter is not right.");
      }
      const [field, descending] = orderOf(order.input.value);
      const body = {
        filter: filter.read(),
        order_by: field,
        descending,
        cursor: cursors[page] ?? undefined,
        limit: Number(size.input.value),
        include: included(schema),
      };
      const answer = await call("POST", at(db, "/scroll"), body, signal);
      cursors[page + 1] = answer.cursor;
      draw(answer, passing, performance.now() - started);
    } catch (error) {
      if (!(error instanceof Wrong)) {
        problem.show(error);
      }
    }
  }

  /** @param {any} answer @param {number} passing @param {number} took */
  function draw(answer, passing, took) {
    const { docs, cursor, warnings } = answer;
    const first = page * Number(size.input.value);
    const which = docs.length > 0 ? `${count(first + 1)}–${count(first + docs.length)} of ${counted(passing, "document")}` : "No document passes";
    fill(status, `${which}, in ${milliseconds(took)}`);
    const list = docs.length > 0 ? table(tab, docs) : h("p", { class: "empty" }, "Nothing here.");
    const notes = warningList(warnings);
    fill(results, ...(notes ? [notes] : []), list);
    previous.disabled = page === 0;
    next.disabled = cursor === null;
  }

  async function deletePassing() {
    try {
      const passing = await countPassing(db, filter, signal);
      if (passing === null) {
        return;
      }
      const wanted = filter.read() ?? {};
      const done = await askByName({
        title: `Delete ${counted(passing, "document")}?`,
        text: `Every document of ${db} that passes ${format(wanted)} goes, for good.`,
        name: String(passing),
        verb: "Delete",
        submit: async () => {
          const { deleted } = await call("POST", at(db, "/delete"), { filter: wanted });
          notice(`${counted(deleted, "document")} deleted.`);
        },
      });
      if (done) {
        [cursors, page] = [[null], 0];
        await Promise.all([read(), tab.refresh()]);
      }
    } catch (error) {
      if (!(error instanceof Wrong)) {
        problem.show(error);
      }
    }
  }

  read();
}

/**
 * @param {string} path
 * @param {string} arrow
 * @param {string} sign
 * @returns {[string, string]}
 */
function both(path, arrow, sign) {
  return [sign + path, `${path} ${arrow}`];
}

/**
 * @param {string} order
 * @returns {[string | undefined, boolean | undefined]}
 */
function orderOf(order) {
  return order === "" ? [undefined, undefined] : [order.replace(/^-/, ""), order.startsWith("-")];
}

/** @param {import("../schema.js").Schema} schema */
function columns(schema) {
  return schema.fields.filter((field) => !field.isVector).slice(0, COLUMNS_MAX);
}

/** @param {import("../schema.js").Schema} schema */
function included(schema) {
  const names = columns(schema).map((field) => field.name);
  return [schema.id, ...names];
}

/**
 * @param {import("./database.js").Tab} tab
 * @param {any[]} docs
 */
function table({ db, schema }, docs) {
  const fields = columns(schema);
  const isNumber = (/** @type {string} */ type) => /^(number|integer|[iuf]\d+)$/.test(type);
  const kind = (/** @type {import("../schema.js").Field} */ field) => (isNumber(field.type) ? "number" : "");
  const head = [
    h("th", { scope: "col" }, schema.id),
    ...fields.map((field) => h("th", { scope: "col", class: kind(field) }, field.name)),
  ];
  const rows = docs.map((doc) => {
    const id = doc[schema.id];
    const link = h("a", { href: toDocument(db, id) }, brief(id, 60));
    const cells = fields.map((field) => h("td", { class: kind(field) }, brief(doc[field.name])));
    return h("tr", {}, h("th", { scope: "row" }, link), cells);
  });
  return h(
    "div",
    { class: "scroll", role: "region", tabindex: 0, "aria-label": "Documents" },
    h("table", { class: "documents" }, h("thead", {}, h("tr", {}, head)), h("tbody", {}, rows)),
  );
}
