// Keeps the field page and its scripts at hand without a connection. Data never comes from this cache.

/// <reference lib="webworker" />
const worker = self as unknown as ServiceWorkerGlobalScope;
const NAME = "clearway-field-3";
const PAGE = "/field";
const PARTS = [
  "/static/house.css",
  "/static/console.css",
  "/static/dist/field.js",
  "/static/dist/maplibre-gl.css",
  "/static/dist/uPlot.min.css",
  "/static/icon.svg",
  "/static/icon-192.png",
  "/field/manifest.json",
];
const KNOWN = [PAGE, ...PARTS];
/** A line that is there but carries nothing must not keep a crew waiting in the cold. */
const PATIENCE_MS = 4_000;

/** Keep a good answer; a page that sends elsewhere (to sign in) is none. */
async function keep(path: string, answer: Response): Promise<void> {
  if (!answer.ok || answer.redirected) return;
  await (await caches.open(NAME)).put(path, answer);
}

worker.addEventListener("install", (event) => {
  const all = KNOWN.map(async (path) => keep(path, await fetch(path, { credentials: "same-origin" })));
  event.waitUntil(Promise.allSettled(all).then(() => worker.skipWaiting()));
});

worker.addEventListener("activate", (event) => {
  const old = caches.keys().then((names) =>
    Promise.all(names.filter((n) => n !== NAME).map((n) => caches.delete(n)))
  );
  event.waitUntil(old.then(() => worker.clients.claim()));
});

worker.addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (event.request.method !== "GET" || origin !== worker.location.origin || !KNOWN.includes(pathname)) {
    return;
  }
  event.respondWith((async () => {
    const fresh = fetch(event.request).then(async (answer) => {
      await keep(pathname, answer.clone());
      return answer;
    });
    event.waitUntil(fresh.catch(() => undefined));
    const late = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), PATIENCE_MS));
    try {
      const first = await Promise.race([fresh, late]);
      return first ?? (await caches.match(pathname)) ?? await fresh;
    } catch {
      return (await caches.match(pathname)) ?? Response.error();
    }
  })());
});
