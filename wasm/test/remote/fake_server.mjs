// A server that says what a test tells it to, whether that makes sense or not.

import { once } from "node:events";
import { WebSocketServer } from "ws";

export const HELLO = {
  jsonrpc: "2.0",
  method: "hello",
  params: { limits: { message_bytes_max: 1024, in_flight_max: 4 } },
};

/** What `db.get` answers about a database of texts. */
export const DESCRIPTION = { schema: { id: "string", title: "string?" }, unindexed: 0 };

/**
 * Listens at a port of its own. `answer` gets each request and its connection, which has `say` and
 * `socket`, and how many connections there were before.
 */
export async function startFake(test, answer, { hello = HELLO, protocol } = {}) {
  const handleProtocols = (offered) => protocol ?? [...offered][0];
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols });
  await once(server, "listening");
  let connections = 0;
  server.on("connection", (socket) => {
    const number = connections++;
    const connection = { socket, number, say: (said) => socket.send(textOf(said)) };
    socket.on("message", (data) => answer(JSON.parse(data.toString()), connection));
    if (hello !== undefined) {
      connection.say(hello);
    }
  });
  test.after(() => {
    server.clients.forEach((socket) => socket.terminate());
    server.close();
  });
  return { url: `ws://127.0.0.1:${server.address().port}`, connections: () => connections };
}

/** The answer to a request. */
export function result(id, result) {
  return { jsonrpc: "2.0", id, result };
}

/** The answer that a request was refused. */
export function refusal(id, code, number = -32000) {
  return { jsonrpc: "2.0", id, error: { code: number, message: `it is ${code}`, data: { code } } };
}

function textOf(said) {
  return typeof said === "string" || said instanceof Uint8Array ? said : JSON.stringify(said);
}
