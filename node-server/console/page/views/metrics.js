// The server while it works: requests, latencies, connections, memory.

import { metrics } from "../api.js";
import { fill, h } from "../element.js";
import { latencies, parseMetrics, quantile, sum, valuesOf } from "../metrics.js";
import { bytes, count, milliseconds, rate } from "../numbers.js";
import { lineChart } from "../parts/chart.js";
import { problemPlace } from "../parts/problem.js";
import { toTab } from "../route.js";
import { repeat } from "../ticker.js";

const PAUSE_MS = 1_000;
/** Latencies are of the requests between so many readings, as one has few. */
const WINDOW = 10;
const REQUESTS = "vectordoc_requests_total";

/** @typedef {{ at: number, samples: import("../metrics.js").Sample[] }} Reading */

/**
 * @param {HTMLElement} place
 * @param {AbortSignal} signal
 */
export function showMetrics(place, signal) {
  const seconds = (/** @type {number} */ value) => milliseconds(value * 1000);
  const charts = {
    requests: lineChart({ title: "Requests per second", lines: [""], format: rate }),
    latency: lineChart({ title: "Latency", lines: ["p50", "p95", "p99"], format: seconds }),
    connections: lineChart({ title: "Connections", lines: ["open", "requests in flight"], format: count }),
    documents: lineChart({ title: "Documents", lines: ["all", "waiting for an index"], format: count }),
    memory: lineChart({ title: "Memory", lines: ["process", "databases"], format: bytes, base: 1024 }),
    disk: lineChart({ title: "Disk", lines: [""], format: bytes, base: 1024 }),
  };
  const problem = problemPlace();
  const methods = h("section", { class: "card", "aria-label": "Operations" });
  const databases = h("section", { class: "card", "aria-label": "Databases" });
  fill(
    place,
    h("header", { class: "title" }, h("h1", { tabindex: -1 }, "Metrics")),
    problem.element,
    h("div", { class: "charts" }, Object.values(charts).map((chart) => chart.element)),
    methods,
    databases,
  );

  /** @type {Reading[]} */
  let readings = [];
  repeat(
    PAUSE_MS,
    signal,
    async () => {
      const now = { at: performance.now(), samples: parseMetrics(await metrics(signal)) };
      problem.clear();
      const last = readings.at(-1);
      // After a pause or a restart, what was before says nothing about now.
      const isContinued = last && now.at - last.at < 10 * PAUSE_MS && grows(last, now, REQUESTS);
      readings = [...(isContinued ? readings : []), now].slice(-WINDOW - 1);
      draw(charts, readings);
      fill(methods, operationTable(readings));
      fill(databases, databaseTable(now.samples));
    },
    problem.show,
  );
}

/** @param {Reading} before @param {Reading} now @param {string} name */
function grows(before, now, name) {
  return sum(now.samples, name) >= sum(before.samples, name);
}

/**
 * @param {Record<string, ReturnType<typeof lineChart>>} charts
 * @param {Reading[]} readings
 */
function draw(charts, readings) {
  const [now, before, first] = [readings.at(-1), readings.at(-2), readings[0]];
  if (!now || !first) {
    return;
  }
  const all = (/** @type {string} */ name) => sum(now.samples, name);
  const buckets = latencies(first.samples, now.samples);
  /** @type {Record<string, (number | null)[]>} */
  const points = {
    requests: [before ? perSecond(before, now, REQUESTS) : null],
    latency: [0.5, 0.95, 0.99].map((part) => quantile(buckets, part)),
    connections: [all("vectordoc_connections"), all("vectordoc_requests_in_flight")],
    documents: [all("vectordoc_database_documents"), all("vectordoc_database_unindexed")],
    memory: [all("process_resident_memory_bytes"), all("vectordoc_database_memory_bytes")],
    disk: [all("vectordoc_database_disk_bytes")],
  };
  const at = new Date();
  for (const [name, point] of Object.entries(points)) {
    charts[name]?.push(at, point);
  }
}

/**
 * @param {Reading} before
 * @param {Reading} now
 * @param {string} name
 * @param {Record<string, string>} [labels]
 */
function perSecond(before, now, name, labels) {
  const grown = sum(now.samples, name, labels) - sum(before.samples, name, labels);
  return Math.max(0, grown) / ((now.at - before.at) / 1000);
}

/** @param {Reading[]} readings */
function operationTable(readings) {
  const [now, first] = [readings.at(-1), readings[0]];
  if (!now || !first) {
    return h("p");
  }
  const rows = valuesOf(now.samples, REQUESTS, "method").map((method) => {
    const total = sum(now.samples, REQUESTS, { method });
    const failed = total - sum(now.samples, REQUESTS, { method, code: "ok" });
    const buckets = latencies(first.samples, now.samples, method);
    return { method, total, failed, rate: now === first ? 0 : perSecond(first, now, REQUESTS, { method }), p50: quantile(buckets, 0.5), p99: quantile(buckets, 0.99) };
  });
  rows.sort((a, b) => b.total - a.total || a.method.localeCompare(b.method));
  const time = (/** @type {number | null} */ seconds) => (seconds === null ? "–" : milliseconds(seconds * 1000));
  return table(
    ["Operation", "Per second", "p50", "p99", "Answered", "Refused"],
    rows.map((row) => [
      h("code", {}, row.method),
      rate(row.rate),
      time(row.p50),
      time(row.p99),
      count(row.total),
      row.failed > 0 ? h("span", { class: "bad" }, count(row.failed)) : "0",
    ]),
    "Nothing was asked yet.",
  );
}

/** @param {import("../metrics.js").Sample[]} samples */
function databaseTable(samples) {
  const rows = valuesOf(samples, "vectordoc_database_documents", "db").map((db) => {
    const of = (/** @type {string} */ name) => sum(samples, `vectordoc_database_${name}`, { db });
    const disk = of("disk_bytes");
    return [
      h("a", { href: toTab(db) }, db),
      count(of("documents")),
      count(of("unindexed")),
      bytes(of("memory_bytes")),
      disk > 0 ? bytes(disk) : "–",
      count(of("records_total")),
    ];
  });
  return table(["Database", "Documents", "Waiting", "Memory", "Disk", "Writes"], rows, "There is no database yet.");
}

/**
 * @param {string[]} head
 * @param {(Node | string)[][]} rows
 * @param {string} nothing
 */
function table(head, rows, nothing) {
  if (rows.length === 0) {
    return h("p", { class: "empty" }, nothing);
  }
  const kind = (/** @type {number} */ place) => (place === 0 ? "" : "number");
  const cells = (/** @type {(Node | string)[]} */ row) =>
    row.map((cell, place) => (place === 0 ? h("th", { scope: "row" }, cell) : h("td", { class: "number" }, cell)));
  return h(
    "div",
    { class: "scroll", role: "region", tabindex: 0, "aria-label": `${head[0]} figures` },
    h(
      "table",
      {},
      h("thead", {}, h("tr", {}, head.map((name, place) => h("th", { scope: "col", class: kind(place) }, name)))),
      h("tbody", {}, rows.map((row) => h("tr", {}, cells(row)))),
    ),
  );
}
