// An operator's day with the console of a server without keys.

import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { PHONE, startBrowser, take, visit } from "./browser.mjs";
import { fillServer, product, startServer } from "./server.mjs";

let server;
let browser;

test.before(async () => {
  [server, browser] = await Promise.all([startServer(), startBrowser()]);
  await fillServer(server);
});

test.after(async () => {
  await browser?.stop();
  await server?.stop();
});

const open = (t, path = "", options = {}) => visit(t, browser, `${server.url}#/${path}`, options);
const rows = (page) => page.locator("tbody tr");

test("databases are listed with their figures, and lead to their documents", async (t) => {
  const page = await open(t);
  const row = page.getByRole("row", { name: /^products/ });
  await row.getByText("Ready").waitFor();
  assert.match(await row.textContent(), /products60Readyawake1.*iB.*iB/);
  assert.equal(await page.title(), "Databases · vectordoc");
  await take(page, "databases");
  await page.getByRole("link", { name: "products" }).click();
  await page.getByText("1–25 of 60 documents").waitFor();
  assert.equal(await page.title(), "products · vectordoc");
});

test("a database is created from a schema, which may be wrong at first, and deleted by its name", async (t) => {
  const page = await open(t, "", { refusals: true });
  await page.getByRole("button", { name: "New database" }).click();
  const dialog = page.getByRole("dialog", { name: "New database" });
  await dialog.getByLabel("Name").fill("fresh");
  await dialog.getByLabel("Schema").fill('{"id": "string",}');
  await dialog.getByRole("button", { name: "Create" }).click();
  await dialog.getByText(/This is not JSON/).waitFor();
  await dialog.getByLabel("Schema").fill('{"id": "string", "embedding": {"vector": 2, "metrik": "l2"}}');
  await dialog.getByRole("button", { name: "Create" }).click();
  await dialog.getByText(/invalid.*metrik.*metric/).waitFor();
  await take(page, "create");
  await dialog.getByLabel("Schema").fill('{"id": "string", "embedding": {"vector": 2, "metric": "l2"}}');
  await dialog.getByLabel("Shards").fill("2");
  await dialog.getByRole("button", { name: "Create" }).click();
  await page.getByRole("heading", { name: "fresh", exact: true }).waitFor();
  await page.getByRole("cell", { name: "vector of 2" }).waitFor();
  assert.equal((await server.call("GET", "/v1/dbs/fresh")).shards, 2);

  await page.getByRole("button", { name: "Delete the database…" }).click();
  const question = page.getByRole("dialog", { name: "Delete fresh?" });
  const sure = question.getByRole("button", { name: "Delete the database" });
  await question.getByRole("textbox").fill("fres");
  assert.ok(await sure.isDisabled());
  await question.getByRole("textbox").fill("fresh");
  await sure.click();
  await page.getByText("fresh is deleted.").waitFor();
  const { dbs } = await server.call("GET", "/v1/dbs");
  assert.deepEqual(dbs.map(({ db }) => db), ["products"]);
});

test("documents are read page by page, in order, under a filter", async (t) => {
  const page = await open(t, "db/products/documents");
  await page.getByText("1–25 of 60 documents").waitFor();
  await take(page, "documents");
  assert.equal(await rows(page).count(), 25);
  await page.getByRole("button", { name: "Next →" }).click();
  await page.getByText("26–50 of 60").waitFor();
  await page.getByRole("button", { name: "Next →" }).click();
  await page.getByText("51–60 of 60").waitFor();
  assert.ok(await page.getByRole("button", { name: "Next →" }).isDisabled());
  await page.getByRole("button", { name: "← Previous" }).click();
  await page.getByText("26–50 of 60").waitFor();
  await page.getByLabel("Order").selectOption("-price");
  await page.getByLabel("Filter").fill('{"tags": "even", "price": {"$lt": 50}}');
  await page.getByLabel("Filter").press("Enter");
  await page.getByText("1–25 of 25 documents").waitFor();
  assert.match(await rows(page).first().textContent(), /^p48/);
  await page.reload();
  await page.getByText("1–25 of 25 documents").waitFor();
  assert.equal(await page.getByLabel("Order").inputValue(), "-price");
});

