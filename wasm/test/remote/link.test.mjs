// Promise: a connection may be lost and a server may say anything; every promise settles, and what is
// not known is said to be.

import assert from "node:assert/strict";
import test from "node:test";
import { connect } from "vectordoc";
import { DESCRIPTION, HELLO, refusal, result, startFake } from "./fake_server.mjs";
import { ENCODINGS, WebSocket, startServer } from "./server.mjs";

const OPTIONS = { db: "notes", encoding: "json", WebSocket };
const LOST = { name: "VectordocError", code: "unavailable" };

/** A fake server that describes its database, and whatever else `answer` says. */
async function startNotes(test, answer, options) {
  return startFake(
    test,
    (request, connection) => {
      if (request.method === "db.get") {
        connection.say(result(request.id, DESCRIPTION));
      } else {
        answer(request, connection);
      }
    },
    options,
  );
}

for (const encoding of ENCODINGS) {
  test(`${encoding}: a server that is killed and comes back goes on being asked`, async (t) => {
    const server = await startServer(t);
    const options = { db: "notes", schema: { id: "u64", title: "string" }, encoding, WebSocket };
    const db = await connect(server.url, options);
    await db.index({ id: 1, title: "kept" });
    await server.stop("SIGKILL");
    const waiting = [db.get(1), db.index({ id: 2, title: "late" }), db.count()];
    await server.start();
    const [found, written] = await Promise.all(waiting);
    assert.deepEqual([found, written.indexed], [{ id: 1, title: "kept" }, 1]);
    assert.equal(await db.count(), 2);
    await db.close();
  });

  test(`${encoding}: what is counted while a server restarts is counted or said to be unknown`, async (t) => {
    const server = await startServer(t);
    const options = { db: "counts", schema: { id: "u64", n: "u64" }, encoding, WebSocket };
    const db = await connect(server.url, options);
    await db.index({ id: 1, n: 0 });
    let [counted, unknown, isOver] = [0, 0, false];
    const count = async () => {
      while (!isOver) {
        await db.patch(1, { increment: { n: 1 } }).then(
          () => counted++,
          (error) => {
            assert.equal(error.code, "unavailable");
            assert.match(error.message, /whether the request was done is not known/);
            unknown++;
          },
        );
      }
    };
    const read = async () => {
      while (!isOver) {
        assert.equal((await db.get(1)).id, 1);
      }
    };
    const running = Promise.all([count(), read(), read()]);
    for (const signal of ["SIGTERM", "SIGKILL", "SIGTERM"]) {
      const before = counted;
      while (counted < before + 20) await db.count();
      await server.stop(signal);
      await server.start();
    }
    isOver = true;
    await running;
    const { n } = await db.get(1);
    assert.ok(counted <= n && n <= counted + unknown, `${counted} ≤ ${n} ≤ ${counted + unknown}`);
    await db.close();
  });
}

test("what is lost with its connection is asked again if it may be done twice", async (t) => {
  const asked = [];
  const lost = async (ask) => {
    asked.length = 0;
    const { url } = await startNotes(t, ({ id, method }, { number, socket, say }) => {
      asked.push(`${number} ${method}`);
      if (number === 0) {
        socket.terminate();
      } else {
        say(result(id, { count: 7, indexed: 1, updated: 1, version: 3 }));
      }
    });
    const db = await connect(url, OPTIONS);
    try {
      return await ask(db);
    } finally {
      await db.close();
    }
  };
  assert.equal(await lost((db) => db.count()), 7);
  assert.deepEqual(asked, ["0 doc.count", "1 doc.count"]);
  assert.deepEqual(await lost((db) => db.index({ id: "a" })), { indexed: 1, version: 3 });
  assert.deepEqual(await lost((db) => db.update({ id: "a" })), { updated: 1, version: 3 });
  assert.deepEqual(await lost((db) => db.patch("a", { set: { title: "t" } })), { version: 3 });
  for (const once of [
    (db) => db.index({ id: "a" }, { ifVersion: 1 }),
    (db) => db.patch("a", { increment: { n: 1 } }),
    (db) => db.patch({ filter: {} }, { set: { title: "t" } }),
    (db) => db.delete("a"),
    (db) => db.delete({ filter: {} }),
  ]) {
    await assert.rejects(lost(once), { ...LOST, message: /whether the request was done is not known/ });
    assert.equal(asked.length, 1, String(once));
  }
});

test("a server that loses every connection is given up", async (t) => {
  let asked = 0;
  const server = await startNotes(t, (_, { socket }) => {
    asked++;
    socket.close(1011, "no way");
  });
  const db = await connect(server.url, OPTIONS);
  await assert.rejects(db.count(), { ...LOST, message: /code 1011: no way/ });
  assert.equal(asked, 5);
  await db.close();
});

