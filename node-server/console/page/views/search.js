// Searches: by documents as examples, by words, by a vector; with a filter, and how they were done.

import { at, call, Problem } from "../api.js";
import { fill, h } from "../element.js";
import { count, counted, milliseconds, score } from "../numbers.js";
import { choiceField, numberIn, switchField, textField } from "../parts/fields.js";
import { countPassing, filterField } from "../parts/filter_field.js";
import { jsonField, Wrong } from "../parts/json_field.js";
import { meter } from "../parts/meter.js";
import { problemPlace, warningList } from "../parts/problem.js";
import { brief } from "../parts/value.js";
import { toDocument, toTab } from "../route.js";
import { readIds, writeId } from "../schema.js";

/** @typedef {"like" | "text" | "vector"} Way */

/** @param {import("./database.js").Tab} tab */
export function showSearch(tab) {
  const { db, schema, place, route, signal } = tab;
  const asked = route.query;
  const vectors = schema.fields.filter((field) => field.isVector);
  const texts = schema.fields.filter((field) => field.isText);
  const ways = waysOf(vectors, texts);
  if (ways.length === 0) {
    return fill(place, h("p", { class: "empty card" }, "This schema has neither vectors nor indexed text."));
  }
  const byIds = { spellcheck: "false", placeholder: "ids, with commas between them" };
  const like = textField("Like these documents", { ...byIds, value: asked.get("like") ?? "" });
  const unlike = textField("Unlike these", { ...byIds, value: asked.get("unlike") ?? "" });
  const vector = jsonField({
    label: "Vector",
    placeholder: "[0.1, 0.9, …]",
    hint: `Numbers, as JSON${vectors[0] ? `; ${dimensions(vectors)}` : ""}.`,
    submits: true,
  });
  const words = textField(
    "Words",
    { value: asked.get("text") ?? "" },
    vectors.length > 0 && texts.length > 0 ? "With documents or a vector, both lists become one." : undefined,
  );
  const field = choiceField("Vector field", named(vectors), asked.get("field") ?? vectors[0]?.name);
  const textIn = choiceField("Text field", named(texts), asked.get("text_field") ?? texts[0]?.name);
  const filter = filterField(schema, asked.get("filter") ?? "");
  const limit = textField("Limit", { type: "number", min: 1, max: 10_000, value: asked.get("limit") ?? 10 });
  const ef = textField("ef", { type: "number", min: 1, max: 10_000, placeholder: "measured", title: "Candidates a graph considers", value: asked.get("ef") ?? "" });
  const exact = switchField("Compare with every vector", asked.get("exact") === "true");
  const problem = problemPlace();
  const status = h("p", { class: "status", role: "status" });
  const results = h("div");
  let way = /** @type {Way} */ (ways.find(([name]) => name === wayAsked(asked))?.[0] ?? ways[0]?.[0]);

  const parts = {
    like: h("div", { class: "row wide" }, like.element, unlike.element),
    vector: vector.element,
    words: words.element,
    field: field.element,
    textIn: textIn.element,
    exact: exact.element,
    ef: ef.element,
  };
  const switches = ways.map(([name, label]) => {
    const input = h("input", { type: "radio", name: "way", value: name, checked: name === way });
    input.addEventListener("change", () => choose(name));
    return h("label", {}, input, h("span", {}, label));
  });
  const form = h(
    "form",
    {
      class: "ask card",
      onsubmit: (/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        history.replaceState(null, "", toTab(db, "search", remembered()));
        search();
      },
    },
    ways.length > 1 && h("fieldset", { class: "ways" }, h("legend", {}, "Search by"), switches),
    parts.like,
    parts.vector,
    parts.words,
    h("div", { class: "row" }, parts.field, parts.textIn),
    filter.element,
    h("div", { class: "row" }, limit.element, parts.ef, parts.exact, h("button", { class: "primary" }, "Search")),
  );
  fill(place, form, problem.element, status, results);
  choose(way);
  if (["like", "text"].some((name) => asked.get(name))) {
    search();
  }

  /** @param {Way} next */
  function choose(next) {
    way = next;
    parts.like.hidden = way !== "like";
    parts.vector.hidden = way !== "vector";
    parts.words.hidden = texts.length === 0;
    parts.field.hidden = way === "text" || vectors.length < 2;
    parts.textIn.hidden = texts.length < 2;
    parts.exact.hidden = parts.ef.hidden = way === "text";
  }

  /** What the address keeps: all but a vector, which is too long for one. */
  function remembered() {
    return {
      like: way === "like" ? like.input.value.trim() : "",
      unlike: way === "like" ? unlike.input.value.trim() : "",
      text: words.input.value.trim(),
      field: parts.field.hidden ? "" : field.input.value,
      text_field: parts.textIn.hidden ? "" : textIn.input.value,
      filter: filter.input.value.trim(),
      limit: limit.input.value === "10" ? "" : limit.input.value,
      ef: ef.input.value,
      exact: exact.input.checked ? "true" : "",
    };
  }

  function request() {
    const text = words.input.value.trim() || undefined;
    const isNear = way !== "text";
    return {
      like: way === "like" ? readIds(schema, like.input.value) : undefined,
      unlike: way === "like" && unlike.input.value.trim() ? readIds(schema, unlike.input.value) : undefined,
      vector: way === "vector" ? vector.read() : undefined,
      field: isNear && vectors.length > 1 ? field.input.value : undefined,
      text,
      text_field: text && texts.length > 1 ? textIn.input.value : undefined,
      filter: filter.read(),
      limit: numberIn(limit.input),
      ef: isNear ? numberIn(ef.input) : undefined,
      exact: isNear && exact.input.checked ? true : undefined,
      explain: true,
    };
  }

  async function search() {
    problem.clear();
    vector.clear();
    try {
      const body = request();
      // Says where a filter is wrong, before the search says that something is.
      if (body.filter !== undefined && (await countPassing(db, filter, signal)) === null) {
        return fill(status, "The filter is not right.");
      }
      const started = performance.now();
      const answer = await call("POST", at(db, "/search"), body, signal);
      draw(answer, performance.now() - started);
    } catch (error) {
      if (error instanceof Wrong) {
        return;
      }
      fill(status);
      fill(results);
      const isVector = error instanceof Problem && way === "vector" && /^vector/.test(error.message);
      isVector ? vector.fail(error) : problem.show(error);
    }
  }

  /** @param {any} answer @param {number} took */
  function draw({ hits, explain, warnings }, took) {
    fill(status, `${counted(hits.length, "hit")} in ${milliseconds(took)}`);
    const best = Math.max(...hits.map((/** @type {any} */ hit) => hit.score), 0);
    const list = h("ol", { class: "hits" }, hits.map((/** @type {any} */ found) => hit(tab, found, best)));
    const notes = warningList(warnings);
    const nothing = hits.length === 0 && h("p", { class: "empty card" }, "Nothing was found.");
    fill(results, explained(explain), notes, nothing, list);
  }
}

