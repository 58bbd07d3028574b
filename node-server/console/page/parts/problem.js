// How an error is shown: its code and what it says, where it belongs.

import { Problem } from "../api.js";
import { fill, h } from "../element.js";

/**
 * @param {unknown} error
 * @returns {{ code: string, message: string }}
 */
export function explained(error) {
  if (error instanceof Problem) {
    return { code: error.code, message: error.message };
  }
  return { code: "console", message: error instanceof Error ? error.message : String(error) };
}

/**
 * A place for an error, which screen readers read out.
 *
 * @returns {{ element: HTMLElement, show: (error: unknown) => void, clear: () => void }}
 */
export function problemPlace() {
  const element = h("p", { class: "problem", role: "alert", hidden: true });
  return {
    element,
    show(error) {
      if (error instanceof DOMException && error.name === "AbortError") {
        return;
      }
      const { code, message } = explained(error);
      fill(element, h("code", {}, code), " ", message);
      element.hidden = false;
    },
    clear() {
      element.hidden = true;
      fill(element);
    },
  };
}

/**
 * What to know about an answer, from its `warnings`.
 *
 * @param {unknown[] | undefined} warnings
 */
export function warningList(warnings) {
  const items = (warnings ?? []).map((warning) => h("li", {}, String(warning)));
  return items.length > 0 && h("ul", { class: "warnings", "aria-label": "Warnings" }, items);
}
