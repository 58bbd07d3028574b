// One document: read, edited, deleted; or a new one.

import { at, call, Problem } from "../api.js";
import { fill, h } from "../element.js";
import { format, write } from "../json.js";
import { copyButton } from "../parts/copy.js";
import { ask } from "../parts/dialog.js";
import { jsonField, Wrong } from "../parts/json_field.js";
import { notice } from "../parts/notice.js";
import { problemPlace } from "../parts/problem.js";
import { brief, whole } from "../parts/value.js";
import { go, toDocument, toTab } from "../route.js";
import { blankDocument, readId, writeId } from "../schema.js";
import { may } from "../session.js";

/** @param {import("./database.js").Tab} tab */
export function showNew(tab) {
  const { db, schema, place } = tab;
  const back = () => go(toTab(db));
  const form = editor({
    title: "New document",
    value: blankDocument(schema),
    verb: "Add",
    cancel: back,
    save: async (doc) => {
      const docs = [doc];
      try {
        await call("POST", at(db, "/docs"), { docs, if_version: 0 });
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== "conflict" || !(await askReplace(db, doc[schema.id], docs))) {
          throw error;
        }
      }
      notice("The document is written.");
      await tab.refresh();
      go(toDocument(db, doc[schema.id]));
    },
  });
  fill(place, form);
}

/**
 * Asks whether a document that is there is to be replaced, and does it.
 *
 * @param {string} db
 * @param {unknown} id
 * @param {unknown[]} docs
 */
function askReplace(db, id, docs) {
  return ask({
    title: `Replace ${brief(id, 60)}?`,
    content: [h("p", {}, `There is a document with the id ${brief(id, 60)} already.`)],
    verb: "Replace",
    isDangerous: true,
    submit: () => call("POST", at(db, "/docs"), { docs }),
  });
}

/**
 * @param {import("./database.js").Tab} tab
 * @param {string} text The id, as the route has it.
 */
export async function showDocument(tab, text) {
  const { db, schema, place, signal } = tab;
  const id = readId(schema, text);
  const problem = problemPlace();
  const content = h("div");
  fill(place, problem.element, content);

  async function read() {
    const body = { ids: [id], include: "*" };
    const { docs, versions } = await call("POST", at(db, "/get"), body, signal);
    if (docs[0] === null) {
      throw new Problem("not_found", `There is no document with the id ${write(id)}.`);
    }
    return { doc: docs[0], version: versions[0] };
  }

  async function show() {
    problem.clear();
    try {
      const { doc, version } = await read();
      fill(content, head(doc, version), values(schema, doc));
    } catch (error) {
      fill(content);
      problem.show(error);
    }
  }

  /** @param {any} doc @param {number} version */
  function head(doc, version) {
    const write = may("write");
    return h(
      "header",
      { class: "bar" },
      h("h2", {}, brief(id, 80), " ", h("span", { class: "muted" }, `version ${version}`)),
      h(
        "div",
        { class: "buttons" },
        schema.fields.some((field) => field.isVector) &&
          h("a", { class: "button", href: toTab(db, "search", { like: writeId(id) }) }, "Find similar"),
        copyButton("Copy JSON", () => format(doc)),
        write && h("button", { type: "button", onclick: () => edit(doc, version) }, "Edit"),
        write && h("button", { type: "button", class: "danger quiet", onclick: remove }, "Delete…"),
      ),
    );
  }

  /** @param {any} doc @param {number} version */
  function edit(doc, version) {
    const isVector = (/** @type {string} */ name) =>
      schema.fields.some((field) => field.isVector && field.name === name);
    const value = Object.fromEntries(Object.entries(doc).filter(([name]) => !isVector(name)));
    const form = editor({
      title: `Edit ${brief(id, 80)}`,
      hint: "Vectors stay as they are, unless you add them by their names.",
      value,
      verb: "Save",
      cancel: show,
      save: async (next) => {
        const body = { id, if_version: version, ...difference(value, next) };
        if (body.set !== undefined || body.unset !== undefined) {
          await call("PATCH", at(db, "/docs"), body);
          notice("The document is written.");
        }
        await show();
      },
    });
    fill(content, form);
  }

  async function remove() {
    const done = await ask({
      title: `Delete ${brief(id, 60)}?`,
      content: [h("p", {}, "The document goes for good.")],
      verb: "Delete",
      isDangerous: true,
      submit: async () => {
        await call("POST", at(db, "/delete"), { ids: [id] });
      },
    });
    if (done) {
      notice("The document is deleted.");
      await tab.refresh();
      go(toTab(db));
    }
  }

  await show();
}

/**
 * A form for the JSON of a document.
 *
 * @param {object} options
 * @param {string} options.title
 * @param {string} [options.hint]
 * @param {unknown} options.value
 * @param {string} options.verb
 * @param {() => void} options.cancel
 * @param {(doc: any) => Promise<void>} options.save
 */
function editor({ title, hint, value, verb, cancel, save }) {
  const note = `${hint ?? ""} Ctrl+Enter: ${verb.toLowerCase()}.`.trim();
  const field = jsonField({ label: "Document as JSON", value: format(value), rows: 12, hint: note });
  const button = h("button", { class: "primary" }, verb);
  const form = h(
    "form",
    {
      class: "card edit",
      onsubmit: async (/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        field.clear();
        button.disabled = true;
        try {
          await save(field.read() ?? {});
        } catch (error) {
          if (!(error instanceof Wrong)) {
            field.fail(error);
          }
        } finally {
          button.disabled = false;
        }
      },
    },
    h("h2", {}, title),
    field.element,
    h("div", { class: "buttons" }, button, h("button", { type: "button", onclick: cancel }, "Cancel")),
  );
  queueMicrotask(() => field.input.focus());
  return form;
}

/**
 * The patch that makes `next` of `before`.
 *
 * @param {Record<string, unknown>} before
 * @param {Record<string, unknown>} next
 */
function difference(before, next) {
  const set = Object.entries(next).filter(([name, value]) => write(value) !== write(before[name]));
  const unset = Object.keys(before).filter((name) => !(name in next));
  return {
    set: set.length > 0 ? Object.fromEntries(set) : undefined,
    unset: unset.length > 0 ? unset : undefined,
  };
}

/**
 * @param {import("../schema.js").Schema} schema
 * @param {Record<string, unknown>} doc
 */
function values(schema, doc) {
  const names = [schema.id, ...schema.fields.map((field) => field.name)];
  const rows = names
    .filter((name) => doc[name] !== undefined)
    .map((name) => h("div", {}, h("dt", {}, name), h("dd", {}, whole(doc[name]))));
  return h("dl", { class: "document card" }, rows);
}
