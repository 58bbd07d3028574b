import { defineConfig } from "vite";

/** What the built page may do; the development server needs inline styles and more. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
].join("; ");

const contentSecurityPolicy = {
  name: "content-security-policy",
  apply: "build",
  transformIndexHtml: () => [
    { tag: "meta", attrs: { "http-equiv": "Content-Security-Policy", content: POLICY } },
  ],
};

export default defineConfig({
  // Paths relative to the page, so that it works wherever it is put.
  base: "./",
  plugins: [contentSecurityPolicy],
  build: { target: "es2022", modulePreload: { polyfill: false } },
  // The sample and the package are outside this folder.
  server: { fs: { allow: [".."] } },
});
