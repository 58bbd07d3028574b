// What a database is made of, how good its searches are, and the way to be rid of it.

import { at, call } from "../api.js";
import { fill, h } from "../element.js";
import { format } from "../json.js";
import { count, counted, milliseconds, percent } from "../numbers.js";
import { copyButton } from "../parts/copy.js";
import { askByName } from "../parts/dialog.js";
import { choiceField, numberIn, textField } from "../parts/fields.js";
import { notice } from "../parts/notice.js";
import { problemPlace } from "../parts/problem.js";
import { go } from "../route.js";
import { may } from "../session.js";

/** @param {import("./database.js").Tab} tab */
export function showAbout(tab) {
  fill(tab.place, fields(tab), quality(tab), may("admin") && danger(tab));
}

/** @param {import("./database.js").Tab} tab */
function fields({ schema, description }) {
  const id = h(
    "tr",
    {},
    h("th", { scope: "row" }, schema.id),
    h("td", {}, schema.hasNumericIds ? "u64" : "string"),
    h("td", {}, h("span", { class: "tag" }, "id")),
  );
  const rows = schema.fields.flatMap((field) => fieldRows(field, ""));
  const head = ["Field", "Type", "What is done with it"].map((name) => h("th", { scope: "col" }, name));
  const text = format(description.schema);
  return h(
    "section",
    { class: "card" },
    h("header", { class: "bar" }, h("h2", {}, "Schema"), copyButton("Copy JSON", () => text)),
    h("div", { class: "scroll", role: "region", tabindex: 0, "aria-label": "Fields" }, h("table", {}, h("thead", {}, h("tr", {}, head)), h("tbody", {}, id, rows))),
    h("details", {}, h("summary", {}, "As JSON"), h("pre", { class: "code" }, text)),
  );
}

/**
 * @param {import("../schema.js").Field} field
 * @param {string} prefix
 * @returns {Node[]}
 */
function fieldRows(field, prefix) {
  const tags = tagsOf(field).map((tag) => h("span", { class: "tag" }, tag));
  const type = field.isVector ? `vector of ${count(field.options.vector)}` : field.type;
  const row = h(
    "tr",
    {},
    h("th", { scope: "row" }, prefix + field.name),
    h("td", {}, type),
    h("td", {}, tags.length > 0 ? tags : "stored"),
  );
  return [row, ...field.fields.flatMap((inner) => fieldRows(inner, `${prefix}${field.name}.`))];
}

/** @param {import("../schema.js").Field} field */
function tagsOf(field) {
  const { options } = field;
  const ofVector = ["metric", "index", "precision", "quantization", "m", "ef", "ef_construction"]
    .filter((name) => field.isVector && options[name] !== undefined)
    .map((name) => (name === "metric" ? String(options[name]) : `${name} ${options[name]}`));
  const flags = [
    field.isFilter && field.fields.length === 0 && "filter",
    field.isText && "text",
    field.isOptional && "optional",
    Array.isArray(options.enum) && `one of ${counted(options.enum.length, "word")}`,
  ];
  return [...ofVector, ...flags.filter((flag) => flag !== false)];
}

/** @param {import("./database.js").Tab} tab */
function quality({ db, schema, signal }) {
  const vectors = schema.fields.filter((field) => field.isVector);
  if (vectors.length === 0) {
    return null;
  }
  const field = choiceField("Vector field", vectors.map(({ name }) => [name, name]));
  field.element.hidden = vectors.length < 2;
  const sample = textField("Documents searched for", { type: "number", min: 1, max: 1000, value: 100 });
  const k = textField("Hits of each", { type: "number", min: 1, max: 1000, value: 10 });
  const ef = textField("ef", { type: "number", min: 1, max: 10_000, placeholder: "measured" });
  const button = h("button", {}, "Measure");
  const problem = problemPlace();
  const result = h("div", { role: "status" });
  const form = h(
    "form",
    {
      onsubmit: async (/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        problem.clear();
        button.disabled = true;
        fill(result, h("p", { class: "status" }, "Measuring…"));
        try {
          const body = {
            field: vectors.length > 1 ? field.input.value : undefined,
            sample: numberIn(sample.input),
            k: numberIn(k.input),
            ef: numberIn(ef.input),
          };
          fill(result, measured(await call("POST", at(db, "/recall"), body, signal)));
        } catch (error) {
          fill(result);
          problem.show(error);
        } finally {
          button.disabled = false;
        }
      },
    },
    h("div", { class: "row" }, field.element, sample.element, k.element, ef.element, button),
  );
  const about =
    "Searches for some of its own documents, as any search is made and exactly, and compares what was found.";
  return h("section", { class: "card" }, h("h2", {}, "Recall"), h("p", { class: "muted" }, about), form, problem.element, result);
}

/** @param {any} recall */
function measured({ recall, sampled, k, ef, exact_ms, search_ms }) {
  if (recall === null) {
    return h("p", { class: "status" }, "There is nothing to search for yet.");
  }
  const facts = [
    ["Recall", percent(recall)],
    ["Searches", count(sampled)],
    ["Hits of each", count(k)],
    ["ef", ef > 0 ? count(ef) : "no graph yet"],
    ["Time of a search", milliseconds(search_ms)],
    ["Compared with all", milliseconds(exact_ms)],
  ];
  return h("dl", { class: "explain" }, facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
}

/** @param {import("./database.js").Tab} tab */
function danger({ db, description }) {
  const remove = async () => {
    const done = await askByName({
      title: `Delete ${db}?`,
      text: `The database goes for good, with its ${counted(description.documents, "document")}.`,
      name: db,
      verb: "Delete the database",
      submit: async () => {
        await call("DELETE", at(db));
      },
    });
    if (done) {
      notice(`${db} is deleted.`);
      go("#/");
    }
  };
  const button = h("button", { type: "button", class: "danger", onclick: remove }, "Delete the database…");
  return h("section", { class: "card" }, h("h2", {}, "Delete"), h("p", { class: "muted" }, "There is no way back but a backup."), button);
}
