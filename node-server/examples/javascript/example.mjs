// Uses a vectordoc server with the platform's WebSocket and a JSON-RPC library, and nothing else.
import { JSONRPCClient } from "json-rpc-2.0";

const SCHEMA = {
  id: "string",
  embedding: { vector: 3, metric: "cosine" },
  price: { type: "number", filter: true },
  title: "string",
};

const DOCUMENTS = [
  { id: "apple", embedding: [1.0, 0.1, 0.0], price: 2.5, title: "An apple" },
  { id: "pear", embedding: [0.9, 0.3, 0.0], price: 3.5, title: "A pear" },
  { id: "car", embedding: [0.0, 0.1, 1.0], price: 9000.0, title: "A car" },
];

/** Opens a WebSocket and gives it to a JSON-RPC client. */
async function connect(url) {
  const socket = new WebSocket(url, "vectordoc.v1.json");
  const client = new JSONRPCClient((request) => socket.send(JSON.stringify(request)));
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    // What has no id is a notification, such as `hello`.
    if (message.id !== undefined) {
      client.receive(message);
    }
  };
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error(`no server answers at ${url}`));
  });
  // Whoever waits for an answer when the connection ends is told.
  socket.onclose = () => client.rejectAllPendingRequests("the connection ended");
  return { socket, call: (method, params) => client.request(method, params) };
}

const { socket, call } = await connect(process.argv[2] ?? "ws://127.0.0.1:7700/v1/ws");
// Browsers cannot set a header, so a key may also come as the first request.
if (process.env.VECTORDOC_KEY !== undefined) {
  await call("auth", { key: process.env.VECTORDOC_KEY });
}
await call("db.create", { db: "fruit", schema: SCHEMA });
const { indexed } = await call("doc.index", { db: "fruit", docs: DOCUMENTS });
console.log(`indexed ${indexed} documents`);

const filter = { price: { $lt: 100 } };
const { hits } = await call("search", { db: "fruit", vector: [1, 0, 0], limit: 2, filter });
for (const { score, doc } of hits) {
  console.log(score.toFixed(3), doc.title);
}

await call("doc.patch", { db: "fruit", id: "pear", set: { price: 150 } });
console.log("cheap now:", (await call("doc.count", { db: "fruit", filter })).count);
try {
  await call("search", { db: "fruit", vector: [1, 0] });
} catch (error) {
  console.log(`${error.data.code}: ${error.message}`);
}
await call("db.drop", { db: "fruit" });
socket.close();
