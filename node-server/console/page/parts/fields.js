// Fields of forms, each with its label.

import { freshId, h } from "../element.js";

/**
 * @param {string} label
 * @param {Record<string, unknown>} [properties]
 * @param {string} [hint]
 */
export function textField(label, properties = {}, hint) {
  const [id, hintId] = [freshId(), freshId()];
  const input = h("input", { id, autocomplete: "off", "aria-describedby": hint && hintId, ...properties });
  const note = hint && h("div", { class: "hint", id: hintId }, hint);
  return { element: h("div", { class: "field" }, h("label", { for: id }, label), input, note), input };
}

/**
 * @param {string} label
 * @param {[value: string, text: string][]} choices
 * @param {string} [chosen]
 */
export function choiceField(label, choices, chosen = "") {
  const id = freshId();
  const options = choices.map(([value, text]) =>
    h("option", { value, selected: value === chosen }, text),
  );
  const input = h("select", { id }, options);
  return { element: h("div", { class: "field" }, h("label", { for: id }, label), input), input };
}

/**
 * @param {string} label
 * @param {boolean} [isOn]
 */
export function switchField(label, isOn = false) {
  const id = freshId();
  const input = h("input", { id, type: "checkbox", checked: isOn });
  return { element: h("div", { class: "check" }, input, h("label", { for: id }, label)), input };
}

/**
 * The number in a field, `undefined` when it is empty.
 *
 * @param {HTMLInputElement} input
 */
export function numberIn(input) {
  return input.value.trim() === "" ? undefined : Number(input.value);
}
