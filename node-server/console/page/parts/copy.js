// A button that copies.

import { h } from "../element.js";
import { notice } from "./notice.js";

/**
 * @param {string} label
 * @param {() => string} text
 */
export function copyButton(label, text) {
  return h(
    "button",
    {
      type: "button",
      onclick: async () => {
        try {
          await navigator.clipboard.writeText(text());
          notice("Copied.");
        } catch {
          notice("The browser does not let this page copy.");
        }
      },
    },
    label,
  );
}
