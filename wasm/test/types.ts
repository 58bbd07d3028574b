// What the compiler must accept and refuse. `tsc --noEmit` is the test; nothing here runs.

import { type Vector, type VectordocError, open } from "vectordoc";

const db = await open("products", {
  schema: {
    id: "string",
    embedding: { vector: 4, metric: "cosine" },
    image: { vector: 2, optional: true },
    price: { type: "number", filter: true },
    tags: { type: "string[]", filter: true },
    stock: { type: "u64?", filter: true },
    maker: { fields: { country: { type: "string", filter: true }, city: "string" } },
    note: "string?",
    title: "string",
    body: { type: "string?", text: true },
  },
});

type Equal<A, B> =
  (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function expectEqual<A, B>(equal: Equal<A, B>): void;

const doc = {
  id: "p1",
  embedding: new Float32Array(4),
  price: 9,
  tags: ["new"],
  maker: { country: "NL", city: "Delft" },
  title: "a chair",
};
const vector: Vector = [1, 2, 3, 4];
const HERE = { lat: 52, lon: 5 };

// Documents
await db.index(doc);
await db.index([doc, { ...doc, note: "an old one", stock: 2n, image: [1, 2] }]);
// @ts-expect-error: a field is missing
await db.index({ id: "p1", embedding: vector });
// @ts-expect-error: a field has the wrong type
await db.index({ ...doc, price: "9" });
// @ts-expect-error: a field is unknown
await db.index({ ...doc, prize: 9 });
// @ts-expect-error: a nested field has the wrong type
await db.index({ ...doc, maker: { country: 31, city: "Delft" } });
// @ts-expect-error: a vector is no string
await db.index({ ...doc, embedding: "1234" });

// Hits carry values, vectors when asked for, or the fields named
const [hit] = await db.search(vector, { limit: 1 });
if (hit) {
  expectEqual<typeof hit.score, number>(true);
  expectEqual<typeof hit.doc.price, number>(true);
  expectEqual<typeof hit.doc.tags, string[]>(true);
  expectEqual<typeof hit.doc.note, string | undefined>(true);
  expectEqual<typeof hit.doc.stock, number | bigint | undefined>(true);
  expectEqual<typeof hit.doc.maker, { country: string; city: string }>(true);
  // @ts-expect-error: vectors come only when asked for
  hit.doc.embedding;
}
const [whole] = await db.search(vector, { include: "*" });
if (whole) {
  expectEqual<typeof whole.doc.embedding, Float32Array>(true);
  expectEqual<typeof whole.doc.image, Float32Array | undefined>(true);
}
const [part] = await db.search(vector, { include: ["title", "embedding"] });
if (part) {
  expectEqual<typeof part.doc, { id: string; title: string; embedding: Float32Array }>(true);
}
for await (const scrolled of db.scroll({ include: ["title"] })) {
  expectEqual<typeof scrolled, { id: string; title: string }>(true);
}
const explained = await db.explain(vector, { include: ["title"], path: true });
expectEqual<keyof (typeof explained.hits)[number]["doc"], "id" | "title">(true);
const hop: number | undefined = explained.path?.[0]?.level;
void hop;
// @ts-expect-error: an explained search has no groups
await db.explain(vector, { groupBy: "price" });
// @ts-expect-error: an unknown field cannot be included
await db.search(vector, { include: ["titel"] });
// @ts-expect-error: an unknown option
await db.search(vector, { limits: 1 });
// @ts-expect-error: a limit is a number
await db.search(vector, { limit: "1" });

// Filters
await db.count({ filter: { price: 9, tags: "new", "maker.country": { $in: ["NL", "DE"] } } });
await db.count({ filter: { $or: [{ price: { $lt: 9 } }, { $not: { stock: null } }] } });
await db.count({
  filter: { tags: { $all: ["new"], $size: 2 }, "maker.country": { $startsWith: "N" } },
});
await db.count({ filter: { stock: { $gt: 9n, $exists: true } } });
// @ts-expect-error: the field is not filterable
await db.count({ filter: { title: "a chair" } });
// @ts-expect-error: the nested field is not filterable
await db.count({ filter: { "maker.city": "Delft" } });
// @ts-expect-error: the value has the wrong type
await db.count({ filter: { price: { $lt: "9" } } });
// @ts-expect-error: the operator is unknown
await db.count({ filter: { price: { $less: 9 } } });
// @ts-expect-error: a number does not begin with a text
await db.count({ filter: { price: { $startsWith: "9" } } });
// @ts-expect-error: the size of a number
await db.count({ filter: { price: { $size: 9 } } });

await db.count({ filter: { "tags.0": { $regex: "^n" }, $nor: [{ price: 9 }] } });
await db.count({ filter: { "maker.country": { $icontains: "n", $iendsWith: "L" } } });
await db.count({ filter: { price: { $lt: { $field: "stock" } }, tags: { $literal: "{tags}" } } });
// @ts-expect-error: the other field is not filterable
await db.count({ filter: { price: { $lt: { $field: "title" } } } });
// @ts-expect-error: no part of a number is a text
await db.count({ filter: { price: { $icontains: "9" } } });
// @ts-expect-error: a text is nowhere on the Earth
await db.count({ filter: { "maker.country": { $geoRadius: { center: HERE, radius: 1 } } } });

// Changes
const { version } = await db.patch("p1", {
  set: { price: 9, "maker.city": "Gouda", tags: ["old"], embedding: vector, note: "an old one" },
  unset: ["stock", "image"],
  increment: { price: -1, stock: 2n },
});
expectEqual<typeof version, number>(true);
const { patched } = await db.patch({ filter: { price: 9 } }, { set: { title: "cheap" } });
expectEqual<typeof patched, number>(true);
// @ts-expect-error: the id stays
await db.patch("p1", { set: { id: "p2" } });
// @ts-expect-error: a field has the wrong type
await db.patch("p1", { set: { "maker.city": 9 } });
// @ts-expect-error: a field is unknown
await db.patch("p1", { set: { "maker.street": "Markt" } });
// @ts-expect-error: a field that every document has
await db.patch("p1", { unset: ["title"] });
// @ts-expect-error: a text is no number
await db.patch("p1", { increment: { title: 1 } });
// @ts-expect-error: a patch by filter has no condition
await db.patch({ filter: {} }, { set: { price: 9 } }, { ifVersion: 1 });
const written = await db.index(doc, { ifVersion: 0 });
expectEqual<typeof written.version, number>(true);
await db.update(doc, { ifVersion: written.version });
await db.delete("p1", { ifVersion: version });
// @ts-expect-error: a condition is about one document
await db.index([doc], { ifVersion: 1 });
// @ts-expect-error: a condition is about one document
await db.delete(["p1"], { ifVersion: 1 });
const versioned = await db.get("p1", { versions: true });
expectEqual<(typeof versioned & {})["version"], number>(true);
expectEqual<(typeof versioned & {})["doc"]["title"], string>(true);

// Orders, facets, examples and groups
for await (const { id } of db.scroll({ orderBy: "price", descending: true })) id.length;
// @ts-expect-error: the field is not filterable
db.scroll({ orderBy: "title" });
const [counted] = await db.facet("tags", { filter: { price: 9 }, limit: 3 });
expectEqual<(typeof counted & {})["count"], number>(true);
// @ts-expect-error: the field is not filterable
await db.facet("title");
const [like] = await db.searchLike("p1", { unlike: ["p2"], limit: 3, include: ["title"] });
expectEqual<(typeof like & {})["doc"], { id: string; title: string }>(true);
// @ts-expect-error: an id of this database is a string
await db.searchLike(1);
const [group] = await db.search(vector, { groupBy: "maker.country", groupSize: 2, include: [] });
expectEqual<(typeof group & {})["hits"][number]["doc"], { id: string }>(true);
// @ts-expect-error: the field is not filterable
await db.search(vector, { groupBy: "title" });

// Ids
expectEqual<Awaited<ReturnType<typeof db.count>>, number>(true);
const one = await db.get("p1");
expectEqual<(typeof one & {})["title"], string>(true);
const several = await db.get(["p1", "p2"], { include: [] });
expectEqual<typeof several, ({ id: string } | undefined)[]>(true);
await db.delete("p1");
await db.delete(["p1"]);
await db.delete({ filter: { price: 9 } });
// @ts-expect-error: an id of this database is a string
await db.get(1);
// @ts-expect-error: a deletion says of what
await db.delete({});

// Kinds of fields
const kinds = await open("kinds", {
  schema: {
    id: "u64",
    when: { type: "timestamp", filter: true },
    owner: "uuid?",
    place: "geo",
    extra: "json?",
    color: { type: "string", enum: ["red", "green"], filter: true },
    colors: { type: "string[]?", enum: ["red", "green"], text: false },
    reviews: { type: "object[]", fields: { stars: { type: "u8", filter: true }, at: "timestamp?" } },
  },
});
const kind = {
  id: 1,
  when: "2026-01-31T12:00:00Z",
  place: { lat: 52.37, lon: 4.9 },
  color: "red",
  reviews: [{ stars: 5 }],
} as const;
await kinds.index({ ...kind, reviews: [] });
await kinds.index({ ...kind, reviews: [{ stars: 5, at: "2026-01-31T12:00:00Z" }], extra: [null] });
await kinds.index({ ...kind, when: new Date(), reviews: [{ stars: 5, at: new Date() }] });
// @ts-expect-error: it is none of the words
await kinds.index({ ...kind, reviews: [], color: "blue" });
// @ts-expect-error: one of them is none of the words
await kinds.index({ ...kind, reviews: [], colors: ["red", "blue"] });
// @ts-expect-error: a point has a longitude
await kinds.index({ ...kind, reviews: [], place: { lat: 1 } });
// @ts-expect-error: it is an array of objects
await kinds.index({ ...kind, reviews: { stars: 5 } });
await kinds.count({ filter: { color: "red", "reviews.stars": { $gte: 4 } } });
// @ts-expect-error: it is none of the words
await kinds.count({ filter: { color: { $in: ["red", "blue"] } } });
await kinds.count({ filter: { when: { $gte: new Date(0) } } });
// @ts-expect-error: a point in time has no parts
await kinds.count({ filter: { when: { $startsWith: "2026" } } });
// @ts-expect-error: the words of an enum have no order
await kinds.count({ filter: { color: { $lt: "red" } } });
const found = await kinds.get(1);
expectEqual<(typeof found & {})["when"], string>(true);
expectEqual<(typeof found & {})["reviews"], { stars: number; at?: string | undefined }[]>(true);
expectEqual<(typeof found & {})["colors"], ("red" | "green")[] | undefined>(true);

// Schemas
// @ts-expect-error: a type is misspelt
await open("a", { schema: { id: "string", title: "sting" } });
// @ts-expect-error: a metric is unknown
await open("b", { schema: { id: "string", v: { vector: 2, metric: "manhattan" } } });
// @ts-expect-error: an option is unknown
await open("c", { schema: { id: "string" }, store: "disk" });
await open("b", { schema: { id: "string", v: { vector: 2, quantization: "binary" } } });
await open("b", { schema: { id: "string", v: { vector: 2, precision: "i8" } } });
// @ts-expect-error: a precision is unknown
await open("b", { schema: { id: "string", v: { vector: 2, precision: "i4" } } });
// @ts-expect-error: a quantization is unknown
await open("b", { schema: { id: "string", v: { vector: 2, quantization: "int8" } } });
const keyed = await open("d", { schema: { key: { type: "integer", id: true }, v: { vector: 1 } } });
const [nearest] = await keyed.search([1], { include: [] });
expectEqual<(typeof nearest & {})["doc"], { key: number }>(true);
await keyed.get(7);

// A type that is given
interface Product {
  id: string;
  embedding: Float32Array;
  price: number;
  maker?: { country: string };
}
const products = await open<Product>("products", {
  schema: { id: "string", embedding: { vector: 4 }, price: { type: "number", filter: true } },
});
await products.index({ id: "p1", embedding: new Float32Array(4), price: 9 });
const [product] = await products.search(vector, {
  filter: { price: { $lt: 20 }, "maker.country": "NL" },
});
expectEqual<(typeof product & {})["doc"], Omit<Product, "embedding">>(true);
// @ts-expect-error: the type has no such field
await products.index({ id: "p1", embedding: new Float32Array(4), prize: 9 });
// @ts-expect-error: the type has no such field
await products.count({ filter: { prize: 9 } });

// Errors
declare const error: VectordocError;
// @ts-expect-error: the code is misspelt
error.code === "notfound";

// Words
await db.searchText("a chair", { filter: { body: { $text: "oak" }, price: 9 }, limit: 3 });
await db.search(vector, { text: "a chair", fusion: { weighted: 0.3 } });
// @ts-expect-error: only its words are indexed
await db.count({ filter: { body: "oak" } });
// @ts-expect-error: there is no such fusion
await db.search(vector, { text: "a chair", fusion: "sum" });
