// What happens to the documents of a database, while it happens.

import { fill, h } from "../element.js";
import { counted } from "../numbers.js";
import { filterField } from "../parts/filter_field.js";
import { Wrong } from "../parts/json_field.js";
import { problemPlace } from "../parts/problem.js";
import { brief } from "../parts/value.js";
import { toDocument } from "../route.js";
import { currentKey } from "../session.js";
import { connect } from "../socket.js";
import { pause } from "../ticker.js";

const SHOWN_MAX = 200;
const RETRY_MS = 2_000;
/** @type {Record<string, string>} */
const WORDS = { index: "written", delete: "deleted", leave: "left the filter" };

/** @param {import("./database.js").Tab} tab */
export function showChanges({ db, schema, place, signal }) {
  const filter = filterField(schema);
  const problem = problemPlace();
  const status = h("p", { class: "status", role: "status" });
  const feed = h("ol", { class: "feed card", "aria-label": "Changes, the latest first" });
  const form = h(
    "form",
    {
      class: "ask card",
      onsubmit: (/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        follow();
      },
    },
    filter.element,
    h("div", { class: "row" }, h("button", { class: "primary" }, "Follow")),
  );
  fill(place, form, problem.element, status, feed);
  let seen = 0;
  let following = new AbortController();
  signal.addEventListener("abort", () => following.abort());
  follow();

  /** Follows what passes the filter, from now on. */
  function follow() {
    following.abort();
    following = new AbortController();
    try {
      const wanted = filter.read();
      [seen] = [0];
      fill(feed);
      keepFollowing(wanted, following.signal);
    } catch (error) {
      if (!(error instanceof Wrong)) {
        problem.show(error);
      }
    }
  }

  /** @param {unknown} wanted @param {AbortSignal} until */
  async function keepFollowing(wanted, until) {
    /** Where a lost connection is taken up again. @type {string | undefined} */
    let since;
    while (!until.aborted) {
      try {
        fill(status, "Connecting…");
        const socket = await connect(currentKey(), (method, params) => {
          since = params.cursor ?? since;
          hear(method, params);
        });
        until.addEventListener("abort", socket.close);
        const { cursor } = await socket.ask("subscribe", { db, filter: wanted, since });
        since ??= cursor;
        problem.clear();
        say();
        await socket.closed;
      } catch (error) {
        if (/** @type {any} */ (error).code === "invalid") {
          fill(status);
          return filter.fail(error);
        }
        if (!until.aborted) {
          problem.show(error);
        }
      }
      await pause(RETRY_MS, until);
    }
  }

  /** @param {string} method @param {any} params */
  function hear(method, params) {
    if (method === "changes") {
      seen += params.changes.length;
      // Of thousands at once, only the last would stay.
      params.changes.slice(-SHOWN_MAX).forEach(add);
      say();
    } else if (method === "lagged") {
      feed.prepend(h("li", { class: "gap" }, "Some changes came faster than they could be told."));
    } else if (method === "ended") {
      problem.show(new Error(params.error?.message ?? "The server ended the subscription."));
    }
  }

  function say() {
    fill(status, seen === 0 ? "Waiting for changes…" : `${counted(seen, "change")} so far`);
  }

  /** @param {any} change */
  function add({ op, doc, id, version }) {
    const name = doc ? doc[schema.id] : id;
    const link = op === "delete" ? brief(name, 60) : h("a", { href: toDocument(db, name) }, brief(name, 60));
    const rest = doc ? Object.fromEntries(Object.entries(doc).filter(([field]) => field !== schema.id)) : null;
    const item = h(
      "li",
      {},
      h("time", {}, new Date().toLocaleTimeString()),
      h("span", { class: `op ${op}` }, WORDS[op] ?? op),
      h("span", { class: "id" }, link),
      h("span", { class: "muted brief" }, rest && brief(rest, 160)),
      h("span", { class: "muted number" }, `v${version}`),
    );
    feed.prepend(item);
    while (feed.childElementCount > SHOWN_MAX) {
      feed.lastElementChild?.remove();
    }
  }
}
