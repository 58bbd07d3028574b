// The console: what is on the page, by where its user is.

import { call, Problem } from "./api.js";
import { fill, h } from "./element.js";
import { noticePlace } from "./parts/notice.js";
import { problemPlace } from "./parts/problem.js";
import { parseRoute } from "./route.js";
import * as session from "./session.js";
import { connect } from "./socket.js";
import { showDatabase } from "./views/database.js";
import { showDatabases } from "./views/databases.js";
import { showMetrics } from "./views/metrics.js";
import { showSignIn } from "./views/sign_in.js";

const main = h("main", { id: "main", tabindex: -1 });
const links = h("nav", { "aria-label": "Console" });
const identity = h("div", { class: "identity" });
const header = h(
  "header",
  { class: "site" },
  h("a", { class: "brand", href: "#/" }, "vectordoc"),
  links,
  identity,
);
const skip = h("a", { class: "skip", href: "#main", onclick: (/** @type {Event} */ event) => {
  event.preventDefault();
  main.focus();
} }, "Skip to the content");
document.body.append(skip, header, main, noticePlace);

/** Ends what the view on the page does. */
let life = new AbortController();
let version = "";

/** Begins with what the server says: whether it takes a key, and what the key is good for. */
async function start() {
  try {
    await call("GET", "/v1/dbs");
  } catch (error) {
    if (error instanceof Problem && error.code === "unauthenticated") {
      return;
    }
    return fail(error);
  }
  await identify();
  window.onhashchange = () => show(true);
  show(false);
}

/** Learns the role of the key. Where a WebSocket cannot pass, the server refuses what it must. */
async function identify() {
  try {
    const socket = await connect(session.currentKey());
    socket.close();
    version = socket.hello.version;
    session.setRole(socket.role);
  } catch {
    version = "";
  }
}

/** @param {unknown} error */
function fail(error) {
  const problem = problemPlace();
  const again = h("button", { type: "button", onclick: start }, "Try again");
  fill(main, h("div", { class: "card" }, problem.element, again));
  problem.show(error);
}

/** @param {boolean} hasMoved Whether the user came from another view. */
function show(hasMoved) {
  life.abort();
  life = new AbortController();
  const route = parseRoute(location.hash);
  const { signal } = life;
  drawHeader(route.view);
  document.title = titleOf(route);
  switch (route.view) {
    case "databases":
      showDatabases(main, signal);
      break;
    case "metrics":
      showMetrics(main, signal);
      break;
    case "database":
      showDatabase(main, route, signal);
      break;
    default:
      fill(main, h("p", { class: "empty card" }, "There is nothing here. ", h("a", { href: "#/" }, "All databases")));
  }
  if (hasMoved) {
    // A screen reader begins with what is new.
    main.querySelector("h1")?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }
}

/** @param {import("./route.js").Route} route */
function titleOf({ view, db }) {
  const name = view === "database" ? db : view === "metrics" ? "Metrics" : "Databases";
  return `${name} · vectordoc`;
}

/** @param {string | null} view What is on the page; `null` where nobody is signed in. */
function drawHeader(view) {
  const link = (/** @type {string} */ href, /** @type {string} */ text, /** @type {boolean} */ isHere) =>
    h("a", { href, "aria-current": isHere ? "page" : undefined }, text);
  const isOnDatabases = view === "databases" || view === "database";
  fill(
    links,
    ...(view === null ? [] : [link("#/", "Databases", isOnDatabases), link("#/metrics", "Metrics", view === "metrics")]),
  );
  const role = session.currentRole();
  const hasKey = view !== null && session.currentKey() !== null;
  const words = role === "read" ? "reads only" : role === "write" ? "reads and writes" : "admin";
  fill(
    identity,
    version !== "" && h("span", { class: "muted version" }, version),
    hasKey && h("span", { class: "tag", title: `The key has the role ${role}.` }, words),
    hasKey && h("button", { type: "button", class: "quiet", onclick: signOut }, "Sign out"),
  );
}

function signOut() {
  session.setKey(null);
  // Whatever was read with the key goes with the page.
  location.hash = "";
  location.reload();
}

session.events.addEventListener("refused", (event) => {
  const had = session.currentKey() !== null;
  const why = had ? /** @type {CustomEvent<string>} */ (event).detail : null;
  if (document.querySelector("form.sign-in")) {
    return;
  }
  session.setKey(null);
  life.abort();
  window.onhashchange = null;
  document.querySelectorAll("dialog").forEach((dialog) => dialog.close());
  drawHeader(null);
  document.title = "Sign in · vectordoc";
  showSignIn(main, why, start);
});

start();