test("a server that does not answer is given up in time, and its connection with it", async (t) => {
  const server = await startNotes(t, ({ id }, { number, say }) => {
    if (number > 0) say(result(id, { count: 1 }));
  });
  const db = await connect(server.url, { ...OPTIONS, timeoutMs: 200 });
  const message = /no answer within 200 ms; whether it was done is not known/;
  await assert.rejects(db.count(), { ...LOST, message });
  assert.equal(await db.count(), 1);
  assert.equal(server.connections(), 2);
  await db.close();
});

test("answers that never come take up no room for ever", async (t) => {
  const server = await startNotes(t, ({ id, method }, { number, say }) => {
    if (number > 0 || method === "doc.facet") say(result(id, { count: 1, values: [] }));
  });
  const db = await connect(server.url, { ...OPTIONS, timeoutMs: 300 });
  const never = Array.from({ length: 3 }, () => assert.rejects(db.count(), LOST));
  // Those that find no room wait for it, and may wait too long.
  const heard = setInterval(() => db.facet("title").catch((error) => assert.match(error.code, /unavailable/)), 20);
  await Promise.all(never);
  assert.deepEqual([await db.facet("title"), server.connections()], [[], 1]);
  await assert.rejects(db.count(), LOST);
  clearInterval(heard);
  assert.equal(await db.count(), 1);
  assert.equal(server.connections(), 2);
  const late = assert.rejects(db.count({ filter: { title: "x".repeat(2_000) } }), { code: "limit_exceeded" });
  await db.close();
  await late;
});

test("a database closes although an answer never comes", async (t) => {
  const server = await startNotes(t, ({ id, method }, { say }) => {
    if (method === "doc.facet") say(result(id, { values: [] }));
  });
  const db = await connect(server.url, { ...OPTIONS, timeoutMs: 200 });
  const never = assert.rejects(db.count(), LOST);
  await db.facet("title");
  await db.close();
  await never;
});

test("a server that is gone is waited for in time", async (t) => {
  const server = await startServer(t);
  const schema = { id: "u64" };
  const db = await connect(server.url, { db: "notes", schema, timeoutMs: 400, WebSocket });
  await server.stop("SIGKILL");
  await assert.rejects(db.count(), LOST);
  await assert.rejects(db.delete(1), { ...LOST, message: /no answer within 400 ms; it was not sent/ });
  const count = assert.rejects(db.count(), LOST);
  await db.close();
  await count;
});

test("requests wait for room, and answers come in any order", async (t) => {
  const held = [];
  let most = 0;
  const server = await startNotes(t, (request, connection) => {
    held.push([request, connection]);
    most = Math.max(most, held.length);
    setTimeout(() => {
      const [{ id, params }, { say }] = held.pop();
      say(result(id, { count: Number(params.filter.title) }));
    }, 5);
  });
  const db = await connect(server.url, OPTIONS);
  const numbers = Array.from({ length: 30 }, (_, number) => number);
  const counts = numbers.map((number) => db.count({ filter: { title: String(number) } }));
  await db.close();
  assert.deepEqual(await Promise.all(counts), numbers);
  assert.equal(most, HELLO.params.limits.in_flight_max);
});

test("a server that goes away answers what it took, and the next one the rest", async (t) => {
  const asked = [];
  const server = await startNotes(t, ({ id, params }, { number, say }) => {
    asked.push(`${number} ${params.ids[0]}`);
    if (number === 0 && params.ids[0] === "first") {
      say({ jsonrpc: "2.0", method: "goaway", params: { reason: "update" } });
      setTimeout(() => say(result(id, { deleted: 1, missing: [] })), 50);
    } else if (number === 0) {
      say(refusal(id, "unavailable"));
    } else {
      say(result(id, { deleted: 2, missing: [] }));
    }
  });
  const [one, other] = await Promise.all([0, 1].map(() => connect(server.url, OPTIONS)));
  await other.close();
  const first = one.delete("first");
  const second = one.delete("second");
  assert.equal((await first).deleted, 1);
  assert.equal((await second).deleted, 2);
  assert.deepEqual(asked, ["0 first", "2 second"]);
  await one.close();
});

test("what was refused by a server that goes away was not done, and is asked again", async (t) => {
  const server = await startNotes(t, ({ id }, { number, say }) => {
    if (number > 0) return say(result(id, { deleted: 1, missing: [] }));
    say({ jsonrpc: "2.0", method: "goaway", params: {} });
    say(refusal(id, "unavailable"));
  });
  const db = await connect(server.url, OPTIONS);
  assert.equal((await db.delete("a")).deleted, 1);
  await db.close();
});

