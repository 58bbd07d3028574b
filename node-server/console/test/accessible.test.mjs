// Everything by keyboard, with names, in both colour schemes, by the rules of axe.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import test from "node:test";
import { DESK, PHONE, startBrowser, visit } from "./browser.mjs";
import { fillServer, startServer } from "./server.mjs";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const VIEWS = {
  databases: ["", "products"],
  documents: ["db/products/documents", "of 40 documents"],
  document: ["db/products/documents/p7", "version"],
  search: ["db/products/search?like=p10", "10 hits"],
  values: ["db/products/values?field=tags", "among 40"],
  changes: ["db/products/changes", "Waiting for changes…"],
  about: ["db/products/about", "As JSON"],
  metrics: ["metrics", "waiting for an index"],
};

let server;
let browser;
let axe;

test.before(async () => {
  [server, browser] = await Promise.all([startServer(), startBrowser()]);
  await fillServer(server, { documents: 40 });
  axe = await readFile(AXE, "utf8");
});

test.after(async () => {
  await browser?.stop();
  await server?.stop();
});

async function expectNoViolation(page, name) {
  // The policy lets no script in; the debugger may run one.
  const violations = await page.evaluate(`${axe}; axe.run(document, { resultTypes: ["violations"] })
    .then(({ violations }) => violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]))`);
  assert.deepEqual(violations, [], name);
}

for (const [where, options] of [
  ["a desk, in light colours", { viewport: DESK, colorScheme: "light" }],
  ["a phone, in dark colours", { viewport: PHONE, colorScheme: "dark" }],
]) {
  test(`axe finds nothing wrong on ${where}`, async (t) => {
    for (const [name, [path, text]] of Object.entries(VIEWS)) {
      const page = await visit(t, browser, `${server.url}#/${path}`, options);
      await page.getByText(text).first().waitFor();
      await expectNoViolation(page, name);
      await page.close();
    }
    const page = await visit(t, browser, server.url, options);
    await page.getByRole("button", { name: "New database" }).click();
    await page.getByRole("dialog").waitFor();
    await expectNoViolation(page, "a dialog");
  });
}

test("everything is reached by Tab, has a name, and shows where one is", async (t) => {
  const page = await visit(t, browser, `${server.url}#/db/products/documents`);
  await page.getByText("of 40 documents").waitFor();
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the content");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate(() => document.activeElement.id), "main");
  const seen = [];
  for (let step = 0; step < 16; step += 1) {
    await page.keyboard.press("Tab");
    seen.push(
      await page.evaluate(() => {
        const { activeElement: at } = document;
        const name = at.getAttribute("aria-label") ?? at.labels?.[0]?.textContent ?? at.textContent;
        return [name.trim(), getComputedStyle(at).outlineStyle];
      }),
    );
  }
  const names = seen.map(([name]) => name);
  assert.ok(names.every((name) => name !== ""));
  assert.ok(seen.every(([, outline]) => outline !== "none"), JSON.stringify(seen));
  for (const name of ["Documents", "Search", "Filter", "Order", "Show", "Add document"]) {
    assert.ok(names.includes(name), `${name} is not among ${names}`);
  }
});

test("a document is found, opened and left without a mouse", async (t) => {
  const page = await visit(t, browser, `${server.url}#/db/products/documents`);
  await page.getByText("of 40 documents").waitFor();
  await page.getByLabel("Filter").focus();
  await page.keyboard.type('{"price": 7}');
  await page.keyboard.press("Enter");
  await page.getByText("1–1 of 1 document,").waitFor();
  await page.getByRole("link", { name: "p7" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Delete…" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.getByRole("heading", { name: /^p7/ }).waitFor();
});
