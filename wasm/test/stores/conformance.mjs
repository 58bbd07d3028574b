// What every store must do, as stories that run in Node, in a browser and in a worker alike. Each is
// given `open`, which opens one and the same store again and again.

/** Values of sizes that something may be particular about, and far more than fit in one piece. */
const SIZES = [0, 1, 65_535, 65_536, 130_048, 130_049, 3_000_000];
/** More entries than any store handles at once. */
const MANY = 1_000;

export const STORIES = {
  async "what is put can be got, and nothing else"(open) {
    const store = await open();
    await store.put(new Map([entry("meta", 1), entry("record/1", 2)]));
    same(await store.get("meta"), [1]);
    same(await store.get("record/1"), [2]);
    same(await store.get("record/"), undefined);
    same(await store.get("none"), undefined);
    await store.close?.();
  },

  async "a put replaces what was there"(open) {
    const store = await open();
    await store.put(new Map([entry("meta", 1), entry("other", 9)]));
    await store.put(new Map([entry("meta", 2, 2)]));
    same(await store.get("meta"), [2, 2]);
    same(await listed(store, ""), [["meta", [2, 2]], ["other", [9]]]);
    await store.close?.();
  },

  async "a list has what begins with a prefix, in order of the keys"(open) {
    const store = await open();
    const keys = ["record/b", "record", "page/1", "record/", "record/a", "s", "record/B", "records"];
    await store.put(new Map(keys.map((key, index) => entry(key, index))));
    const expected = [["record/", [3]], ["record/B", [6]], ["record/a", [4]], ["record/b", [0]]];
    same(await listed(store, "record/"), expected);
    same(await listed(store, "none"), []);
    same((await listed(store, "")).map(([key]) => key), keys.toSorted());
    await store.close?.();
  },

  async "values of any size come back as they were, also after reopening"(open) {
    const values = new Map(SIZES.map((size) => [`value/${size}`, pattern(size)]));
    const store = await open();
    await store.put(values);
    await store.close?.();
    const reopened = await open();
    for (const [key, value] of values) {
      same(await reopened.get(key), [...value]);
    }
    const names = [...values.keys()].toSorted();
    same(await listed(reopened, "value/"), names.map((name) => [name, [...values.get(name)]]));
    await reopened.close?.();
  },

  async "a large value that is replaced or deleted leaves nothing behind"(open) {
    const store = await open();
    await store.put(new Map([["a", pattern(900_000)], ["b", pattern(900_000)]]));
    await store.close?.();
    const reopened = await open();
    await reopened.put(new Map([["a", pattern(300_000)]]));
    await reopened.delete(["b"]);
    same(await listed(reopened, ""), [["a", [...pattern(300_000)]]]);
    await reopened.put(new Map([entry("a", 1)]));
    await reopened.put(new Map([entry("b", 2)]));
    same(await listed(reopened, ""), [["a", [1]], ["b", [2]]]);
    await reopened.delete(["a", "b"]);
    same(await listed(reopened, ""), []);
    await reopened.close?.();
  },

  async "what is deleted is gone, and what is not there can be deleted"(open) {
    const store = await open();
    await store.delete(["none"]);
    await store.put(new Map([entry("a", 1), entry("b", 2)]));
    await store.delete(["a", "none", "a"]);
    same(await store.get("a"), undefined);
    await store.close?.();
    const reopened = await open();
    same(await listed(reopened, ""), [["b", [2]]]);
    await reopened.close?.();
  },

  async "nothing can be put and deleted"(open) {
    const store = await open();
    await store.put(new Map());
    await store.delete([]);
    same(await listed(store, ""), []);
    await store.close?.();
  },

  async "a thousand entries are listed, deleted and kept, each once"(open) {
    const store = await open();
    const name = (number) => `page/${String(number).padStart(8, "0")}`;
    const all = Array.from({ length: MANY }, (_, number) => number);
    await store.put(new Map(all.map((number) => entry(name(number), number % 251))));
    same(await listed(store, "page/"), all.map((number) => [name(number), [number % 251]]));
    await store.delete(all.filter((number) => number % 3).map(name));
    const left = all.filter((number) => number % 3 === 0);
    await store.close?.();
    const reopened = await open();
    same(await listed(reopened, "page/"), left.map((number) => [name(number), [number % 251]]));
    await reopened.close?.();
  },

  async "a part of an array is stored as that part, and later changes of it are not"(open) {
    const store = await open();
    const large = pattern(1_000_000);
    const value = large.subarray(500, 503);
    const expected = [...value];
    const stored = store.put(new Map([["part", value]]));
    await stored;
    value.fill(0);
    const got = await store.get("part");
    same(got, expected);
    same(got.buffer.byteLength, 3);
    got.fill(7);
    same(await store.get("part"), expected);
    await store.close?.();
  },

  async "puts that run at once are all kept, the last of a key"(open) {
    const store = await open();
    const numbers = Array.from({ length: 50 }, (_, number) => number);
    const put = (number) => store.put(new Map([entry("last", number), entry(`own/${number}`, number)]));
    await Promise.all(numbers.map(put));
    same(await store.get("last"), [49]);
    same((await listed(store, "own/")).length, 50);
    await store.close?.();
  },

  async "what is deleted while it is listed does no harm"(open) {
    const store = await open();
    const keys = Array.from({ length: 300 }, (_, number) => `page/${1_000 + number}`);
    await store.put(new Map(keys.map((key) => [key, pattern(40_000)])));
    let seen = 0;
    for await (const [key, value] of await store.list("page/")) {
      same(value.length, 40_000);
      seen += 1;
      if (key === keys[0]) await store.delete(keys.slice(150));
    }
    check(seen >= 150, `only ${seen} were seen`);
    same((await listed(store, "")).length, 150);
    await store.close?.();
  },
};

export function entry(key, ...bytes) {
  return [key, Uint8Array.from(bytes)];
}

/** Bytes that tell where in a value they are. */
export function pattern(size) {
  return Uint8Array.from({ length: size }, (_, at) => (at * 31 + (at >> 8)) & 0xff);
}

/** What a list has, values as arrays. */
export async function listed(store, prefix) {
  const entries = [];
  for await (const [key, value] of await store.list(prefix)) {
    check(value instanceof Uint8Array, `${key} is no Uint8Array`);
    entries.push([key, [...value]]);
  }
  return entries;
}

function same(actual, expected) {
  const found = actual instanceof Uint8Array ? [...actual] : actual;
  const [is, should] = [JSON.stringify(found), JSON.stringify(expected)];
  check(is === should, `${is?.slice(0, 200)} is not ${should?.slice(0, 200)}`);
}

function check(holds, message) {
  if (!holds) throw new Error(message);
}
