// Asks for a key, where the server takes one.

import { call, Problem } from "../api.js";
import { fill, h } from "../element.js";
import { textField } from "../parts/fields.js";
import { problemPlace } from "../parts/problem.js";
import { setKey } from "../session.js";

/**
 * @param {HTMLElement} place
 * @param {string | null} why What the server said of the key that was shown, if one was.
 * @param {() => void} done
 */
export function showSignIn(place, why, done) {
  const problem = problemPlace();
  const key = textField(
    "Key",
    {
      type: "password",
      required: true,
      autocomplete: "off",
      spellcheck: "false",
      placeholder: "vd_…",
    },
    "It stays in this tab and is forgotten when the tab is closed.",
  );
  const button = h("button", { class: "primary" }, "Sign in");
  const form = h(
    "form",
    {
      class: "card sign-in",
      onsubmit: async (/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        problem.clear();
        button.disabled = true;
        setKey(key.input.value.trim());
        try {
          await call("GET", "/v1/dbs");
          done();
        } catch (error) {
          setKey(null);
          problem.show(error);
          key.input.select();
        } finally {
          button.disabled = false;
        }
      },
    },
    h("h1", { tabindex: -1 }, "Sign in"),
    h("p", { class: "muted" }, "This server answers to holders of a key. ", h("code", {}, "vectordoc key create"), " makes one."),
    key.element,
    problem.element,
    button,
  );
  fill(place, form);
  if (why !== null) {
    problem.show(new Problem("unauthenticated", why));
  }
  key.input.focus();
}
