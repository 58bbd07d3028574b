// A field for JSON that says where it is wrong, and takes what the server says of it.

import { freshId, h } from "../element.js";
import { format, parse } from "../json.js";
import { mistakeIn } from "../json_mistake.js";
import { explained } from "./problem.js";

/** What a form is told when one of its fields is wrong; the field has said it already. */
export class Wrong extends Error {}

/**
 * @typedef {object} JsonField
 * @property {HTMLElement} element
 * @property {HTMLTextAreaElement} input
 * @property {() => any} read What it holds, `undefined` when that is nothing; throws `Wrong`.
 * @property {(value: unknown) => void} write
 * @property {(error: unknown) => void} fail Shows what is wrong with it.
 * @property {() => void} clear
 */

/**
 * @param {object} options
 * @param {string} options.label
 * @param {string} [options.value]
 * @param {number} [options.rows]
 * @param {Node | string} [options.hint]
 * @param {string} [options.placeholder]
 * @param {boolean} [options.submits] Whether Enter submits the form and Shift+Enter begins a line;
 *   otherwise Ctrl+Enter does.
 * @returns {JsonField}
 */
export function jsonField({ label, value = "", rows = 1, hint, placeholder, submits = false }) {
  const [id, hintId, errorId] = [freshId(), freshId(), freshId()];
  const error = h("p", { class: "problem", id: errorId, role: "alert", hidden: true });
  const input = h("textarea", {
    id,
    rows,
    class: "code",
    spellcheck: "false",
    autocomplete: "off",
    autocapitalize: "off",
    placeholder,
    "aria-describedby": `${hintId} ${errorId}`,
    oninput: () => {
      grow();
      clear();
    },
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      const asks = submits ? !event.shiftKey : event.ctrlKey || event.metaKey;
      if (event.key === "Enter" && asks && !event.isComposing) {
        event.preventDefault();
        input.form?.requestSubmit();
      }
    },
    onchange: () => {
      try {
        read();
      } catch {
        // It is shown.
      }
    },
  });
  input.value = value;
  input.rows = Math.max(rows, lines(value));

  /** As many lines as there are, within reason. */
  function grow() {
    input.rows = Math.max(rows, Math.min(24, lines(input.value)));
  }

  function clear() {
    error.hidden = true;
    input.removeAttribute("aria-invalid");
  }

  /** @param {unknown} wrong */
  function fail(wrong) {
    const { code, message } = explained(wrong);
    error.replaceChildren(h("code", {}, code), ` ${message}`);
    error.hidden = false;
    input.setAttribute("aria-invalid", "true");
  }

  function read() {
    const text = input.value.trim();
    if (text === "") {
      return undefined;
    }
    try {
      return parse(text);
    } catch (cause) {
      const wrong = new Wrong(mistakeIn(text) ?? String(cause));
      error.replaceChildren(wrong.message);
      error.hidden = false;
      input.setAttribute("aria-invalid", "true");
      throw wrong;
    }
  }

  const element = h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    input,
    error,
    h("div", { class: "hint", id: hintId }, hint ?? ""),
  );
  const write = (/** @type {unknown} */ next) => {
    input.value = next === undefined ? "" : format(next);
    grow();
    clear();
  };
  return { element, input, read, write, fail, clear };
}

/** @param {string} text */
function lines(text) {
  return text.split("\n").length;
}
