// Which values a field has, and how many documents have each.

import { at, call } from "../api.js";
import { fill, h } from "../element.js";
import { write } from "../json.js";
import { count, counted, milliseconds, percent } from "../numbers.js";
import { choiceField } from "../parts/fields.js";
import { countPassing, filterField } from "../parts/filter_field.js";
import { Wrong } from "../parts/json_field.js";
import { meter } from "../parts/meter.js";
import { problemPlace, warningList } from "../parts/problem.js";
import { brief } from "../parts/value.js";
import { toTab } from "../route.js";
import { filterPaths } from "../schema.js";

const VALUES = 50;

/** @param {import("./database.js").Tab} tab */
export function showValues({ db, schema, place, route, signal }) {
  const paths = filterPaths(schema.fields).filter(({ type }) => !type.startsWith("geo"));
  if (paths.length === 0) {
    const why = "Values are counted where an index has them, and no field of this schema has one for filters.";
    return fill(place, h("p", { class: "empty card" }, why));
  }
  const field = choiceField("Field", paths.map(({ path }) => [path, path]), route.query.get("field") ?? "");
  const filter = filterField(schema, route.query.get("filter") ?? "");
  const problem = problemPlace();
  const status = h("p", { class: "status", role: "status" });
  const results = h("div");
  const form = h(
    "form",
    {
      class: "ask card",
      onsubmit: (/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        const query = { field: field.input.value, filter: filter.input.value.trim() };
        history.replaceState(null, "", toTab(db, "values", query));
        read();
      },
    },
    filter.element,
    h("div", { class: "row" }, field.element, h("button", { class: "primary" }, "Count")),
  );
  field.input.addEventListener("change", () => form.requestSubmit());
  fill(place, form, problem.element, status, results);
  read();

  async function read() {
    problem.clear();
    try {
      const passing = await countPassing(db, filter, signal);
      if (passing === null) {
        return fill(status, "The filter is not right.");
      }
      const body = { field: field.input.value, filter: filter.read(), limit: VALUES };
      const started = performance.now();
      const { values, warnings } = await call("POST", at(db, "/facet"), body, signal);
      const took = milliseconds(performance.now() - started);
      const most = values.length === VALUES ? `the ${VALUES} most frequent values` : counted(values.length, "value");
      fill(status, `${most} among ${counted(passing, "document")}, in ${took}`);
      fill(results, warningList(warnings), list(values, passing));
    } catch (error) {
      if (!(error instanceof Wrong)) {
        fill(results);
        problem.show(error);
      }
    }
  }

  /** @param {{ value: unknown, count: number }[]} values @param {number} passing */
  function list(values, passing) {
    if (values.length === 0) {
      return h("p", { class: "empty card" }, "No document has a value there.");
    }
    const rows = values.map(({ value, count: number }) =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, h("a", { href: toTab(db, "documents", { filter: condition(value) }) }, brief(value, 80) || "(empty)")),
        h("td", { class: "share" }, meter(number / (values[0]?.count ?? 1))),
        h("td", { class: "number" }, count(number)),
        h("td", { class: "number wide-only" }, percent(passing > 0 ? number / passing : 0)),
      ),
    );
    const head = h(
      "tr",
      {},
      h("th", { scope: "col" }, "Value"),
      h("td"),
      h("th", { scope: "col", class: "number" }, "Documents"),
      h("th", { scope: "col", class: "number wide-only" }, "Share"),
    );
    return h("div", { class: "card" }, h("table", { class: "facet" }, h("thead", {}, head), h("tbody", {}, rows)));
  }

  /**
   * The filter of these documents and this value.
   *
   * @param {unknown} value
   */
  function condition(value) {
    const own = { [field.input.value]: value };
    const rest = filter.read();
    return write(rest === undefined ? own : { $and: [rest, own] });
  }
}
