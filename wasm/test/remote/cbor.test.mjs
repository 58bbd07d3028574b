// Promise: what is written is CBOR to others, what they write is read, and nothing else is.

import assert from "node:assert/strict";
import test from "node:test";
import * as cborg from "cborg";
import { cbor } from "../../dist/remote/cbor.js";
import { json } from "../../dist/remote/json.js";
import { Random } from "../random.mjs";

const ROUNDS = 2_000;
const FLOATS_TAG = 85;

/** Reads and writes tag 85 with the other implementation. */
const OTHER = {
  tags: Object.assign([], {
    [FLOATS_TAG]: (decode) => new Float32Array(Uint8Array.from(decode()).buffer),
  }),
  typeEncoders: {
    Float32Array: (floats) => [
      new cborg.Token(cborg.Type.tag, FLOATS_TAG),
      new cborg.Token(cborg.Type.bytes, new Uint8Array(floats.buffer)),
    ],
  },
};

const written = (value) => cbor.encode(value, Infinity);
const hex = (text) => Uint8Array.from(text.split(" ").filter(Boolean), (byte) => Number.parseInt(byte, 16));

/** Any value that can be sent, not too deep. */
function anyValue(random, depth = 0) {
  const next = () => (random.number() + 1) / 2;
  const pick = (count) => Math.floor(next() * count);
  const many = (make) => Array.from({ length: pick(6) }, make);
  const text = () => many(() => ["a", "é", "漢", "😀", "\u0000", '"', "\\"][pick(7)]).join("");
  const makers = [
    () => null,
    () => next() < 0.5,
    () => pick(2 ** 31) - 2 ** 30,
    () => Math.round((next() - 0.5) * 2 ** pick(53)) + 0,
    () => (next() - 0.5) * 10 ** (pick(40) - 20),
    () => (next() < 0.5 ? -1n : 1n) * (2n ** 54n + BigInt(pick(2 ** 53))),
    () => 2n ** 64n - 1n - BigInt(pick(1000)),
    text,
    () => Uint8Array.from(many(() => pick(256))),
    () => Float32Array.from(many(() => next() - 0.5)),
    () => many(() => anyValue(random, depth + 1)),
    () => Object.fromEntries(many(() => [text(), anyValue(random, depth + 1)])),
  ];
  return makers[pick(depth < 4 ? makers.length : makers.length - 2)]();
}

/** The same as JSON brings it back. */
function asLists(value) {
  if (ArrayBuffer.isView(value)) return Array.from(value);
  if (Array.isArray(value)) return value.map(asLists);
  if (value === null || typeof value !== "object") {
    return typeof value === "bigint" && Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, asLists(field)]));
}

test("any value comes back, through this codec and from and to another", () => {
  const random = new Random();
  for (let round = 0; round < ROUNDS; round++) {
    const value = { round, value: anyValue(random) };
    const bytes = written(value);
    assert.deepEqual(cbor.decode(bytes), value, random.story);
    assert.deepEqual(cborg.decode(bytes, OTHER), value, random.story);
    assert.deepEqual(cbor.decode(Uint8Array.from(cborg.encode(value, OTHER))), value, random.story);
    assert.deepEqual(json.decode(json.encode(value, Infinity)), asLists(value), random.story);
  }
});

test("long messages come back too", () => {
  const value = { many: Array.from({ length: 100_000 }, (_, at) => [at, at / 3, `text ${at}`]) };
  assert.deepEqual(cbor.decode(written(value)), value);
  assert.deepEqual(cborg.decode(written(value)), value);
  assert.deepEqual(json.decode(json.encode(value, Infinity)), value);
});

test("a message cut anywhere, or with a byte changed, is an error or another message", () => {
  const random = new Random();
  const place = (bytes) => Math.floor(((random.number() + 1) / 2) * bytes.length);
  for (let round = 0; round < ROUNDS; round++) {
    const bytes = written({ value: anyValue(random) });
    const cut = bytes.slice(0, place(bytes));
    assert.throws(() => cbor.decode(cut), random.story);
    const changed = Uint8Array.from(bytes);
    changed[place(bytes)] ^= 1 + place({ length: 255 });
    try {
      cbor.decode(changed);
    } catch (error) {
      assert.ok(error instanceof RangeError || error instanceof TypeError, String(error));
    }
  }
});

