/** Kept files in the browser's Cache API, which pages served over https (or from this machine) have. */
import type { FileStore } from './store.ts';

/** `caches.delete(CACHE_NAME)` forgets them all. */
export const CACHE_NAME = 'harmaug-guard';

/** `null` where the browser has none for this page. */
export async function openStore(): Promise<FileStore | null> {
  const cache = 'caches' in globalThis ? await caches.open(CACHE_NAME).catch(() => null) : null;
  if (cache === null) return null;
  return {
    async find(url) {
      const response = await cache.match(url);
      if (!response) return null;
      const { headers } = response;
      return {
        stamps: {
          etag: headers.get('etag'),
          lastModified: headers.get('last-modified'),
          length: headers.get('x-length'),
        },
        read: response.status === 404 ? null : async () => new Uint8Array(await response.arrayBuffer()),
      };
    },
    async keep(url, bytes, { etag, lastModified, length }) {
      const headers = new Headers();
      if (etag !== null) headers.set('etag', etag);
      if (lastModified !== null) headers.set('last-modified', lastModified);
      if (length !== null) headers.set('x-length', length); // as it was sent, which may be compressed
      await cache.put(url, new Response(bytes as BodyInit | null, { status: bytes === null ? 404 : 200, headers }));
    },
    async drop(prefix) {
      const urls = (await cache.keys()).map(({ url }) => url).filter((url) => url.startsWith(prefix));
      await Promise.all(urls.map((url) => cache.delete(url)));
    },
  };
}
