import type { Client } from "./client.js";

/**
 * Lets a client rest while its page does: in the back/forward cache, or frozen. A page that rests
 * must hold no lock and no database, or others would wait for it, and browsers do not cache it. Its
 * candidate is ended at once, since nothing runs in a page at rest; whatever is not answered is
 * asked again when the page comes back.
 */
export function liveWithPage(client: Client): Client {
  const gone = new AbortController();
  const listen = (target: EventTarget, event: string, call: (event: Event) => void) =>
    target.addEventListener(event, call, { signal: gone.signal });
  const isCached = (event: Event) => (event as PageTransitionEvent).persisted;
  listen(window, "pagehide", (event) => isCached(event) && client.rest());
  listen(window, "pageshow", (event) => isCached(event) && client.resume());
  listen(document, "freeze", () => client.rest());
  listen(document, "resume", () => client.resume());
  client.onClose = () => gone.abort();
  return client;
}