test("a wrong filter is told at the filter, with what is meant", async (t) => {
  const page = await open(t, "db/products/documents", { refusals: true });
  await page.getByText("of 60 documents").waitFor();
  const filter = page.getByLabel("Filter");
  const said = page.locator(".field", { has: filter }).getByRole("alert");
  await filter.fill('{"prise": {"$lt": 5}}');
  await page.getByRole("button", { name: "Show" }).click();
  await said.getByText(/invalid.*"prise".*"price"/).waitFor();
  assert.equal(await filter.getAttribute("aria-invalid"), "true");
  await take(page, "wrong-filter");
  await filter.fill('{"price": {"$lt": }}');
  await page.getByRole("button", { name: "Show" }).click();
  await said.getByText(/This is not JSON: in line 1, column 19, a value is expected/).waitFor();
  await filter.fill("");
  await page.getByRole("button", { name: "price", exact: true }).click();
  assert.deepEqual(JSON.parse(await filter.inputValue()), { price: { $gte: 0 } });
  assert.ok(await said.isHidden());
});

test("what no index serves is warned of", async (t) => {
  const page = await open(t, "db/products/documents");
  await page.getByLabel("Filter").fill('{"tags": {"$regex": "^e"}}');
  await page.getByRole("button", { name: "Show" }).click();
  await page.getByRole("list", { name: "Warnings" }).getByText(/tags/).waitFor();
  await page.getByText("of 30 documents").waitFor();
});

