// What the compiler must accept and refuse of `connect`. `tsc --noEmit` is the test; nothing here runs.

import { type Database, type Schema, connect } from "vectordoc";
import { connect as connectAlone } from "vectordoc/connect";
import { WebSocket as WebSocketOfWs } from "ws";

const url = "wss://host";
const schema = {
  id: "u64",
  embedding: { vector: 2 },
  price: { type: "number", filter: true },
  title: "string",
} as const satisfies Schema;

const db = await connect(url, { db: "products", schema, apiKey: "k", encoding: "cbor" });
const [hit] = await db.search([1, 0], { filter: { price: { $lt: 5 } }, include: ["title"] });
hit?.doc.title.length;
// @ts-expect-error: no such field
hit?.doc.prise;
// @ts-expect-error: titles cannot be asked about
await db.count({ filter: { title: "a" } });
// @ts-expect-error: a text is no id
await db.get("a");

interface Note {
  id: string;
  title: string;
}
const own = { db: "notes", timeoutMs: 5, WebSocket: WebSocketOfWs };
const notes: Database<Note> = await connectAlone<Note>(url, own);
await connectAlone<Note>(url, { db: "notes", WebSocket });
await notes.index({ id: "a", title: "A" });
// @ts-expect-error: the title is missing
await notes.index({ id: "a" });

// @ts-expect-error: which database?
await connect(url, {});
// @ts-expect-error: no such encoding
await connect(url, { db: "notes", encoding: "xml" });
// @ts-expect-error: no such option
await connect(url, { db: "notes", key: "k" });
