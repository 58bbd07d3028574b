// The service worker: keeps the page of one version, so that it opens without a network. The build
// puts the version and the files in. What is large comes in when it is first used, and stays.

const VERSION = "__VERSION__";
const FILES = __FILES__;
const CACHE = `vectordoc-demo ${VERSION}`;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)));
  self.skipWaiting();
});

self.addEventListener("activate", (event) => {
  const isOld = (name) => name.startsWith("vectordoc-demo ") && name !== CACHE;
  const forget = async () => {
    const names = await caches.keys();
    await Promise.all(names.filter(isOld).map((name) => caches.delete(name)));
    await self.clients.claim();
  };
  event.waitUntil(forget());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const isOurs = new URL(request.url).origin === self.location.origin;
  if (request.method !== "GET" || !isOurs) return;
  event.respondWith(request.mode === "navigate" ? page(request) : file(request));
});

/** The page from the network, so that a new version is seen; the kept one where there is none. */
async function page(request) {
  try {
    const response = await fetch(request);
    if (response.ok) return response;
  } catch {
    // There is no network.
  }
  return (await caches.match("./", { cacheName: CACHE })) ?? Response.error();
}

/** Files have the hash of their content in their names, so that one that is kept is right. */
async function file(request) {
  const kept = await caches.match(request, { cacheName: CACHE, ignoreSearch: false });
  if (kept) return kept;
  const response = await fetch(request);
  if (response.ok && request.url.includes("/assets/")) {
    const cache = await caches.open(CACHE);
    await cache.put(request, response.clone());
  }
  return response;
}
