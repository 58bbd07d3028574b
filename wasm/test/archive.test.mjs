// A database as one file goes from JavaScript to the native program and back.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { connect, open, restore } from "vectordoc";
import { MemoryStore } from "./memory_store.mjs";
import { CHAIR, LAMP, SCHEMA, TABLE, collect } from "./products.mjs";
import { PROGRAM, WebSocket, startServer } from "./remote/server.mjs";

const scroll = (db) => collect(db.scroll({ include: "*" }));

/** Runs the program. */
function vectordoc(...args) {
  const { status, stderr } = spawnSync(PROGRAM, args, { encoding: "utf8" });
  assert.equal(status, 0, stderr);
}

async function folder(test) {
  const path = await mkdtemp(join(tmpdir(), "vectordoc-archive-"));
  test.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

for (const [where, store] of [
  ["in memory", () => "memory"],
  ["in a store", () => new MemoryStore()],
]) {
  test(`a database ${where} is exported, served by the native program, and comes back`, async (t) => {
    const db = await open("products", { schema: SCHEMA, store: store() });
    await db.index([CHAIR, TABLE]);
    await db.index(LAMP);
    await db.patch("lamp", { increment: { price: 1 } });
    const [docs, hits] = [await scroll(db), await db.search([1, 0.1])];
    const path = await folder(t);
    await writeFile(join(path, "out"), Buffer.from(await (await db.export()).arrayBuffer()));
    // It goes on as before.
    await db.delete("lamp");
    await db.close();

    const data = join(path, "data");
    vectordoc("restore", join(path, "out"), "--data", data, "--db", "products");
    const server = await startServer(t, data);
    const remote = await connect(server.url, { db: "products", WebSocket });
    assert.deepEqual(await scroll(remote), docs);
    assert.deepEqual(await remote.search([1, 0.1]), hits);
    await remote.close();
    await server.stop();

    vectordoc("backup", "--data", data, "--db", "products", join(path, "back"));
    const again = new MemoryStore();
    await restore(again, new Blob([await readFile(join(path, "back"))]));
    const restored = await open("products", { store: again });
    assert.deepEqual(await scroll(restored), docs);
    assert.deepEqual(await restored.search([1, 0.1]), hits);
    await restored.close();
  });
}

test("an archive that is not whole is refused, and the store passes for empty", async () => {
  const db = await open("products", { schema: SCHEMA });
  await db.index([CHAIR, TABLE, LAMP]);
  const archive = await db.export();
  await db.close();
  const bytes = new Uint8Array(await archive.arrayBuffer());
  const damaged = bytes.with(bytes.length >> 1, bytes[bytes.length >> 1] ^ 1);
  for (const wrong of [bytes.subarray(0, -1), damaged, bytes.subarray(0, 20)]) {
    const store = new MemoryStore();
    await assert.rejects(restore(store, new Blob([wrong])), { code: "corrupt" });
    await assert.rejects(open("products", { store }), { code: "not_found" });
    const fresh = await open("products", { schema: SCHEMA, store });
    assert.equal(await fresh.count(), 0);
    await fresh.close();
  }
  const nothing = new Blob(["a poem, and no archive"]);
  await assert.rejects(restore(new MemoryStore(), nothing), { code: "invalid" });
  await assert.rejects(restore(new MemoryStore(), new Blob([])), { code: "invalid" });
});

test("a store that holds a database is not overwritten", async () => {
  const store = new MemoryStore();
  const db = await open("products", { schema: SCHEMA, store });
  await db.index(CHAIR);
  const archive = await db.export();
  await db.index(TABLE);
  await db.close();
  await assert.rejects(restore(store, archive), { code: "conflict" });
  const again = await open("products", { store });
  assert.equal(await again.count(), 2);
  await again.close();
});