test("a document is added, edited, and deleted, and nothing is overwritten unseen", async (t) => {
  const page = await open(t, "db/products/documents", { refusals: true });
  await page.getByRole("button", { name: "Add document" }).click();
  const editor = page.getByLabel("Document as JSON");
  const blank = JSON.parse(await editor.inputValue());
  assert.deepEqual(Object.keys(blank).sort(), ["embedding", "id", "price", "tags", "title"]);
  await editor.fill(JSON.stringify({ ...product(1000), embedding: [1, 0] }));
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByText(/vector has 2 dimensions/).waitFor();
  await editor.fill(JSON.stringify({ ...product(1), title: "Another" }));
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByRole("dialog", { name: "Replace p1?" }).getByRole("button", { name: "Cancel" }).click();
  await page.getByText(/conflict/).waitFor();
  await editor.fill(JSON.stringify({ ...product(1000), id: "new/one, or 2?" }));
  await page.getByRole("button", { name: "Add", exact: true }).click();
  await page.getByRole("heading", { name: /^new\/one, or 2\?/ }).waitFor();

  await page.getByRole("button", { name: "Edit" }).click();
  const value = JSON.parse(await editor.inputValue());
  assert.equal(value.embedding, undefined);
  await editor.fill(JSON.stringify({ ...value, price: 7.5, note: "edited" }));
  await editor.press("Control+Enter");
  await page.getByText("The document is written.").waitFor();
  await page.getByText("edited").waitFor();
  await take(page, "document");
  const ids = ["new/one, or 2?"];
  const { docs } = await server.call("POST", "/v1/dbs/products/get", { ids, include: "*" });
  assert.equal(docs[0].price, 7.5);
  assert.deepEqual(docs[0].embedding.map(Math.round), product(1000).embedding.map(Math.round));

  await page.getByRole("button", { name: "Edit" }).click();
  await server.call("PATCH", "/v1/dbs/products/docs", { id: ids[0], set: { price: 8 } });
  await editor.fill(JSON.stringify({ ...value, price: 9 }));
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText(/conflict/).waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();

  await page.getByRole("button", { name: "Delete…" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByText("The document is deleted.").waitFor();
  await page.getByText("of 60 documents").waitFor();
});

test("documents that pass a filter are deleted at once, when their number is typed", async (t) => {
  const docs = [9001, 9002, 9003].map((number) => ({ ...product(number), tags: ["doomed"] }));
  await server.call("POST", "/v1/dbs/products/docs", { docs });
  const page = await open(t, "db/products/documents");
  await page.getByLabel("Filter").fill('{"tags": "doomed"}');
  await page.getByRole("button", { name: "Delete all that pass…" }).click();
  const dialog = page.getByRole("dialog", { name: "Delete 3 documents?" });
  await dialog.getByRole("textbox").fill("3");
  await dialog.getByRole("button", { name: "Delete" }).click();
  await page.getByText("3 documents deleted.").waitFor();
  assert.equal((await server.call("POST", "/v1/dbs/products/count", {})).count, 60);
});

test("whole numbers that no number of JavaScript holds stay what they are", async (t) => {
  const id = 9007199254740993n;
  await server.call("PUT", "/v1/dbs/great", { schema: { id: "u64", n: "u64" } });
  const docs = new URL("/v1/dbs/great/docs", server.url);
  const body = `{"docs": [{"id": ${id}, "n": 18446744073709551615}]}`;
  await fetch(docs, { method: "POST", headers: { "content-type": "application/json" }, body });
  const page = await open(t, "db/great/documents");
  await page.getByRole("link", { name: String(id) }).click();
  await page.getByText("18446744073709551615").waitFor();
  await page.getByRole("button", { name: "Edit" }).click();
  const editor = page.getByLabel("Document as JSON");
  assert.match(await editor.inputValue(), /18446744073709551615/);
  await editor.fill((await editor.inputValue()).replace("18446744073709551615", "18446744073709551614"));
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("18446744073709551614").waitFor();
  await server.call("DELETE", "/v1/dbs/great");
});

test("what is near to a document is found, under a filter, and how is told", async (t) => {
  const page = await open(t, "db/products/documents/p10");
  await page.getByRole("link", { name: "Find similar" }).click();
  await page.getByText("10 hits").waitFor();
  const ids = () => page.locator(".hits .id").allTextContents();
  assert.deepEqual((await ids()).slice(0, 2).sort(), ["p11", "p9"]);
  assert.match(await page.locator(".explain").textContent(), /Plan.+Visited\d+Allowed60.*Answer(exact|approximate)/);
  await take(page, "search");
  await page.getByLabel("Filter").fill('{"price": {"$gte": 50}}');
  await page.getByLabel("Limit").fill("3");
  await page.getByRole("button", { name: "Search", exact: true }).click();
  await page.getByText("3 hits").waitFor();
  assert.deepEqual(await ids(), ["p50", "p51", "p52"]);
  await page.getByRole("link", { name: "Similar to p50" }).click();
  await page.getByText("10 hits").waitFor();
  await page.goBack();
  await page.getByText("3 hits").waitFor();
});

test("searches by words and by a vector are made too, and their errors told", async (t) => {
  const page = await open(t, "db/products/search", { refusals: true });
  await page.getByRole("radio", { name: "Words" }).check();
  await page.getByLabel("Words", { exact: true }).last().fill("lamp 7");
  await page.getByRole("button", { name: "Search", exact: true }).click();
  await page.getByText("10 hits").waitFor();
  assert.equal(await page.locator(".hits .id").first().textContent(), "p7");
  await page.getByRole("radio", { name: "Vector" }).check();
  const vector = page.getByRole("textbox", { name: "Vector" });
  await vector.fill("[0, 1]");
  await vector.press("Enter");
  await page.getByText(/vector has 2 dimensions/).waitFor();
  await vector.fill("[0, 1, 0]");
  await page.getByLabel("Compare with every vector").check();
  await vector.press("Enter");
  await page.getByText("Answerexact").waitFor();
  await page.getByLabel("Filter").fill('{"price": {"$less": 3}}');
  await page.getByRole("button", { name: "Search", exact: true }).click();
  await page.getByText(/"\$less"/).waitFor();
});

test("values are counted, and lead to the documents that have them", async (t) => {
  const page = await open(t, "db/products/values");
  await page.getByLabel("Field").selectOption("tags");
  await page.getByRole("row", { name: /even.*30.*50\.0 %/ }).waitFor();
  await take(page, "values");
  await page.getByRole("link", { name: "odd" }).click();
  await page.getByText("of 30 documents").waitFor();
});

test("recall is measured on demand", async (t) => {
  const page = await open(t, "db/products/about");
  await page.getByRole("row", { name: /embedding vector of 3 cosine/ }).waitFor();
  await page.getByRole("button", { name: "Measure" }).click();
  await page.getByText("Recall100 %").waitFor();
  await take(page, "about");
});

test("changes are shown while they happen", async (t) => {
  const page = await open(t, "db/products/changes");
  await page.getByText("Waiting for changes…").waitFor();
  await server.call("POST", "/v1/dbs/products/docs", { docs: [product(500)] });
  const feed = page.getByRole("list", { name: "Changes, the latest first" });
  await feed.getByText("written").waitFor();
  await server.call("POST", "/v1/dbs/products/delete", { ids: ["p500"] });
  await feed.getByText("deleted").waitFor();
  await page.getByText("2 changes so far").waitFor();
  await take(page, "changes");
});

test("metrics move", async (t) => {
  const page = await open(t, "metrics");
  await page.getByRole("region", { name: "Documents" }).getByText("60", { exact: true }).waitFor();
  const asking = Promise.all(
    Array.from({ length: 200 }, () => server.call("POST", "/v1/dbs/products/search", { like: ["p1"] })),
  );
  const figure = page.getByRole("region", { name: "Latency" }).locator("dd").first();
  await figure.getByText(/ (µs|ms|s)$/).waitFor();
  await asking;
  await page.getByRole("row", { name: /^search/ }).waitFor();
  await page.waitForFunction(() => {
    const line = document.querySelector('[aria-label="Requests per second"] path');
    return line.getAttribute("d").includes("L");
  });
  await take(page, "metrics");
});

test("a server that goes away is said to, and found again", async (t) => {
  const other = await startServer();
  t.after(other.stop);
  const page = await visit(t, browser, other.url, { refusals: true });
  await page.getByText("There is no database yet.").waitFor();
  await page.route("**/v1/dbs", (route) => route.abort());
  await page.getByText("The server does not answer.").waitFor();
  await page.unroute("**/v1/dbs");
  await page.getByText("The server does not answer.").waitFor({ state: "hidden" });
});

test("a damaged database is listed with what is wrong, and the others are there", async (t) => {
  const other = await startServer({
    prepare: async (data) => {
      await mkdir(join(data, "broken"));
      await writeFile(join(data, "broken", "shard-0-of-1.redb"), new Uint8Array(4096).fill(7));
    },
  });
  t.after(other.stop);
  await fillServer(other, { documents: 0 });
  const page = await visit(t, browser, other.url);
  await page.getByRole("row", { name: /^broken corrupt / }).waitFor();
  await page.getByRole("row", { name: /^products 0 Empty/ }).waitFor();
});

test("it works over TLS too", async (t) => {
  const other = await startServer({ tls: true });
  t.after(other.stop);
  assert.match(other.url, /^https:/);
  const page = await visit(t, browser, other.url);
  await page.getByRole("button", { name: "New database" }).click();
  await page.getByLabel("Name").fill("sealed");
  await page.getByRole("button", { name: "Create" }).click();
  await page.getByRole("link", { name: "Changes" }).click();
  await page.getByText("Waiting for changes…").waitFor();
});

test("it fits a phone", async (t) => {
  for (const [name, path] of [
    ["databases", ""],
    ["documents", "db/products/documents"],
    ["document", "db/products/documents/p7"],
    ["search", "db/products/search?like=p10"],
    ["values", "db/products/values?field=tags"],
    ["about", "db/products/about"],
    ["metrics", "metrics"],
  ]) {
    const page = await open(t, path, { viewport: PHONE, colorScheme: "dark" });
    await page.locator("h1").waitFor();
    await page.locator(".card").last().waitFor();
    await page.waitForLoadState("networkidle").catch(() => {});
    await take(page, `phone-${name}`);
    const overflow = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    assert.equal(overflow, 0, name);
  }
});

