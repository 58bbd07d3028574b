// Workers as they are deployed: bundled by wrangler, run by the runtime of Cloudflare.

import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { Miniflare } from "miniflare";
import { run, tool } from "./project.mjs";

const TYPES = { ".js": "ESModule", ".wasm": "CompiledWasm" };

/** Bundles the project in a folder by its `wrangler.toml`; says what is uploaded. */
export async function bundle(path) {
  const quiet = { WRANGLER_SEND_METRICS: "false", CI: "1" };
  await run(path, tool("wrangler"), ["deploy", "--dry-run", "--outdir=out"], quiet);
  const files = readdirSync(join(path, "out")).filter((file) => /\.(js|wasm)$/.test(file));
  // The program first, then what it imports.
  return files
    .sort((file) => (file.endsWith(".js") ? -1 : 1))
    .map((file) => ({
      type: TYPES[file.slice(file.lastIndexOf("."))],
      path: file,
      contents: readFileSync(join(path, "out", file)),
    }));
}

/** Starts a bundle whose Durable Object `className` keeps its storage in the folder. */
export async function start(path, modules, binding, className) {
  return new Miniflare({
    modules,
    compatibilityDate: "2026-04-01",
    durableObjects: { [binding]: { className, useSQLite: true } },
    durableObjectsPersist: join(path, "storage"),
  });
}
