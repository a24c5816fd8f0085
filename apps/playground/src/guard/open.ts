/** A guard in a worker that may do no more than the page: it connects where the page may, and nowhere else. */
import type { Dtype, LoadProgress } from '@harmaug/guard';
import { Guard, type GuardFiles, type WebDevice } from '@harmaug/guard/web';

export interface OpenOptions {
  readonly from: string | GuardFiles;
  readonly device: WebDevice;
  /** Default: the guard's choice for the device. */
  readonly dtype?: Dtype;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: LoadProgress) => void;
}

export function openGuard({ from, ...options }: OpenOptions): Promise<Guard> {
  return Guard.load(from, { ...options, worker: openWorker, wasmPaths: './ort/' });
}

/** A worker made of a blob takes over the page's content security policy; one from an address would have its own. */
function openWorker(): Worker {
  const script = new URL('worker.web.js', document.baseURI).href;
  const url = URL.createObjectURL(new Blob([`import ${JSON.stringify(script)};`], { type: 'text/javascript' }));
  return new Worker(url, { type: 'module', name: 'harmaug-guard' });
}

interface Gpu {
  requestAdapter(): Promise<unknown>;
}

/** Why the guard cannot run on WebGPU here; `null` where it can. */
export async function gpuProblem(): Promise<string | null> {
  const { gpu } = navigator as { gpu?: Gpu };
  if (!gpu) return 'This browser has no WebGPU here.';
  const adapter = await gpu.requestAdapter().catch(() => null);
  return adapter === null ? 'This machine offers the browser no WebGPU adapter.' : null;
}

/** Threads that WebAssembly gets: as many as the guard's default, where the page may share memory. */
export function threadCount(): number {
  return crossOriginIsolated ? Math.min(4, Math.ceil(navigator.hardwareConcurrency / 2)) : 1;
}
