// Serves folders to browsers, with the strictest policy that lets the engine run.

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { extname, join } from "node:path";
import { pipeline } from "node:stream/promises";

const POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'";
const TYPES = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".wasm": "application/wasm",
};

/**
 * Serves folders and files, each by the path it is to be found at (`{ "/": "dist" }`, the more exact
 * path first); says where, and how to stop.
 */
export async function serve(places) {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, "http://localhost");
    const [path, place] = Object.entries(places).find(([path]) => pathname.startsWith(path));
    const file = pathname === "/" ? "index.html" : pathname.slice(path.length);
    send(join(place, file), response).catch((error) => response.destroy(error));
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  // By name: only there and over TLS is a context secure everywhere.
  const url = `http://localhost:${server.address().port}/`;
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { url, close };
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
    "content-security-policy": POLICY,
    "cache-control": "no-store",
  });
  await pipeline(createReadStream(file), response);
}
