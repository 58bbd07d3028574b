/** Keeps the page for when there is no network; where that is not possible, the page works with one. */
export async function keepForOffline(): Promise<void> {
  if (!import.meta.env.PROD || !("serviceWorker" in navigator)) return;
  await navigator.serviceWorker.register("./offline.js").catch(() => undefined);
}