test("numbers take the fewest bytes that hold them", () => {
  for (const [value, bytes] of [
    [0, 1], [23, 1], [24, 2], [255, 2], [256, 3], [65_535, 3], [65_536, 5], [2 ** 32 - 1, 5],
    [2 ** 32, 9], [-1, 1], [-24, 1], [-25, 2], [-(2 ** 32) - 1, 9], [0.5, 9],
  ]) {
    assert.equal(written([value]).length, 1 + bytes, String(value));
    assert.deepEqual(cbor.decode(written([value])), [value]);
  }
});

test("floats of every width are read", () => {
  for (const [bytes, number] of [
    ["f9 3c 00", 1], ["f9 c4 00", -4], ["f9 00 01", 2 ** -24], ["f9 03 ff", 1023 * 2 ** -24],
    ["f9 7b ff", 65_504], ["f9 7c 00", Infinity], ["f9 fc 00", -Infinity], ["f9 7e 00", NaN],
    ["fa 3f 80 00 00", 1], ["fb 3f f1 99 99 99 99 99 9a", 1.1],
  ]) {
    assert.equal(cbor.decode(hex(bytes)), number);
  }
});

test("what is no CBOR, or none of ours, is refused without taking memory", () => {
  for (const bytes of [
    "", "ff", "1c", "f8 20", "61", "61 ff", "7f 61 61 ff", "5f 41 61 ff", "a1 01 02", "a1 61 61",
    "00 00", "c1 01", "d8 55 01", "d8 55 43 01 02 03", "d8 56 48 00 00 00 00 00 00 00 00", "9f 01",
    "5b ff ff ff ff ff ff ff ff", "7b ff ff ff ff ff ff ff ff", "9b ff ff ff ff ff ff ff ff",
    "bb ff ff ff ff ff ff ff ff", "d8 55 5b ff ff ff ff ff ff ff ff",
  ]) {
    assert.throws(() => cbor.decode(hex(bytes)), bytes);
  }
  for (const byte of [0x81, 0x9f, 0xc1]) {
    assert.throws(() => cbor.decode(new Uint8Array(10_000_000).fill(byte)));
  }
  assert.throws(() => cbor.decode("{}"));
  assert.throws(() => json.decode(hex("a0")));
});

test("a field called __proto__ is a field", () => {
  const value = JSON.parse('{"__proto__": {"admin": true}}');
  const read = cbor.decode(written(value));
  assert.equal(read.admin, undefined);
  assert.deepEqual(Object.keys(read), ["__proto__"]);
});

test("what the server could not mean the same by is not sent", () => {
  const cycle = {};
  cycle.cycle = cycle;
  for (const wrong of [
    NaN, Infinity, Float32Array.of(1, NaN), 2n ** 64n, -(2n ** 63n) - 1n, "\ud800", new Date(NaN),
    () => 1, Symbol("s"), new Map(), new Set(), new Float64Array(2), cycle, Promise.resolve(),
  ]) {
    for (const encoding of [cbor, json]) {
      assert.throws(() => encoding.encode({ wrong }, Infinity), { code: "invalid" }, String(wrong));
    }
  }
  const sent = { at: new Date(0), none: undefined, list: [undefined] };
  for (const encoding of [cbor, json]) {
    const read = encoding.decode(encoding.encode(sent, Infinity));
    assert.deepEqual(read, { at: "1970-01-01T00:00:00.000Z", list: [null] });
  }
});

test("a message that is too long is refused before it is sent", () => {
  for (const encoding of [cbor, json]) {
    const text = { text: "é".repeat(100) };
    assert.throws(() => encoding.encode(text, 200), { code: "limit_exceeded" });
    assert.ok(encoding.encode(text, 220));
  }
});
