// Promise: a database of a server that asks for a key is reached with one, and a wrong key is said.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { connect } from "vectordoc";
import { ENCODINGS, PROGRAM, WebSocket, startServer } from "./server.mjs";

const SCHEMA = { id: "string", embedding: { vector: 2 } };

function createKey(directory, role) {
  const args = ["key", "create", "--role", role, "--data", directory];
  return execFileSync(PROGRAM, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
}

for (const encoding of ENCODINGS) {
  test(`a key opens what its role allows, in ${encoding}`, async (t) => {
    const directory = await mkdtemp(join(tmpdir(), "vectordoc-"));
    const [admin, reader] = [createKey(directory, "admin"), createKey(directory, "read")];
    const server = await startServer(t, directory);
    const connected = (options) =>
      connect(server.url, { db: "docs", schema: SCHEMA, encoding, WebSocket, ...options });

    const db = await connected({ apiKey: admin });
    await db.index([{ id: "a", embedding: [1, 0] }]);
    await db.close();

    const reading = await connected({ apiKey: reader });
    assert.equal(await reading.count(), 1);
    await assert.rejects(reading.delete(["a"]), { code: "denied" });
    await reading.close();

    await assert.rejects(connected({ apiKey: `${admin}x` }), { code: "unauthenticated" });
    await assert.rejects(connected({}), { code: "unauthenticated" });
  });
}
