/** Where the model is: its hub, and the places that this sends the browser on to. */
const HUB = "https://huggingface.co https://*.huggingface.co https://*.hf.co";

/**
 * What the built page may do. It may connect to any WebSocket, as the visitor names servers. Static
 * hosts should send it as a header too, with `frame-ancestors 'none'`, which a page cannot say itself.
 */
export const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "worker-src 'self'",
  "style-src 'self'",
  `connect-src 'self' ws: wss: ${HUB}`,
  "img-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
].join("; ");
