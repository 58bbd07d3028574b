// The console of a server that takes keys: who may see and do what, and where the key is.

import assert from "node:assert/strict";
import test from "node:test";
import { startBrowser, take, visit } from "./browser.mjs";
import { fillServer, startServer } from "./server.mjs";

let server;
let browser;

test.before(async () => {
  const roles = { admin: "admin", writer: "write", reader: "read", fleeting: "read" };
  [server, browser] = await Promise.all([startServer({ roles }), startBrowser()]);
  await fillServer(server, { documents: 5 });
});

test.after(async () => {
  await browser?.stop();
  await server?.stop();
});

async function signIn(t, name, path = "") {
  const page = await visit(t, browser, `${server.url}#/${path}`, { refusals: true });
  await page.getByLabel("Key").fill(server.keys[name]);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("button", { name: "Sign out" }).waitFor();
  return page;
}

test("without a key nothing is shown, and a wrong one is told so", async (t) => {
  const page = await visit(t, browser, `${server.url}#/db/products/documents`, { refusals: true });
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await take(page, "sign-in");
  assert.equal(await page.getByText("products").count(), 0);
  assert.equal(await page.getByRole("alert").isVisible(), false);
  await page.getByLabel("Key").fill("vd_wrong_key");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("alert").getByText("unauthenticated").waitFor();
  await page.getByLabel("Key").fill(server.keys.reader);
  await page.keyboard.press("Enter");
  await page.getByText("1–5 of 5 documents").waitFor();
});

test("the key is in this tab's session and in no address, and signing out forgets it", async (t) => {
  const urls = [];
  const page = await signIn(t, "admin");
  page.on("request", (request) => urls.push(request.url()));
  page.on("websocket", (socket) => urls.push(socket.url()));
  await page.getByRole("link", { name: "products" }).click();
  await page.getByText("of 5 documents").waitFor();
  await page.getByRole("link", { name: "Changes" }).click();
  await page.getByText("Waiting for changes…").waitFor();
  const secret = server.keys.admin.split("_").at(-1);
  assert.ok(urls.some((url) => url.startsWith("ws:")));
  assert.ok(!urls.concat(page.url()).some((url) => url.includes(secret)));
  const kept = () => page.evaluate(() => [JSON.stringify(sessionStorage), JSON.stringify(localStorage), document.cookie]);
  const [session, local, cookie] = await kept();
  assert.ok(session.includes(secret));
  assert.ok(!local.includes(secret) && cookie === "");
  await page.reload();
  await page.getByText("Waiting for changes…").waitFor();
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  assert.ok(!(await kept()).join("").includes(secret));
  const other = await visit(t, browser, server.url, { refusals: true });
  await other.getByRole("heading", { name: "Sign in" }).waitFor();
});

test("a key sees what it may do, and no more", async (t) => {
  const wanted = {
    reader: { says: "reads only", create: 0, add: 0, edit: 0, drop: 0 },
    writer: { says: "reads and writes", create: 0, add: 1, edit: 1, drop: 0 },
    admin: { says: "admin", create: 1, add: 1, edit: 1, drop: 1 },
  };
  for (const [name, { says, create, add, edit, drop }] of Object.entries(wanted)) {
    const page = await signIn(t, name);
    const buttons = (label) => page.getByRole("button", { name: label, exact: true }).count();
    await page.getByText(says, { exact: true }).waitFor();
    await page.getByRole("link", { name: "products" }).waitFor();
    assert.equal(await buttons("New database"), create, name);
    await page.getByRole("link", { name: "products" }).click();
    await page.getByText("of 5 documents").waitFor();
    assert.equal(await buttons("Add document"), add, name);
    await page.getByRole("link", { name: "p1" }).click();
    await page.getByRole("button", { name: "Copy JSON" }).waitFor();
    assert.equal(await buttons("Edit"), edit, name);
    assert.equal(await buttons("Delete…"), edit, name);
    await page.getByRole("link", { name: "Schema and index" }).click();
    await page.getByRole("heading", { name: "Recall" }).waitFor();
    assert.equal(await buttons("Delete the database…"), drop, name);
    await page.getByRole("link", { name: "Metrics" }).click();
    await page.getByRole("region", { name: "Documents" }).getByText("5", { exact: true }).waitFor();
  }
});

test("a key that is revoked leads back to signing in, which says why", async (t) => {
  const page = await signIn(t, "fleeting");
  await page.getByRole("link", { name: "products" }).waitFor();
  await server.revoke("fleeting");
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await page.getByRole("alert").getByText("unauthenticated").waitFor();
});
