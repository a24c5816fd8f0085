/** The page without a network: a service worker keeps page and runtime, the guard keeps its own files. */

const MOST_WAIT_MS = 3000;

/** @returns whether what the page fetches from now on is kept */
export async function keepPage(): Promise<boolean> {
  const { serviceWorker } = navigator as { serviceWorker?: ServiceWorkerContainer };
  if (!serviceWorker) return false; // a page over http from another machine
  try {
    await serviceWorker.register('sw.js');
    if (serviceWorker.controller) return true;
    return await new Promise<boolean>((resolve) => {
      serviceWorker.addEventListener('controllerchange', () => resolve(true), { once: true });
      setTimeout(() => resolve(serviceWorker.controller !== null), MOST_WAIT_MS);
    });
  } catch {
    return false; // private windows, browsers told to keep nothing
  }
}
