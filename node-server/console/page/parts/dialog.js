// Questions in front of the page.

import { freshId, h } from "../element.js";
import { problemPlace } from "./problem.js";

/**
 * Opens a dialog with a form. `submit` does what the form is for; while it fails, the dialog stays
 * and says why. Settles with whether it was done.
 *
 * @param {object} question
 * @param {string} question.title
 * @param {(Node | string | false)[]} question.content
 * @param {string} question.verb What its button says.
 * @param {boolean} [question.isDangerous]
 * @param {HTMLButtonElement} [question.button] The button, where the caller looks after it.
 * @param {() => Promise<void>} question.submit
 * @returns {Promise<boolean>}
 */
export function ask({ title, content, verb, isDangerous, button, submit }) {
  const titleId = freshId();
  const problem = problemPlace();
  const go = button ?? h("button");
  go.type = "submit";
  go.className = isDangerous ? "danger" : "primary";
  go.textContent = verb;
  const cancel = h("button", { type: "button", onclick: () => dialog.close() }, "Cancel");
  const form = h(
    "form",
    {
      method: "dialog",
      onsubmit: async (/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        problem.clear();
        go.disabled = true;
        try {
          await submit();
          dialog.close("done");
        } catch (error) {
          problem.show(error);
        } finally {
          go.disabled = false;
        }
      },
    },
    h("h2", { id: titleId }, title),
    ...content,
    problem.element,
    h("div", { class: "buttons" }, go, cancel),
  );
  const dialog = h("dialog", { "aria-labelledby": titleId }, form);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "done");
    });
  });
}

/**
 * Asks before something is lost for good: its name must be typed.
 *
 * @param {object} question
 * @param {string} question.title
 * @param {string} question.text
 * @param {string} question.name
 * @param {string} question.verb
 * @param {() => Promise<void>} question.submit
 */
export function askByName({ title, text, name, verb, submit }) {
  const id = freshId();
  const button = h("button", { disabled: true });
  const input = h("input", {
    id,
    autocomplete: "off",
    spellcheck: "false",
    autofocus: true,
    oninput: () => {
      button.disabled = input.value !== name;
    },
  });
  const label = h("label", { for: id }, "Type ", h("strong", {}, name), " to confirm");
  const content = [h("p", {}, text), h("div", { class: "field" }, label, input)];
  return ask({ title, content, verb, isDangerous: true, button, submit });
}
