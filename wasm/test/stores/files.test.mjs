// The store in files: what every store must do, and what can happen to a file.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { crc32, crc32ByTable } from "../../dist/store/crc32.js";
import { files } from "../../dist/store/files.js";
import { STORIES, entry, listed, pattern } from "./conformance.mjs";

const KILLS = Number(process.env.KILLS ?? 200);
const WRITER = fileURLToPath(new URL("./writer.mjs", import.meta.url));
const LOG = "entries.log";
/** Where in a log the version of its format is. */
const VERSION_AT = 7;

for (const [story, run] of Object.entries(STORIES)) {
  test(story, async (t) => {
    const path = await directory(t);
    await run(() => files(path));
  });
}

test("the two checksums agree, and are the standard's", () => {
  const bytes = pattern(10_000);
  assert.equal(crc32ByTable(new TextEncoder().encode("123456789")), 0xcbf43926);
  assert.equal(crc32(bytes), crc32ByTable(bytes));
  assert.equal(crc32ByTable(bytes.subarray(100), crc32ByTable(bytes.subarray(0, 100))), crc32(bytes));
});

test("a log cut anywhere has what was stored until then, and says what was lost", async (t) => {
  const { path, log, states, ends } = await smallLog(t);
  const warn = t.mock.method(process, "emitWarning", () => undefined);
  for (let length = 0; length < log.length; length++) {
    await writeFile(join(path, LOG), log.subarray(0, length));
    const batches = ends.filter((end) => end <= length).length - 1;
    if (batches < 0) {
      await assert.rejects(contents(path), { code: "corrupt" });
      continue;
    }
    warn.mock.resetCalls();
    assert.deepEqual(await contents(path), states[batches], `cut to ${length} bytes`);
    assert.equal(warn.mock.callCount(), ends.includes(length) ? 0 : 1);
    assert.equal((await stat(join(path, LOG))).size, ends[batches]);
    await writesAgain(path);
  }
});

test("a byte changed anywhere is found, or cuts the last batch and says so", async (t) => {
  const { path, log, states, ends } = await smallLog(t);
  const warn = t.mock.method(process, "emitWarning", () => undefined);
  const last = ends.at(-2);
  let refused = 0;
  for (let at = 0; at < log.length; at++) {
    const damaged = Uint8Array.from(log);
    damaged[at] ^= 1 << at % 8;
    await writeFile(join(path, LOG), damaged);
    warn.mock.resetCalls();
    if (at >= last) {
      assert.deepEqual(await contents(path), states.at(-2), `byte ${at}`);
      assert.equal(warn.mock.callCount(), 1);
      continue;
    }
    const found = await contents(path).catch((error) => error);
    if (found instanceof Error) {
      assert.equal(found.code, at === VERSION_AT ? "unsupported" : "corrupt");
      assert.match(found.message, /entries\.log/);
      refused += 1;
    } else {
      assert.deepEqual(found, states.at(-1), `byte ${at}`);
    }
  }
  // Only values that were replaced or removed later can be damaged unnoticed.
  assert.equal(refused, last - 4);
});

test("a log that is stored as a value is not taken for batches", async (t) => {
  const { path, log } = await smallLog(t);
  const warn = t.mock.method(process, "emitWarning", () => undefined);
  const before = await contents(path);
  const store = files(path);
  await store.put(new Map([["copy", log]]));
  await store.close();
  const whole = await readFile(join(path, LOG));
  await writeFile(join(path, LOG), whole.subarray(0, -1));
  assert.deepEqual(await contents(path), before);
  assert.equal(warn.mock.callCount(), 1);
});

test("what is replaced goes from the disk, and what is left stays", async (t) => {
  const path = await directory(t);
  const store = files(path);
  await store.put(new Map([["kept", pattern(100_000)]]));
  for (let round = 0; round < 60; round++) {
    await store.put(new Map([["page/1", pattern(100_000 + round)], entry("round", round)]));
  }
  await store.close();
  assert.ok((await stat(join(path, LOG))).size < 2_100_000);
  assert.deepEqual(await readdir(path), [LOG]);
  assert.deepEqual(await contents(path), [
    ["kept", [...pattern(100_000)]],
    ["page/1", [...pattern(100_059)]],
    ["round", [59]],
  ]);
});

test("a closed store says so, and its directory can be opened again", async (t) => {
  const path = await directory(t);
  const store = files(path);
  await store.put(new Map([entry("a", 1)]));
  await assert.rejects(files(path).get("a"), { code: "busy", message: /this process/ });
  await store.close();
  await store.close();
  await assert.rejects(store.get("a"), { code: "closed" });
  await assert.rejects(store.put(new Map([entry("a", 2)])), { code: "closed" });
  assert.deepEqual(await contents(path), [["a", [1]]]);
});

test("a close waits for the writes that were asked for before it", async (t) => {
  const path = await directory(t);
  const store = files(path);
  const writes = [store.put(new Map([entry("a", 1), entry("b", 1)])), store.delete(["a"])];
  await Promise.all([...writes, store.close()]);
  assert.deepEqual(await contents(path), [["b", [1]]]);
});

