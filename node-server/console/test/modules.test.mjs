// What needs no browser: reading metrics, keeping numbers whole, saying where JSON is wrong.

import assert from "node:assert/strict";
import test from "node:test";
import { format, parse, write } from "../page/json.js";
import { mistakeIn } from "../page/json_mistake.js";
import { latencies, parseMetrics, quantile, sum, valuesOf } from "../page/metrics.js";
import { brief } from "../page/parts/value.js";
import { parseRoute, toDocument, toTab } from "../page/route.js";
import { blankDocument, filterPaths, readIds, readSchema, writeId } from "../page/schema.js";

const scraped = (counts) => `# HELP vectordoc_request_duration_seconds Time
# TYPE vectordoc_request_duration_seconds histogram
${counts
  .map(([le, count]) => `vectordoc_request_duration_seconds_bucket{le="${le}",method="search"} ${count}`)
  .join("\n")}
vectordoc_requests_total{method="search",transport="http",code="ok"} 7
vectordoc_requests_total{method="search",transport="grpc",code="invalid"} 2
vectordoc_requests_total{method="odd\\"\\\\\\n}",transport="http",code="ok"} 1e3
vectordoc_connections 3
`;

test("metrics are read and added up", () => {
  const samples = parseMetrics(scraped([["+Inf", 9]]));
  assert.equal(sum(samples, "vectordoc_requests_total", { method: "search" }), 9);
  assert.equal(sum(samples, "vectordoc_requests_total", { code: "ok" }), 1007);
  assert.equal(sum(samples, "vectordoc_connections"), 3);
  assert.deepEqual(valuesOf(samples, "vectordoc_requests_total", "method"), ["search", 'odd"\\\n}']);
});

test("quantiles follow from what the buckets grew by", () => {
  const before = parseMetrics(scraped([["0.1", 100], ["0.2", 100], ["+Inf", 100]]));
  const now = parseMetrics(scraped([["0.1", 150], ["0.2", 190], ["+Inf", 200]]));
  const buckets = latencies(before, now, "search");
  assert.deepEqual(buckets, [
    { le: 0.1, count: 50 },
    { le: 0.2, count: 90 },
    { le: Infinity, count: 100 },
  ]);
  assert.equal(quantile(buckets, 0.5), 0.1);
  assert.equal(quantile(buckets, 0.25), 0.05);
  assert.ok(Math.abs(quantile(buckets, 0.7) - 0.15) < 1e-12);
  assert.equal(quantile(buckets, 0.99), 0.2);
  assert.equal(quantile(latencies(now, now, "search"), 0.5), null);
});

test("JSON goes through whole", () => {
  const doc = { a: [1.5, -2], b: { c: "x\n\"", d: [{ e: null }] }, __proto__: undefined };
  for (const text of [format(doc), write(doc)]) {
    assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(doc)));
  }
  assert.equal(format([0.1, 2]), "[0.1, 2]");
  assert.deepEqual(parse('{"a": 0.1234567890123456789}'), { a: 0.1234567890123456789 });
});

test("a mistake in JSON is placed, and what is expected there is said", () => {
  for (const [text, line, column, expected] of [
    ['{"price":\n  {"$lt": }}', 2, 11, "a value"],
    ['{"a": 1,}', 1, 9, "a name in double quotes"],
    ["{a: 1}", 1, 2, "a name in double quotes, or }"],
    ['{"a" 1}', 1, 6, "a colon"],
    ["[1 2]", 1, 4, "a comma or ]"],
    ["[1,", 1, 4, "a value"],
    ["[1}", 1, 3, "a comma or ]"],
    ['{"a": 01}', 1, 7, "a value"],
    ["{'a': 1}", 1, 2, "a name in double quotes, or }"],
    ['{"a": tru}', 1, 7, "a value"],
    ['{"a": "\\x"}', 1, 7, "a value"],
    ["{} {}", 1, 4, "nothing more"],
    ["", 1, 1, "a value"],
  ]) {
    assert.throws(() => JSON.parse(text), SyntaxError, text);
    const place = `in line ${line}, column ${column}, ${expected} is expected`;
    assert.ok(mistakeIn(text)?.includes(place), `${text}: ${mistakeIn(text)}`);
  }
});

test("text is told to be JSON just when it is, whatever is done to it", () => {
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  console.log(`SEED=${seed}`);
  const random = randomOf(seed);
  const whole = '{"a": [1, -2.5e3, "x\\n\\u00e9", null, true], "b": {"c": [], "d": {}}, "": ""}';
  const signs = '{}[]",:0-e.\\ nu1';
  for (let round = 0; round < 4_000; round += 1) {
    const [from, length] = [random(whole.length), random(4)];
    const sign = signs[random(signs.length)];
    const text = whole.slice(0, from) + (random(2) ? sign : "") + whole.slice(from + length);
    let isJson = true;
    try {
      JSON.parse(text);
    } catch {
      isJson = false;
    }
    assert.equal(mistakeIn(text) === null, isJson, text);
  }
});

/** Whole numbers below a bound, the same ones for the same seed (mulberry32). */
function randomOf(seed) {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}

test("a cell has what fits into it, and looks at no more", () => {
  const endless = new Proxy([], {
    get: (_, name) => (name === "length" ? 1e9 : name === "every" ? () => false : Array.prototype[name]),
  });
  assert.equal(brief("short"), "short");
  assert.equal(brief("x".repeat(1e6)).length, 141);
  assert.equal(brief({ a: 1, b: ["x", null] }), '{a: 1, b: ["x", null]}');
  assert.equal(brief(Array.from({ length: 384 }, () => 1 / 3)), "[0.333, 0.333, 0.333, 0.333, … 384 numbers]");
  assert.equal(brief(undefined), "");
  assert.ok(brief(endless).length <= 141);
});

test("an address leads where it was made for", () => {
  const ids = ["a/b", "?#&%", "..", "é", " "];
  for (const id of ids) {
    const route = parseRoute(toDocument("shop", id));
    assert.deepEqual([route.view, route.db, route.tab, route.id], ["database", "shop", "documents", id]);
  }
  const route = parseRoute(toTab("shop", "search", { like: "a, b", filter: '{"a": "?"}' }));
  assert.equal(route.query.get("filter"), '{"a": "?"}');
  assert.equal(parseRoute("#/db/shop/nothing").view, "nowhere");
  assert.equal(parseRoute("").view, "databases");
});

test("a schema says what can be filtered, and what a document begins with", () => {
  const schema = readSchema({
    sku: { type: "u64", id: true },
    embedding: { vector: 2 },
    maker: { type: "object", filter: true, fields: { country: { type: "string", filter: true }, name: "string?" } },
    tags: { type: "string[]", filter: true },
    note: "string?",
  });
  assert.deepEqual(filterPaths(schema.fields).map(({ path }) => path), ["maker.country", "tags"]);
  assert.deepEqual(blankDocument(schema), { sku: 0, embedding: [1, 0], maker: { country: "" }, tags: [] });
  assert.deepEqual(readIds(schema, "1, 18446744073709551615"), [1, 18446744073709551615n]);
  const texts = readSchema({ id: "string" });
  for (const id of ["a", "a, b", "[x]", " edge ", '"']) {
    assert.deepEqual(readIds(texts, writeId(id)), [id]);
  }
});
