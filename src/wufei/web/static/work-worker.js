// The worker's page without a network. SCOPE, VERSION and ASSETS are written above this by the server.

const KEPT = `work-${VERSION}`;
const PAGES = "work-pages";
const PATIENCE_MS = 3000; // a bad connection is no better than none
const LONGEST_MS = 7 * 24 * 60 * 60 * 1000; // streams, stores and scales change; who was away longer asks anew

async function keepAssets() {
  const cache = await caches.open(KEPT);
  await cache.addAll(ASSETS);
  await self.skipWaiting();
}

async function takeOver() {
  const outdated = (await caches.keys()).filter((name) => name.startsWith("work-") && name !== KEPT && name !== PAGES);
  await Promise.all(outdated.map((name) => caches.delete(name)));
  await self.clients.claim();
}

self.addEventListener("install", (event) => event.waitUntil(keepAssets()));
self.addEventListener("activate", (event) => event.waitUntil(takeOver()));

async function keptPage() {
  const page = await (await caches.open(PAGES)).match(SCOPE, { ignoreVary: true });
  return page && Date.now() - Date.parse(page.headers.get("date")) <= LONGEST_MS ? page : null;
}

async function freshPage(request) {
  const answer = await fetch(request);
  // Who is signed out is sent to sign in, and the kept page stays as it was.
  if (answer.ok && !answer.redirected) await (await caches.open(PAGES)).put(SCOPE, answer.clone());
  return answer;
}

const NOTHING = `<!doctype html><html lang="zh-Hans"><meta charset="utf-8"><title>没有网络</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><h1>没有网络</h1>
<p>本机没有存下这个页面（或已超过 7 天）。请在有网络时打开一次“现场作业”。</p><p><a href="${SCOPE}">重试</a></p></html>`;

async function answerPage(request) {
  const kept = await keptPage();
  const fresh = freshPage(request);
  if (!kept) {
    return fresh.catch(() => new Response(NOTHING, { status: 503, headers: { "Content-Type": "text/html; charset=utf-8" } }));
  }
  const patience = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, kept));
  return Promise.race([fresh.catch(() => kept), patience]);
}

async function answerAsset(request) {
  const kept = await (await caches.open(KEPT)).match(request, { ignoreSearch: true, ignoreVary: true });
  return kept ?? fetch(request);
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (request.mode === "navigate" && url.pathname === SCOPE) event.respondWith(answerPage(request));
  else if (ASSETS.includes(url.pathname)) event.respondWith(answerAsset(request));
});
