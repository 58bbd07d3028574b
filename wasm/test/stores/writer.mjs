// Writes batch after batch into a directory and prints the number of each once it is acknowledged,
// to be killed in the middle of it.

import { files } from "../../dist/store/files.js";
import { pattern } from "./conformance.mjs";

const PAGES = 50;

const store = files(process.argv[2]);
const found = await store.get("batch");
let batch = found ? new DataView(found.buffer).getUint32(0) : 0;
for (;;) {
  batch += 1;
  const number = new Uint8Array(4);
  new DataView(number.buffer).setUint32(0, batch);
  await store.put(
    new Map([["batch", number], [`page/${batch % PAGES}`, pattern(20_000 + batch)]]),
  );
  process.stdout.write(`${batch}\n`);
}