test("a directory that cannot be made is an error with a code", async (t) => {
  const path = await directory(t);
  await writeFile(join(path, "file"), "");
  await assert.rejects(files(join(path, "file")).get("a"), { code: "unavailable" });
});

test("a batch that is too large is refused, and the next one is not", async (t) => {
  const path = await directory(t);
  const store = files(path);
  const long = "k".repeat(70_000);
  const batch = new Map([entry("a", 1), entry(long, 2)]);
  await assert.rejects(store.put(batch), { code: "limit_exceeded", message: /70000.*65535/ });
  await store.put(new Map([entry("b", 1)]));
  await store.close();
  assert.deepEqual(await contents(path), [["b", [1]]]);
});

test("a second process is told who has the directory, until that one is killed", async (t) => {
  const path = await directory(t);
  const writer = spawnWriter(path);
  await writer.next();
  const message = new RegExp(`process ${writer.pid} `);
  await assert.rejects(files(path).get("batch"), { code: "busy", message });
  await writer.kill();
  assert.ok((await contents(path)).length > 0);
  assert.deepEqual(await readdir(path), [LOG]);
});

test(`${KILLS} kills lose nothing that was acknowledged, and tear nothing`, async (t) => {
  const path = await directory(t);
  t.mock.method(process, "emitWarning", () => undefined);
  let seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);
  t.diagnostic(`SEED=${seed}`);
  const random = () => (seed = (seed * 48271) % 0x7fffffff) / 0x7fffffff;
  let acknowledged = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const writer = spawnWriter(path);
    for (let left = Math.ceil(random() * 100); left > 0; left--) {
      acknowledged = await writer.next();
    }
    acknowledged = await writer.kill(acknowledged);
    const store = files(path);
    const batch = new DataView((await store.get("batch")).buffer).getUint32(0);
    assert.ok(batch >= acknowledged, `batch ${acknowledged} was acknowledged, ${batch} is there`);
    for await (const [key, value] of store.list("page/")) {
      assert.deepEqual(value, pageOf(key, batch), `${key} after batch ${batch}`);
    }
    await store.close();
  }
  t.diagnostic(`${acknowledged} batches acknowledged`);
});

test("a full disk refuses what does not fit, goes on reading, and writes again", async (t) => {
  const path = await mkdtemp(join(tmpdir(), "vectordoc-small-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=4m", "tmpfs", path], { stdio: "ignore" });
  } catch {
    await rm(path, { recursive: true });
    t.skip("a small disk can be mounted by root only");
    return;
  }
  t.after(async () => {
    execFileSync("umount", [path]);
    await rm(path, { recursive: true });
  });
  const store = files(path);
  for (let number = 0; number < 3; number++) {
    await store.put(new Map([[`page/${number}`, pattern(1_000_000)]]));
  }
  for (let attempt = 0; attempt < 20; attempt++) {
    const batch = new Map([entry("small", attempt), ["page/3", pattern(2_000_000)]]);
    await assert.rejects(store.put(batch), { code: "full" });
    assert.equal(await store.get("small"), undefined);
    assert.deepEqual(await store.get("page/2"), pattern(1_000_000));
  }
  await store.put(new Map([entry("small", 1)]));
  await store.delete(["page/0", "page/1"]);
  await store.put(new Map([["page/4", pattern(500_000)]]));
  await store.close();
  assert.deepEqual((await contents(path)).map(([key]) => key), ["page/2", "page/4", "small"]);
});

/** A log of a few batches, what it held after each, and where each ended. */
async function smallLog(t) {
  const path = await directory(t);
  const store = files(path);
  const [states, ends] = [[], []];
  const state = async () => {
    states.push(await listed(store, ""));
    ends.push((await stat(join(path, LOG))).size);
  };
  await state();
  await store.put(new Map([entry("meta", 1, 2, 3), entry("record/1", 4)]));
  await state();
  await store.delete(["record/1"]);
  await state();
  await store.put(new Map([entry("meta", 5, 6), entry("empty"), ["page/1", pattern(40)]]));
  await state();
  await store.close();
  return { path, log: await readFile(join(path, LOG)), states, ends };
}

async function contents(path) {
  const store = files(path);
  try {
    return await listed(store, "");
  } finally {
    await store.close();
  }
}

async function writesAgain(path) {
  const store = files(path);
  await store.put(new Map([entry("again", 1)]));
  await store.close();
  assert.deepEqual((await contents(path)).filter(([key]) => key === "again"), [["again", [1]]]);
}

/** What the writer has under a key after a batch. */
function pageOf(key, batch) {
  const number = Number(key.slice("page/".length));
  const written = batch - ((batch - number + 50) % 50);
  return pattern(20_000 + written);
}

/** A process that writes batches and says which are acknowledged. */
function spawnWriter(path) {
  const child = spawn(process.execPath, ["--no-warnings", WRITER, path], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    assert.ok(!done, "the writer ended");
    return Number(value);
  };
  /** Kills it and returns the last that it acknowledged. */
  const kill = async (last) => {
    const exited = once(child, "exit");
    child.kill("SIGKILL");
    await exited;
    for await (const line of lines) last = Number(line);
    return last;
  };
  return { pid: child.pid, next, kill };
}

async function directory(t) {
  const path = await mkdtemp(join(tmpdir(), "vectordoc-files-"));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}
