import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { defineConfig } from "vite";
import { POLICY } from "./policy.js";

const contentSecurityPolicy = {
  name: "content-security-policy",
  apply: "build",
  transformIndexHtml: () => [
    {
      tag: "meta",
      attrs: { "http-equiv": "Content-Security-Policy", content: POLICY },
      injectTo: "head-prepend",
    },
  ],
};

/** Files that only some visitors need: they are kept once they were fetched. */
const IS_LARGE = (name) => /ort-wasm|embedder|data-(documents|vectors)|\.map$/.test(name);

/** Writes the service worker with the names of all that was built. */
const offline = {
  name: "offline",
  apply: "build",
  enforce: "post",
  generateBundle(_, bundle) {
    const names = Object.keys(bundle).filter((name) => !IS_LARGE(name) && name !== "index.html");
    const files = ["./", "./icon.svg", "./page.webmanifest", ...names.map((name) => `./${name}`)];
    const page = bundle["index.html"];
    const content = [...names.sort(), String(page?.source ?? "")].join("\n");
    const version = createHash("sha256").update(content).digest("hex").slice(0, 12);
    const source = readFileSync(new URL("offline.js", import.meta.url), "utf8")
      .replace("__VERSION__", version)
      .replace("__FILES__", JSON.stringify(files));
    this.emitFile({ type: "asset", fileName: "offline.js", source });
  },
};

export default defineConfig({
  // Paths relative to the page, so that it works wherever it is put.
  base: "./",
  plugins: [contentSecurityPolicy, offline],
  resolve: {
    // The model runs on the processor: half of what the runtime with WebGPU weighs.
    alias: [{ find: /^onnxruntime-web\/webgpu$/, replacement: "onnxruntime-web/wasm" }],
  },
  worker: { format: "es" },
  build: {
    target: "es2022",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1_000,
    rolldownOptions: {
      output: {
        assetFileNames: ({ originalFileNames: [name = ""] }) =>
          name.includes("web-demo/data/") || name.startsWith("data/")
            ? "assets/data-[name]-[hash][extname]"
            : "assets/[name]-[hash][extname]",
      },
    },
  },
  // The sample and the package are outside this folder.
  server: { fs: { allow: [".."] } },
});
