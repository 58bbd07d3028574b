// What a store in a Durable Object must do about the limits of its storage, as stories that run over
// the real storage and over the fake.

import { entry, listed, pattern } from "./conformance.mjs";

/** Larger than the storage of either kind takes. */
const LARGE_BYTES = 5_000_000;

export const LIMITS = {
  async "large values are cut, and what is left of them is nothing"(open, storage) {
    const store = open();
    await store.put(new Map([["large", pattern(LARGE_BYTES)], entry("small", 1)]));
    check((await storage.list()).size > 10, "nothing was cut");
    await open().put(new Map([["large", pattern(LARGE_BYTES / 2)]]));
    const again = await open().get("large");
    check(again.length === LARGE_BYTES / 2, `${again.length} bytes`);
    await store.put(new Map([entry("large", 2)]));
    check((await storage.list()).size === 2, "pieces were left");
    await store.put(new Map([["large", pattern(LARGE_BYTES)]]));
    await open().delete(["large", "small"]);
    check((await storage.list()).size === 0, "pieces were left");
  },

  async "a put of which one entry is refused stores nothing, and the next one is stored"(open, storage) {
    const store = open();
    await store.put(new Map([["kept", pattern(300_000)]]));
    const before = (await storage.list()).size;
    const entries = Array.from({ length: 300 }, (_, number) => entry(`k/${number}`, 1));
    const batch = new Map([...entries, ["kept", pattern(LARGE_BYTES)], entry("x".repeat(LARGE_BYTES), 1)]);
    const code = await store.put(batch).then(
      () => undefined,
      (error) => error.code,
    );
    check(code === "unavailable", `the code is ${code}`);
    check((await storage.list()).size === before, "something was stored");
    check((await store.get("kept")).length === 300_000, "the large value was replaced");
    await store.put(new Map([entry("kept", 1)]));
    const left = JSON.stringify(await listed(store, ""));
    check(left === '[["kept",[1]]]' && (await storage.list()).size === 1, left);
  },

  async "a value that lost a piece is corrupt"(open, storage) {
    await open().put(new Map([["large", pattern(LARGE_BYTES)]]));
    const piece = [...(await storage.list()).keys()].find((key) => key.startsWith("\0piece"));
    await storage.delete(piece);
    const code = await open().get("large").catch((error) => error.code);
    check(code === "corrupt", `the code is ${code}`);
  },
};

/** The stories before and after the worker is started anew. */
export const RESTART = {
  async put(open) {
    await open().put(new Map([["large", pattern(LARGE_BYTES)], entry("small", 1)]));
  },

  async got(open) {
    const [large, small] = [await open().get("large"), await open().get("small")];
    check(small?.[0] === 1, "the small value is lost");
    const expected = pattern(LARGE_BYTES);
    check(large?.every((byte, at) => byte === expected[at]), "the large value differs");
  },
};

function check(holds, message) {
  if (!holds) throw new Error(message);
}
