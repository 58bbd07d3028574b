// Serves the built page as a static host would, with the header that one should send.

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { fileURLToPath } from "node:url";
import { POLICY } from "../policy.js";

const TYPES = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".json": "application/json",
  ".mjs": "text/javascript",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
};
/** The built page. */
export const PAGE = fileURLToPath(new URL("../dist", import.meta.url));

/**
 * Serves the page below `/vectordoc/`, as it must work wherever it is put, and folders beside it
 * (`{ "wordnet50k": "folder" }`); says where, and how to stop. Style sheets come `styleDelay`
 * milliseconds late.
 */
export async function serve(beside = {}, { styleDelay = 0 } = {}) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const path = decodeURIComponent(pathname).replace(/^\/vectordoc\//, "");
    const [name] = path.split("/");
    const isBeside = Object.hasOwn(beside, name) && !path.includes("..");
    const file = isBeside ? join(beside[name], path.slice(name.length)) : join(PAGE, path || "index.html");
    setTimeout(
      () => send(file, response).catch((error) => response.destroy(error)),
      extname(file) === ".css" ? styleDelay : 0,
    );
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  // By name: only there and over TLS is a context secure everywhere.
  const url = `http://localhost:${server.address().port}/vectordoc/`;
  const stop = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url, stop };
}

async function send(file, response) {
  const found = await stat(file).catch(() => undefined);
  if (!found?.isFile()) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, {
    "content-type": TYPES[extname(file)] ?? "application/octet-stream",
    "content-length": found.size,
    "content-security-policy": `${POLICY}; frame-ancestors 'none'`,
    "cache-control": file.includes("/assets/") ? "max-age=31536000, immutable" : "no-cache",
  });
  await pipeline(createReadStream(file), response);
}
