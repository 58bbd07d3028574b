// Requests to the server, by the API that every client has.

import { parse, write } from "./json.js";
import * as session from "./session.js";

/** An error that the server explained (RFC 9457), or that it could not be asked. */
export class Problem extends Error {
  /**
   * @param {string} code The kind of error, as the API names them.
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.name = "Problem";
    this.code = code;
  }
}

/**
 * The answer to a request.
 *
 * @param {string} verb
 * @param {string} path
 * @param {unknown} [body]
 * @param {AbortSignal} [signal]
 * @returns {Promise<any>}
 */
export async function call(verb, path, body, signal) {
  return parse(await ask(verb, path, body, signal));
}

/**
 * @param {string} db
 * @param {string} [rest]
 */
export function at(db, rest = "") {
  return `/v1/dbs/${encodeURIComponent(db)}${rest}`;
}

/** @param {AbortSignal} [signal] */
export function metrics(signal) {
  return ask("GET", "/metrics", undefined, signal);
}

/**
 * @param {string} verb
 * @param {string} path
 * @param {unknown} body
 * @param {AbortSignal} [signal]
 * @returns {Promise<string>}
 */
async function ask(verb, path, body, signal) {
  /** @type {Record<string, string>} */
  const headers = {};
  const key = session.currentKey();
  if (key !== null) {
    headers.authorization = `Bearer ${key}`;
  }
  if (body !== undefined) {
    headers["content-type"] = "application/json";
  }
  const response = await send(path, {
    method: verb,
    headers,
    ...(body === undefined ? {} : { body: write(body) }),
    ...(signal ? { signal } : {}),
    cache: "no-store",
    credentials: "omit",
    redirect: "error",
  });
  const text = await response.text();
  if (response.ok) {
    return text;
  }
  const problem = problemOf(response.status, text);
  if (response.status === 401 && key === session.currentKey()) {
    session.refused(problem.message);
  }
  throw problem;
}

/**
 * @param {string} path
 * @param {RequestInit} init
 */
async function send(path, init) {
  try {
    return await fetch(path, init);
  } catch (error) {
    if (init.signal?.aborted) {
      throw error;
    }
    throw new Problem("unreachable", "The server does not answer. Is it running?");
  }
}

/**
 * @param {number} status
 * @param {string} text
 */
function problemOf(status, text) {
  try {
    const { code, detail } = JSON.parse(text);
    return new Problem(String(code), String(detail));
  } catch {
    return new Problem(`http ${status}`, text.slice(0, 500) || `The server answered ${status}.`);
  }
}
