/**
 * Keeps the page itself for when there is no line: index.html, and each file that was loaded once. Questions to the API are
 * none of its business: they fail, and the screens say so.
 */
export type {}; // a module, so that its names are its own

interface Fetched extends Event {
  request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface Lasting extends Event {
  waitUntil(work: Promise<unknown>): void;
}

/** Another build has another one, which takes the place of this when no tab shows the old page any more. */
const KEPT = '__BUILD__';
const PAGE = '/index.html';
const ROUTES: readonly string[] = JSON.parse('__ROUTES__');
const PATIENCE = 4000;

self.addEventListener('install', (event) => {
  (event as Lasting).waitUntil(keep([PAGE]));
});

self.addEventListener('activate', (event) => {
  (event as Lasting).waitUntil(forget());
});

/** The page tells what it had loaded before this stood between it and the server. */
self.addEventListener('message', (event) => {
  const { data } = event as MessageEvent<{ keep?: string[] }>;
  if (Array.isArray(data?.keep)) void keep(data.keep.filter((address) => isFile(new URL(address))));
});

self.addEventListener('fetch', (event) => {
  const { request } = event as Fetched;
  const address = new URL(request.url);
  if (request.method !== 'GET' || address.origin !== self.location.origin) return;
  if (request.mode === 'navigate' && ROUTES.includes(address.pathname))
    (event as Fetched).respondWith(page(request));
  else if (isFile(address)) (event as Fetched).respondWith(file(request));
});

const isFile = ({ pathname }: URL): boolean =>
  pathname.startsWith('/assets/') || pathname === '/icon.svg' || pathname === '/scheme.js';

/** The newest page where there is a line, else the one that was kept. */
async function page(request: Request): Promise<Response> {
  try {
    const fresh = await fetch(request, { signal: AbortSignal.timeout(PATIENCE) });
    if (fresh.ok) {
      await (await caches.open(KEPT)).put(PAGE, fresh.clone());
      return fresh;
    }
    return (await caches.match(PAGE)) ?? fresh;
  } catch (error) {
    const kept = await caches.match(PAGE);
    if (kept) return kept;
    throw error;
  }
}

/** Names of files are made from their content, so a kept one is never stale. */
async function file(request: Request): Promise<Response> {
  const kept = await caches.match(request);
  if (kept) return kept;
  const fresh = await fetch(request);
  if (fresh.ok) await (await caches.open(KEPT)).put(request, fresh.clone());
  return fresh;
}

async function keep(addresses: readonly string[]): Promise<void> {
  const cache = await caches.open(KEPT);
  for (const address of addresses) {
    if (await cache.match(address)) continue;
    const fresh = await fetch(address === PAGE ? '/' : address);
    if (fresh.ok) await cache.put(address, fresh);
  }
}

async function forget(): Promise<void> {
  for (const name of await caches.keys()) if (name !== KEPT) await caches.delete(name);
}
