// Keeps the field page and its scripts at hand without a connection. Data never comes from this cache.

/// <reference lib="webworker" />
const worker = self as unknown as ServiceWorkerGlobalScope;
const NAME = "clearway-field-1";
const PAGES = ["/field", "/static/house.css", "/static/console.css", "/static/dist/field.js"];

worker.addEventListener("install", (event) => {
  event.waitUntil(
    caches.open(NAME).then((cache) => Promise.allSettled(PAGES.map((page) => cache.add(page)))).then(() =>
      worker.skipWaiting()
    ),
  );
});

worker.addEventListener("activate", (event) => {
  const old = caches.keys().then((names) =>
    Promise.all(names.filter((n) => n !== NAME).map((n) => caches.delete(n)))
  );
  event.waitUntil(old.then(() => worker.clients.claim()));
});

worker.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (
    event.request.method !== "GET" || url.origin !== worker.location.origin || !PAGES.includes(url.pathname)
  ) return;
  event.respondWith(
    fetch(event.request).then((answer) => {
      if (answer.ok && !answer.redirected) {
        const copy = answer.clone();
        void caches.open(NAME).then((cache) => cache.put(url.pathname, copy));
      }
      return answer;
    }).catch(async () => (await caches.match(url.pathname)) ?? Response.error()),
  );
});
