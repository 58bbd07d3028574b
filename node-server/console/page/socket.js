// JSON-RPC over a WebSocket: to learn what a key is good for, and to follow changes.

import { Problem } from "./api.js";
import { parse, write } from "./json.js";

/**
 * A connection that said hello. It ends with `signal`.
 *
 * @typedef {object} Socket
 * @property {Hello} hello
 * @property {(method: string, params: unknown) => Promise<any>} ask
 * @property {Promise<void>} closed
 * @property {() => void} close
 */

/**
 * @typedef {object} Deferred
 * @property {Promise<any>} promise
 * @property {(value: any) => void} resolve
 * @property {(error: unknown) => void} reject
 */

/**
 * @typedef {object} Hello
 * @property {string} version
 */

/**
 * Connects, and authenticates with `key` if there is one.
 *
 * @param {string | null} key
 * @param {(method: string, params: any) => void} [hear] Takes notifications.
 * @returns {Promise<Socket & { role: import("./session.js").Role }>}
 */
export async function connect(key, hear = () => {}) {
  const socket = await open(hear);
  if (key === null) {
    return { ...socket, role: "admin" };
  }
  try {
    const { role } = await socket.ask("auth", { key });
    return { ...socket, role };
  } catch (error) {
    socket.close();
    throw error;
  }
}

/**
 * @param {(method: string, params: any) => void} hear
 * @returns {Promise<Socket>}
 */
function open(hear) {
  const url = new URL("/v1/ws", location.href);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(url, ["vectordoc.v1.json"]);
  /** @type {Map<number, Deferred>} */
  const asked = new Map();
  let lastId = 0;
  const ended = deferred();
  const close = () => socket.close();

  /** @param {string} method @param {unknown} params */
  const ask = (method, params) => {
    const answer = deferred();
    lastId += 1;
    asked.set(lastId, answer);
    socket.send(write({ jsonrpc: "2.0", id: lastId, method, params }));
    return answer.promise;
  };

  return new Promise((resolve, reject) => {
    socket.onmessage = ({ data }) => {
      const message = parse(data);
      if (message.method === "hello") {
        resolve({ hello: message.params, ask, closed: ended.promise, close });
      } else if (message.method) {
        hear(message.method, message.params);
      } else {
        settle(asked, message);
      }
    };
    socket.onclose = () => {
      const lost = new Problem("unreachable", "The connection to the server is lost.");
      reject(lost);
      asked.forEach((answer) => answer.reject(lost));
      ended.resolve(undefined);
    };
  });
}

/**
 * @param {Map<number, Deferred>} asked
 * @param {any} message
 */
function settle(asked, message) {
  const answer = asked.get(message.id);
  asked.delete(message.id);
  if (message.error) {
    answer?.reject(new Problem(message.error.data?.code ?? "invalid", message.error.message));
  } else {
    answer?.resolve(message.result);
  }
}

/** `Promise.withResolvers`, which browsers of 2023 lack. */
function deferred() {
  /** @type {any} */
  const made = {};
  made.promise = new Promise((resolve, reject) => Object.assign(made, { resolve, reject }));
  return /** @type {Deferred} */ (made);
}
