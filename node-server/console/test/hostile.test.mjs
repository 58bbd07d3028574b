// Documents that mean harm, or are just large: they are text, and the page stays quick.

import assert from "node:assert/strict";
import test from "node:test";
import { startBrowser, visit } from "./browser.mjs";
import { fillServer, startServer } from "./server.mjs";

const MARKUP = `<img src=x onerror="window.harmed=1"><script>window.harmed=1</script>'"><svg onload=window.harmed=1>`;
const LINK = "javascript:window.harmed=1";

let server;
let browser;

test.before(async () => {
  [server, browser] = await Promise.all([startServer(), startBrowser()]);
  await fillServer(server, { documents: 3 });
  const docs = [
    { id: MARKUP, embedding: [1, 0, 0], title: MARKUP, tags: [MARKUP, LINK], price: 1, note: MARKUP },
    { id: LINK, embedding: [1, 0.1, 0], title: LINK, tags: [LINK], price: 2 },
    { id: "..", embedding: [1, 0.2, 0], title: "dots", tags: [], price: 3 },
    { id: "%2e%2F?#&", embedding: [1, 0.3, 0], title: "signs", tags: [], price: 4 },
  ];
  await server.call("POST", "/v1/dbs/products/docs", { docs });
});

test.after(async () => {
  await browser?.stop();
  await server?.stop();
});

const open = (t, path, options) => visit(t, browser, `${server.url}#/${path}`, options);

async function expectUnharmed(page) {
  const found = await page.evaluate(() => ({
    harmed: "harmed" in window,
    elements: document.querySelectorAll("main img, main script, main [onerror], main [onload]").length,
    links: [...document.querySelectorAll("a")].map((link) => link.protocol),
  }));
  assert.deepEqual([found.harmed, found.elements], [false, 0]);
  assert.ok(found.links.every((protocol) => protocol === "http:"));
}

test("markup in a document is text wherever it is shown", async (t) => {
  const page = await open(t, "db/products/documents");
  await page.getByRole("link", { name: MARKUP.slice(0, 40) }).waitFor();
  await expectUnharmed(page);
  await page.getByRole("link", { name: MARKUP.slice(0, 40) }).click();
  await page.locator("dd", { hasText: MARKUP }).first().waitFor();
  await expectUnharmed(page);
  await page.getByRole("button", { name: "Edit" }).click();
  assert.equal(JSON.parse(await page.getByLabel("Document as JSON").inputValue()).note, MARKUP);
  await expectUnharmed(page);
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("link", { name: "Find similar" }).click();
  await page.getByText("6 hits").waitFor();
  await expectUnharmed(page);
  await page.getByRole("link", { name: "Values" }).click();
  await page.getByLabel("Field").selectOption("tags");
  await page.getByRole("link", { name: LINK }).waitFor();
  await expectUnharmed(page);
  await page.getByRole("link", { name: "Changes" }).click();
  await page.getByText("Waiting for changes…").waitFor();
  const docs = [{ id: "x", embedding: [0, 1, 0], title: MARKUP, tags: [MARKUP], price: 0 }];
  await server.call("POST", "/v1/dbs/products/docs", { docs });
  await page.getByText("1 change so far").waitFor();
  await expectUnharmed(page);
});

test("ids that look like paths or queries are ids", async (t) => {
  for (const [id, title] of [["..", "dots"], ["%2e%2F?#&", "signs"], [LINK, LINK]]) {
    const page = await open(t, "db/products/documents");
    await page.getByRole("link", { name: id, exact: true }).click();
    await page.locator("dd .text", { hasText: title }).first().waitFor();
    await page.getByRole("link", { name: "Find similar" }).click();
    await page.getByText(/\d hits/).waitFor();
    await page.close();
  }
});

test("a harmful address is just an address", async (t) => {
  const page = await open(t, `db/${encodeURIComponent(MARKUP)}/documents`, { refusals: true });
  await page.getByText(/invalid/).waitFor();
  await expectUnharmed(page);
});

test("large values are abbreviated, shown when asked for, and do not hold up the page", async (t) => {
  const schema = { id: "string", embedding: { vector: 4096 }, body: "string", data: "json" };
  await server.call("PUT", "/v1/dbs/large", { schema });
  const doc = (number) => ({
    id: `d${number}`,
    embedding: Array.from({ length: 4096 }, (_, place) => Math.sin(place + number)),
    body: "word ".repeat(200_000),
    data: Array.from({ length: 50_000 }, (_, place) => ({ place })),
  });
  for (const number of [0, 1, 2]) {
    await server.call("POST", "/v1/dbs/large/docs", { docs: [doc(number)] });
  }
  const page = await open(t, "db/large/documents");
  await page.getByText("1–3 of 3 documents").waitFor();
  const characters = () => page.evaluate(() => document.body.textContent.length);
  assert.ok((await characters()) < 5_000);
  await page.getByRole("link", { name: "d1" }).click();
  await page.getByText("… 4,096 numbers]").waitFor();
  assert.ok((await characters()) < 20_000);
  await page.getByRole("button", { name: "Show all numbers" }).click();
  await page.getByRole("button", { name: "Show all 1,000,000 characters" }).click();
  assert.ok((await characters()) > 1_000_000);
});
