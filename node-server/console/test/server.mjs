// A server of its own for a test: the binary on a free port, with a data directory that goes with it.

import { execFileSync, spawn } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const BINARY = process.env.VECTORDOC ?? new URL("../../../target/debug/vectordoc", import.meta.url).pathname;
/** No variable of whoever runs the tests is a setting here. */
const ENV = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("VECTORDOC")));

/**
 * Starts a server with these keys, given as roles by name; over TLS, if that is wanted. `prepare` is
 * called with its data directory before.
 */
export async function startServer({ roles = {}, tls = false, prepare } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "vectordoc-console-"));
  const data = join(folder, "data");
  await mkdir(data);
  await prepare?.(data);
  const flags = tls ? certificate(folder) : [];
  const keys = {};
  for (const [name, role] of Object.entries(roles)) {
    const arguments_ = ["key", "create", "--role", role, "--data", data, "--json"];
    keys[name] = JSON.parse(execFileSync(BINARY, arguments_, { env: ENV, encoding: "utf8" })).key;
  }
  const child = spawn(BINARY, ["serve", "--data", data, "--listen", "127.0.0.1:0", ...flags], {
    env: ENV,
    stdio: ["ignore", "pipe", prepare ? "ignore" : "inherit"],
  });
  const url = await consoleUrl(child);
  const ended = new Promise((resolve) => child.once("exit", resolve));
  return {
    url,
    keys,
    stop: async () => {
      child.kill();
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
    revoke: async (name) => {
      const [, id] = keys[name].split("_");
      execFileSync(BINARY, ["key", "revoke", id, "--data", data], { env: ENV, stdio: "ignore" });
    },
    call: (verb, path, body, key = keys.admin) => call(url, verb, path, body, key),
  };
}

/** Makes a certificate that nobody knows, and the flags that have a server show it. */
function certificate(folder) {
  const [chain, key] = ["chain.pem", "key.pem"].map((name) => join(folder, name));
  const subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const files = ["-out", chain, "-keyout", key];
  execFileSync("openssl", ["req", "-x509", ...curve, ...subject, ...files], { stdio: "pipe" });
  return ["--tls-cert", chain, "--tls-key", key];
}

/** The address of the console, which the server says once it listens. */
async function consoleUrl(child) {
  for await (const line of createInterface(child.stdout)) {
    const url = /console: (\S+)/.exec(line)?.[1];
    if (url) {
      return url;
    }
  }
  throw new Error("the server ended before it said where the console is");
}

async function call(url, verb, path, body, key) {
  const headers = { "content-type": "application/json", ...(key && { authorization: `Bearer ${key}` }) };
  const response = await fetch(new URL(path, url), { method: verb, headers, body: JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok) {
    throw new Error(text);
  }
  return JSON.parse(text);
}

export const SCHEMA = {
  id: "string",
  embedding: { vector: 3, metric: "cosine" },
  title: { type: "string", text: true },
  tags: { type: "string[]", filter: true },
  price: { type: "number", filter: true },
  note: "string?",
};

/** The product of this number: they point into all directions of a plane, and cost their number. */
export function product(number) {
  const turned = (number / 100) * Math.PI;
  return {
    id: `p${number}`,
    embedding: [Math.cos(turned), Math.sin(turned), 0],
    title: `${number % 2 ? "Odd" : "Even"} lamp of ${number} watts`,
    tags: number % 2 ? ["odd"] : ["even", "new"],
    price: number,
  };
}

/** Creates `db` with so many products. */
export async function fillServer(server, { db = "products", documents = 60 } = {}) {
  await server.call("PUT", `/v1/dbs/${db}`, { schema: SCHEMA });
  const docs = Array.from({ length: documents }, (_, number) => product(number));
  if (documents > 0) {
    await server.call("POST", `/v1/dbs/${db}/docs`, { docs });
  }
}
