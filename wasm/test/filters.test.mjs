import assert from "node:assert/strict";
import test from "node:test";
import { open } from "vectordoc";
import { collect } from "./products.mjs";

const SCHEMA = /** @type {const} */ ({
  id: "string",
  when: { type: "timestamp", filter: true },
  place: { type: "geo", filter: true },
  name: { type: "string", filter: true },
  price: { type: "number", filter: true },
  oldPrice: { type: "number?", filter: true },
  tags: { type: "string[]", filter: true },
});

const DOCS = [
  {
    id: "a",
    when: new Date("2026-01-31T12:00:00Z"),
    place: { lat: 52.37, lon: 4.9 },
    name: "Amsterdam",
    price: 5,
    oldPrice: 9,
    tags: ["North", "water"],
  },
  {
    id: "b",
    when: "2024-02-29T00:00:00Z",
    place: { lat: 41.9, lon: 12.5 },
    name: "roma",
    price: 7,
    oldPrice: 7,
    tags: ["{name}"],
  },
  { id: "c", when: new Date(0), place: { lat: -36.85, lon: 174.76 }, name: "", price: 1, tags: [] },
];

const PACIFIC = { south_west: { lat: -40, lon: 170 }, north_east: { lat: 0, lon: -170 } };

/** A filter, and the ids of what passes. */
const FILTERS = [
  [{ name: { $icontains: "AM" } }, "a"],
  [{ name: { $istartsWith: "R" } }, "b"],
  [{ name: { $endsWith: "m" } }, "a"],
  [{ name: { $iendsWith: "MA" } }, "b"],
  [{ name: { $regex: "^[a-z]+$" } }, "b"],
  [{ tags: { $regex: "^N" } }, "a"],
  [{ "tags.0": { $startsWith: "N" } }, "a"],
  [{ $nor: [{ name: "roma" }, { price: { $lt: 2 } }] }, "a"],
  [{ $or: { name: "roma", price: 5 } }, "ab"],
  [{ price: { $lt: { $field: "oldPrice" } } }, "a"],
  [{ price: { $field: "oldPrice" } }, "b"],
  [{ tags: { $literal: "{name}" } }, "b"],
  [{ place: { $geoRadius: { center: { lat: 52.1, lon: 5.1 }, radius: 50_000 } } }, "a"],
  [{ place: { $geoBox: PACIFIC } }, "c"],
  [{ place: { lat: 41.9, lon: 12.5 } }, "b"],
  [{ when: { $lt: new Date("2025-01-01") } }, "bc"],
  [{ when: new Date("2024-02-29") }, "b"],
  [{ when: { $in: ["1970-01-01T00:00:00Z", new Date("2026-01-31T12:00Z")] } }, "ac"],
];

for (const [filter, expected] of FILTERS) {
  test(`${JSON.stringify(filter)} lets ${expected} pass`, async () => {
    const db = await open("places", { schema: SCHEMA });
    await db.index(DOCS);
    const passing = await collect(db.scroll({ filter, include: [] }));
    assert.equal(passing.map((doc) => doc.id).join(""), expected);
    await db.close();
  });
}

test("a Date goes in as the point in time it is, and comes back as text", async () => {
  const db = await open("places", { schema: SCHEMA });
  await db.index(DOCS);
  const found = await db.get(["a", "b", "c"], { include: ["when"] });
  const times = found.map(({ when }) => new Date(when).toISOString());
  assert.deepEqual(
    times,
    DOCS.map(({ when }) => new Date(when).toISOString()),
  );
  await db.patch("a", { set: { when: new Date(1000) } });
  assert.equal((await db.get("a")).when, "1970-01-01T00:00:01Z");
  await db.close();
});

test("a scroll follows a field, what has no value last", async () => {
  const db = await open("places", { schema: SCHEMA });
  await db.index(DOCS);
  const ids = async (options) => (await collect(db.scroll(options))).map((doc) => doc.id).join("");
  assert.equal(await ids({ orderBy: "oldPrice" }), "bac");
  assert.equal(await ids({ orderBy: "oldPrice", descending: true }), "abc");
  assert.equal(await ids({ orderBy: "when", filter: { price: { $gt: 1 } } }), "ba");
  await db.close();
});

test("a scroll in the order of a field goes on over pages", async () => {
  const db = await open("numbers", { schema: { id: "u64", n: { type: "u8", filter: true } } });
  const docs = Array.from({ length: 2_500 }, (_, id) => ({ id, n: id % 7 }));
  await db.index(docs);
  const all = await collect(db.scroll({ orderBy: "n", descending: true }));
  assert.deepEqual(
    all,
    docs.toSorted((a, b) => b.n - a.n || a.id - b.id),
  );
  await db.close();
});

test("a facet counts the values of what passes", async () => {
  const db = await open("numbers", { schema: { id: "u64", n: { type: "u8[]", filter: true } } });
  await db.index(Array.from({ length: 20 }, (_, id) => ({ id, n: [id % 3, 7] })));
  assert.deepEqual(await db.facet("n"), [
    { value: 7, count: 20 },
    { value: 0, count: 7 },
    { value: 1, count: 7 },
    { value: 2, count: 6 },
  ]);
  assert.deepEqual(await db.facet("n", { filter: { n: 2 }, limit: 1 }), [
    { value: 2, count: 6 },
  ]);
  await db.close();
});