test("a key is shown first, on every connection", async (t) => {
  const asked = [];
  const server = await startFake(t, ({ id, method, params }, { number, socket, say }) => {
    asked.push(`${number} ${method}`);
    if (method === "auth") {
      say(params.key === "right" ? result(id, {}) : refusal(id, "unauthenticated", -32004));
    } else if (method === "doc.count" && number === 1) {
      socket.terminate();
    } else {
      say(result(id, { ...DESCRIPTION, count: 1 }));
    }
  });
  const wrong = connect(server.url, { ...OPTIONS, apiKey: "wrong" });
  await assert.rejects(wrong, { code: "unauthenticated" });
  const db = await connect(server.url, { ...OPTIONS, apiKey: "right" });
  assert.equal(await db.count(), 1);
  assert.deepEqual(asked, ["0 auth", "1 auth", "1 db.get", "1 doc.count", "2 auth", "2 doc.count"]);
  await db.close();
});

test("a server without keys is reached with one too", async (t) => {
  const server = await startServer(t);
  const db = await connect(server.url, { db: "a", schema: { id: "u64" }, apiKey: "k", WebSocket });
  assert.equal(await db.count(), 0);
  await db.close();
});

test("who does not speak as vectordoc does is not listened to", async (t) => {
  const without = (params) => ({ hello: { ...HELLO, params } });
  for (const options of [
    { hello: { ...HELLO, method: "welcome" } },
    { hello: "not JSON" },
    { hello: Uint8Array.of(1) },
    { hello: result(1, {}) },
    { protocol: false },
    without(undefined),
    without({ limits: {} }),
    without({ limits: { message_bytes_max: 0, in_flight_max: 1 } }),
    without({ limits: { message_bytes_max: 1e300, in_flight_max: 1 } }),
    without({ limits: { message_bytes_max: 1024, in_flight_max: "many" } }),
  ]) {
    const server = await startNotes(t, () => undefined, options);
    const refused = connect(server.url, OPTIONS);
    // Some WebSockets themselves refuse a server that speaks none of their protocols.
    await assert.rejects(refused, (error) => ["unsupported", "unavailable"].includes(error.code));
  }
});

test("an answer that makes no sense ends in an error, and not in silence", async (t) => {
  const answers = {
    "not JSON": () => "not JSON",
    "no result": (id) => ({ jsonrpc: "2.0", id }),
    "a binary frame": () => Uint8Array.of(0xa0),
    "another result": (id) => result(id, "many"),
    "no object": () => "5",
    "no number": (id) => result(id, { count: "many" }),
    "another protocol": (id) => ({ ...result(id, {}), jsonrpc: "1.0" }),
    "a negative number": (id) => result(id, { count: -1 }),
    "the id of nobody": () => result(null, {}),
    "an unknown code": (id) => refusal(id, "sour"),
    "an id that is none": () => result({}, {}),
    "an error that is none": (id) => ({ jsonrpc: "2.0", id, error: 5 }),
    "an error without words": (id) => ({ jsonrpc: "2.0", id, error: { code: 1 } }),
    "an error of nobody": () => refusal(null, "invalid"),
  };
  const said = ["not JSON"];
  const server = await startNotes(t, ({ id }, { say }) => {
    // An answer to nothing that was asked is not heard.
    say(result(1_000_000, { count: 5 }));
    say(answers[said[0]](id));
  });
  const db = await connect(server.url, { ...OPTIONS, timeoutMs: 5_000 });
  for (said[0] of Object.keys(answers)) {
    const expected = said[0] === "an error of nobody" ? "invalid" : "internal";
    await assert.rejects(db.count(), { name: "VectordocError", code: expected }, said[0]);
  }
  await db.close();
});

test("hits and documents that are none are an error", async (t) => {
  const results = [
    {}, { hits: 5 }, { hits: [5] }, { hits: [{ id: "a", score: "high", distance: 0, doc: {} }] },
    { hits: [{ id: "a", score: 1, distance: 0, doc: 5 }] }, { docs: [5], versions: [] },
    { docs: [], versions: 5 }, { docs: 5, cursor: null }, { docs: [], cursor: 5 }, { values: 5 },
  ];
  let current;
  const server = await startNotes(t, ({ id }, { say }) => say(result(id, current)));
  const db = await connect(server.url, OPTIONS);
  const asks = [
    () => db.search([1]), () => db.get("a"), () => db.scroll().next(), () => db.facet("title"),
    () => db.delete("a"), () => db.delete({ filter: {} }), () => db.patch("a", {}),
    () => db.search([1], { groupBy: "title" }),
  ];
  for (current of results) {
    const settled = await Promise.allSettled(asks.map((ask) => ask()));
    const codes = settled.flatMap(({ reason }) => (reason === undefined ? [] : [reason.code]));
    assert.ok(codes.length >= asks.length - 1, JSON.stringify(current));
    assert.ok(codes.every((code) => code === "internal"), JSON.stringify([current, codes]));
  }
  await db.close();
});
