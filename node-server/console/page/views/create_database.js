// Asks for what a new database is to be.

import { at, call } from "../api.js";
import { h } from "../element.js";
import { ask } from "../parts/dialog.js";
import { numberIn, textField } from "../parts/fields.js";
import { jsonField } from "../parts/json_field.js";
import { notice } from "../parts/notice.js";

const EXAMPLE = {
  id: "string",
  embedding: { vector: 384, metric: "cosine" },
  title: { type: "string", text: true },
  tags: { type: "string[]", filter: true },
  price: { type: "number", filter: true, optional: true },
};

/**
 * Asks, creates, and settles with the name; with `null` when nothing was created.
 *
 * @param {string[]} names Those taken.
 * @returns {Promise<string | null>}
 */
export async function createDatabase(names) {
  const name = textField(
    "Name",
    { required: true, pattern: "[a-z0-9_\\-]+", maxlength: 64, autofocus: true, spellcheck: "false" },
    "Lower-case letters, digits, - and _.",
  );
  const hint = h(
    "span",
    {},
    "Fields by name: a type such as ",
    ...listed(["string", "number", "integer", "boolean", "timestamp", "geo", "string[]"]),
    ", or an object with options. ",
    h("code", {}, "filter"),
    " indexes values, ",
    h("code", {}, "text"),
    " words, ",
    h("code", {}, "vector"),
    " says how many numbers a vector has.",
  );
  const schema = jsonField({ label: "Schema", rows: 8, hint });
  schema.write(EXAMPLE);
  const shards = textField(
    "Shards",
    { type: "number", min: 1, max: 256, placeholder: "as the server says" },
    "Parts that work side by side; it can be changed later.",
  );
  const done = await ask({
    title: "New database",
    content: [name.element, schema.element, shards.element],
    verb: "Create",
    submit: async () => {
      const wanted = name.input.value;
      if (names.includes(wanted)) {
        throw new Error(`there is a database called ${wanted} already`);
      }
      const body = { schema: schema.read() ?? {}, shards: numberIn(shards.input) };
      await call("PUT", at(wanted), body);
      notice(`${wanted} is created.`);
    },
  });
  return done ? name.input.value : null;
}

/** @param {string[]} words */
function listed(words) {
  return words.flatMap((word, place) => [place > 0 ? ", " : "", h("code", {}, word)]);
}
