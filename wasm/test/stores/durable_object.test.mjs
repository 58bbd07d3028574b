// The store in a Durable Object, over storage of both kinds: the real one in workerd, and a fake that
// can be broken.

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { Miniflare } from "miniflare";
import { durableObject } from "../../dist/store/durable_object.js";
import { STORIES, entry, listed, pattern } from "./conformance.mjs";
import { FakeStorage } from "./fake_storage.mjs";
import { LIMITS } from "./limits.mjs";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const MODULES = [
  "test/stores/worker.mjs",
  "test/stores/conformance.mjs",
  "test/stores/limits.mjs",
  "dist/store/durable_object.js",
  "dist/store/coded.js",
  "dist/error.js",
];
/** The bindings of the worker: the storage on SQLite, and the older one of keys and values. */
const KINDS = ["SQLITE", "KEY_VALUE"];

let persisted;
let workerd;

test.before(async () => {
  persisted = await mkdtemp(join(tmpdir(), "vectordoc-workerd-"));
  workerd = start();
});

test.after(async () => {
  await workerd?.dispose();
  await rm(persisted, { recursive: true, force: true });
});

for (const story of Object.keys({ ...STORIES, ...LIMITS })) {
  for (const kind of KINDS) {
    test(`${kind} in workerd: ${story}`, () => run(kind, story, story));
  }
  test(`fake: ${story}`, async () => {
    const storage = new FakeStorage();
    await (STORIES[story] ?? LIMITS[story])(() => durableObject(storage), storage);
  });
}

test("what was put is there after a restart", async () => {
  for (const kind of KINDS) await run(kind, "restart", "put");
  await workerd.dispose();
  workerd = start();
  for (const kind of KINDS) await run(kind, "restart", "got");
});

test("a full storage refuses a put, and keeps what it has", async () => {
  const storage = new FakeStorage();
  const store = durableObject(storage);
  await store.put(new Map([["large", pattern(500_000)], entry("meta", 1)]));
  storage.bytesMax = 600_000;
  const batch = new Map([entry("meta", 2), ["larger", pattern(500_000)]]);
  await assert.rejects(store.put(batch), { code: "full" });
  assert.deepEqual(await store.get("meta"), Uint8Array.of(1));
  await store.delete(["large"]);
  await store.put(batch);
  assert.deepEqual((await listed(store, "")).map(([key]) => key), ["larger", "meta"]);
});

test("a put resolves when the storage is in sync, not before", async () => {
  const storage = new FakeStorage();
  let release;
  storage.syncing = new Promise((resolve) => (release = resolve));
  let isDone = false;
  const put = durableObject(storage)
    .put(new Map([entry("a", 1)]))
    .then(() => (isDone = true));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isDone, false);
  release();
  await put;
});

function start() {
  return new Miniflare({
    modulesRoot: ROOT,
    modules: MODULES.map((path) => ({ type: "ESModule", path: join(ROOT, path) })),
    compatibilityDate: "2026-04-01",
    durableObjects: {
      SQLITE: { className: "Stores", useSQLite: true },
      KEY_VALUE: { className: "Stores" },
    },
    durableObjectsPersist: persisted,
  });
}

async function run(kind, name, story) {
  const body = JSON.stringify({ kind, name, story });
  const response = await workerd.dispatchFetch("http://stores/", { method: "POST", body });
  const { failure } = await response.json();
  assert.equal(failure, null);
}