/** @param {import("../schema.js").Field[]} vectors @param {import("../schema.js").Field[]} texts */
function waysOf(vectors, texts) {
  /** @type {[Way, string][]} */
  const near = [
    ["like", "Example"],
    ["vector", "Vector"],
  ];
  /** @type {[Way, string][]} */
  const byText = [["text", "Words"]];
  return [...(vectors.length > 0 ? near : []), ...(texts.length > 0 ? byText : [])];
}

/** @param {URLSearchParams} asked */
function wayAsked(asked) {
  return asked.get("text") && !asked.get("like") ? "text" : "like";
}

/**
 * @param {import("../schema.js").Field[]} fields
 * @returns {[string, string][]}
 */
function named(fields) {
  return fields.map(({ name }) => [name, name]);
}

/** @param {import("../schema.js").Field[]} vectors */
function dimensions(vectors) {
  const each = vectors.map((field) => `${count(field.options.vector)} for ${field.name}`);
  return each.join(", ");
}

/** @param {any} explain */
function explained(explain) {
  if (!explain) {
    return null;
  }
  const facts = [
    ["Plan", explain.plan],
    ["Visited", count(explain.visited)],
    ["Allowed", count(explain.allowed)],
    ["ef", explain.ef > 0 ? count(explain.ef) : "–"],
    ["Answer", explain.exact ? "exact" : "approximate"],
  ];
  const pairs = facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)));
  return h("dl", { class: "explain", "aria-label": "How it was searched" }, pairs);
}

/**
 * @param {import("./database.js").Tab} tab
 * @param {any} found
 * @param {number} best
 */
function hit({ db, schema }, found, best) {
  const values = schema.fields
    .filter((field) => !field.isVector && found.doc[field.name] !== undefined && found.doc[field.name] !== null)
    .map((field) => h("div", {}, h("dt", {}, field.name), h("dd", {}, brief(found.doc[field.name], 240))));
  const hasVector = schema.fields.some((field) => field.isVector);
  return h(
    "li",
    { class: "card" },
    h(
      "div",
      { class: "hit" },
      h("a", { class: "id", href: toDocument(db, found.id) }, brief(found.id, 80)),
      h("span", { class: "score", title: `distance ${found.distance}` }, meter(best > 0 ? found.score / best : 0), score(found.score)),
      hasVector && h("a", { class: "more", href: toTab(db, "search", { like: writeId(found.id) }) }, "Similar", h("span", { class: "hidden" }, ` to ${brief(found.id, 80)}`)),
    ),
    h("dl", { class: "values" }, values),
  );
}
