/**
 * Keeps page and runtime for use without a network. The network comes first, so that a page is never older than its site;
 * the runtime's large files belong to one build and are fetched once. A guard's files are the guard's own to keep.
 */

/** Put in by the build. */
declare const VERSION: string;
declare const SHELL: readonly string[];

/** What a service worker's scope has of its own. */
interface Scope {
  readonly registration: { readonly scope: string };
  readonly clients: { claim(): Promise<void> };
  skipWaiting(): Promise<void>;
  addEventListener(type: 'install' | 'activate', listen: (event: LifeEvent) => void): void;
  addEventListener(type: 'fetch', listen: (event: FetchEvent) => void): void;
}

interface LifeEvent {
  waitUntil(done: Promise<unknown>): void;
}

interface FetchEvent extends LifeEvent {
  readonly request: Request;
  respondWith(response: Promise<Response>): void;
}

const scope = globalThis as unknown as Scope;
const base = new URL(scope.registration.scope);
const PREFIX = `harmaug-playground ${base.pathname} `;
const NAME = PREFIX + VERSION;

scope.addEventListener('install', (event) => {
  const keep = async (): Promise<void> => {
    const cache = await caches.open(NAME);
    await cache.addAll(SHELL.map((file) => new Request(new URL(file, base), { cache: 'no-cache' })));
    await scope.skipWaiting();
  };
  event.waitUntil(keep());
});

scope.addEventListener('activate', (event) => {
  const replace = async (): Promise<void> => {
    const old = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== NAME);
    await Promise.all(old.map((name) => caches.delete(name)));
    await scope.clients.claim();
  };
  event.waitUntil(replace());
});

scope.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  const isOurs = url.origin === base.origin && url.pathname.startsWith(base.pathname);
  const file = url.pathname.slice(base.pathname.length) || 'index.html';
  if (request.method !== 'GET' || !isOurs || file.startsWith('guard/')) return;
  const key = new URL(file, base).href; // without ?guard=…
  event.respondWith(file.startsWith('ort/') ? keptFirst(request, key) : networkFirst(request, key));
});

async function keptFirst(request: Request, key: string): Promise<Response> {
  const cache = await caches.open(NAME);
  return (await cache.match(key)) ?? fetchAndKeep(request, key, cache);
}

async function networkFirst(request: Request, key: string): Promise<Response> {
  const cache = await caches.open(NAME);
  try {
    return await fetchAndKeep(request, key, cache);
  } catch (error) {
    const kept = await cache.match(key);
    if (kept) return kept;
    throw error;
  }
}

async function fetchAndKeep(request: Request, key: string, cache: Cache): Promise<Response> {
  const response = await fetch(request);
  if (response.ok && !response.redirected) {
    await cache.put(key, response.clone()).catch(() => undefined); // where the disk is full the page still works
  }
  return response;
}
