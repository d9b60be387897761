// The check on site without a network. VERSION, SCOPE and ASSETS are written above this by the server.

const KEPT = `site-check-${VERSION}`;
const PAGES = "site-check-pages";
const PATIENCE_MS = 4000; // a bad connection is no better than none
const LONGEST_MS = 7 * 24 * 60 * 60 * 1000; // a page of somebody's case doesn't stay on a phone for ever

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(KEPT)
      .then((cache) => cache.addAll(ASSETS))
      .then(() => self.skipWaiting()),
  );
});

async function takeOver() {
  for (const name of await caches.keys()) {
    if (name.startsWith("site-check-") && name !== KEPT && name !== PAGES) await caches.delete(name);
  }
  await self.clients.claim();
}
self.addEventListener("activate", (event) => event.waitUntil(takeOver()));

async function keptPage(request) {
  const cache = await caches.open(PAGES);
  const page = await cache.match(request, { ignoreSearch: true, ignoreVary: true });
  if (!page) return null;
  if (Date.now() - Date.parse(page.headers.get("date")) <= LONGEST_MS) return page;
  await cache.delete(request, { ignoreSearch: true, ignoreVary: true });
  return null;
}

const NOTHING = `<!doctype html><html lang="zh-Hans"><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1"><title>没有网络</title>
<h1>没有网络</h1><p>这个页面没有存在本机（或已超过 7 天）。请在有网络时先打开“现场核查”，页面会自动存到本机。</p>
<p><a href="${SCOPE}">现场核查</a></p></html>`;

async function answerPage(request) {
  const kept = await keptPage(request);
  const asked = fetch(request).then(async (answer) => {
    if (answer.ok && !answer.redirected) await (await caches.open(PAGES)).put(request, answer.clone());
    return answer;
  });
  asked.catch(() => {}); // who waits for it hears of it below
  const late = new Promise((resolve) => kept && setTimeout(resolve, PATIENCE_MS, kept));
  try {
    return await Promise.race([asked, late]);
  } catch {
    const headers = { "Content-Type": "text/html; charset=utf-8" };
    return kept ?? new Response(NOTHING, { status: 503, headers });
  }
}

async function answerAsset(request) {
  const kept = await (await caches.open(KEPT)).match(request, { ignoreSearch: true, ignoreVary: true });
  return kept ?? fetch(request);
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate" && url.pathname.startsWith(SCOPE)) event.respondWith(answerPage(request));
  else if (ASSETS.includes(url.pathname)) event.respondWith(answerAsset(request));
});
