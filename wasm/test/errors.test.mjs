import assert from "node:assert/strict";
import test from "node:test";
import { ERROR_CODES, VectordocError, open } from "vectordoc";
import { errorCodes } from "../dist/raw/engine.js";
import { CHAIR, SCHEMA, openProducts } from "./products.mjs";

const PRICE = { set: { price: 1 } };

/** What goes wrong, and how: `[story, call, code, message]`. */
const MISTAKES = [
  [
    "a wrong dimension",
    (db) => db.index({ ...CHAIR, embedding: [1] }),
    "invalid",
    /1 dimensions, field "embedding" needs 2/,
  ],
  ["NaN", (db) => db.index({ ...CHAIR, embedding: [1, NaN] }), "invalid", /NaN at position 1/],
  ["infinity", (db) => db.search([1, Infinity]), "invalid", /inf at position 1/],
  ["a zero vector", (db) => db.search([0, 0]), "invalid", /zero/],
  [
    "no number in a vector",
    (db) => db.index({ ...CHAIR, embedding: [1, null] }),
    "invalid",
    /position 0/,
  ],
  ["a text for a vector", (db) => db.search("1,0"), "invalid", /query vector.*"1,0"/],
  ["numbers of another kind", (db) => db.search(new Float64Array(2)), "invalid", /Float64Array/],
  ["an unknown field", (db) => db.index({ ...CHAIR, prise: 1 }), "invalid", /"prise".*"price"/],
  [
    "a missing field",
    (db) => db.index({ id: "p", price: 1, tags: [] }),
    "invalid",
    /"embedding" is missing/,
  ],
  [
    "a wrong type",
    (db) => db.index({ ...CHAIR, price: "40" }),
    "invalid",
    /"price" holds a finite number, not text "40"/,
  ],
  ["no finite number", (db) => db.index({ ...CHAIR, price: NaN }), "invalid", /"price"/],
  ["half a character", (db) => db.index({ ...CHAIR, title: "\ud800" }), "invalid", /surrogate/],
  ["a cycle", (db) => db.index({ ...CHAIR, maker: cycle() }), "invalid", /nested/],
  ["a function", (db) => db.index({ ...CHAIR, price: () => 1 }), "invalid", /function/],
  ["no document", (db) => db.index(null), "invalid", /document/],
  ["a wrong id", (db) => db.get(1), "invalid", /id/],
  ["an empty id", (db) => db.index({ ...CHAIR, id: "" }), "invalid", /id is empty/],
  ["an update of nothing", (db) => db.update({ ...CHAIR, id: "none" }), "not_found", /"none"/],
  ["a patch of nothing there", (db) => db.patch("none", PRICE), "not_found", /none/],
  ["a patch of nothing said", (db) => db.patch("chair", {}), "invalid", /give set, unset or/],
  ["a patch by no filter", (db) => db.patch({}, PRICE), "invalid", /to patch every/],
  ["a patch of the id", (db) => db.patch("chair", { set: { id: "p" } }), "invalid", /which stays/],
  [
    "a patch of an unknown field",
    (db) => db.patch("chair", { set: { prise: 1 } }),
    "invalid",
    /"prise".*"price"/,
  ],
  ["an unknown part of a patch", (db) => db.patch("chair", { sat: {} }), "invalid", /"sat".*"set"/],
  [
    "a condition on several",
    (db) => db.index([CHAIR, CHAIR], { ifVersion: 1 }),
    "invalid",
    /ifVersion is about one document/,
  ],
  [
    "a condition on a filter",
    (db) => db.patch({ filter: {} }, PRICE, { ifVersion: 1 }),
    "invalid",
    /ifVersion is about one document/,
  ],
  ["a version that is none", (db) => db.index(CHAIR, { ifVersion: -1 }), "invalid", /a version/],
  ["a late write", (db) => db.index(CHAIR, { ifVersion: 7 }), "conflict", /version 1, not 7/],
  ["a group's size alone", (db) => db.search([1, 0], { groupSize: 2 }), "invalid", /groupBy/],
  ["groups by an array", (db) => db.search([1, 0], { groupBy: "tags" }), "invalid", /is an array/],
  ["a search like nothing", (db) => db.searchLike([]), "invalid", /a document to be like/],
  ["a search like nobody", (db) => db.searchLike("none"), "not_found", /"none"/],
  ["what no search like knows", (db) => db.searchLike("chair", { like: 1 }), "invalid", /"like"/],
  ["an order of nothing", (db) => db.scroll({ descending: true }).next(), "invalid", /orderBy/],
  ["a facet of what is not filterable", (db) => db.facet("title"), "invalid", /not filterable/],
  ["no point in time", (db) => db.index({ ...CHAIR, title: new Date(NaN) }), "invalid", /Date/],
  ["a deletion of nothing said", (db) => db.delete({}), "invalid", /\{ filter: \{\} \}/],
  [
    "a deletion by no filter",
    (db) => db.delete({ filter: undefined }),
    "invalid",
    /\{ filter: \{\} \}/,
  ],
  [
    "an unknown option",
    (db) => db.search([1, 0], { limits: 1 }),
    "invalid",
    /"limits"; there are limit/,
  ],
  ["options that are no object", (db) => db.search([1, 0], 5), "invalid", /an object, not 5/],
  ["options of null", (db) => db.index(CHAIR, null), "invalid", /an object, not null/],
  ["an unknown option of index", (db) => db.index(CHAIR, { progress: 1 }), "invalid", /"progress"/],
  ["an unknown option of get", (db) => db.get("p", { filter: {} }), "invalid", /"filter"/],
  ["an unknown option of count", (db) => db.count({ where: {} }), "invalid", /"where"/],
  [
    "an unknown option of delete",
    (db) => db.delete({ filter: {}, limit: 1 }),
    "invalid",
    /"limit"/,
  ],
  ["an unknown option of scroll", (db) => db.scroll({ limit: 1 }).next(), "invalid", /"limit"/],
  [
    "an unknown option of open",
    () => open("p", { schema: SCHEMA, storage: 1 }),
    "invalid",
    /"storage"/,
  ],
  [
    "a limit that is no number",
    (db) => db.search([1, 0], { limit: "10" }),
    "invalid",
    /limit: .*whole number/,
  ],
  [
    "a limit too large",
    (db) => db.search([1, 0], { limit: 10_001 }),
    "limit_exceeded",
    /10001, the limit is 10000/,
  ],
  [
    "a field that cannot be filtered",
    (db) => db.count({ filter: { title: "a" } }),
    "invalid",
    /not filterable/,
  ],
  [
    "an unknown operator",
    (db) => db.count({ filter: { price: { $less: 1 } } }),
    "invalid",
    /\$less/,
  ],
  [
    "a regular expression that is none",
    (db) => db.count({ filter: { tags: { $regex: "(" } } }),
    "invalid",
    /regular expression/,
  ],
  [
    "an unknown field to include",
    (db) => db.get("chair", { include: ["titel"] }),
    "invalid",
    /"title"/,
  ],
  ["a schema without an id", () => open("p", { schema: {} }), "invalid", /no id field/],
  [
    "an unknown metric",
    () => open("p", { schema: { id: "string", v: { vector: 2, metric: "l3" } } }),
    "invalid",
    /"l3"/,
  ],
  ["no schema", () => open("p", {}), "invalid", /a schema is a JSON object/],
  ["no options", () => open("p"), "invalid", /a schema is a JSON object/],
  ["a schema that is not JSON", () => open("p", { schema: { id: 1n } }), "invalid", /not JSON/],
  ["too many operations", (db) => db.delete(Array(100_001).fill("p")), "limit_exceeded", /100000/],
];

for (const [story, call, code, message] of MISTAKES) {
  test(`${story} is refused as ${code}, and the database works on`, async () => {
    const db = await openProducts();
    await assert.rejects(call(db), (error) => {
      assert.ok(error instanceof VectordocError, String(error));
      assert.equal(error.code, code, error.message);
      assert.match(error.message, message);
      return true;
    });
    assert.equal(await db.count(), 3);
    await db.close();
  });
}

test("a closed database refuses every call, and closing again is nothing", async () => {
  const db = await openProducts();
  await db.close();
  await db.close();
  const calls = [
    db.index(CHAIR),
    db.update(CHAIR),
    db.patch("chair", PRICE),
    db.delete("chair"),
    db.get("chair"),
    db.facet("tags"),
    db.searchLike("chair"),
    db.count(),
    db.search([1, 0]),
    db.scroll().next(),
  ];
  for (const call of calls) {
    await assert.rejects(call, { code: "closed", message: /"products" was closed/ });
  }
});

test("the codes are those of the engine", () => {
  assert.deepEqual(ERROR_CODES, errorCodes());
});

function cycle() {
  const object = {};
  object.country = object;
  return object;
}
