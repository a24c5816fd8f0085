/** How a command fetches from the hub: the environment says where, Ctrl-C stops it, progress goes to stderr. */
import type { HubOptions, HubProgress } from '@harmaug/models/node';
import type { CommandIo } from './command.node.ts';
import { timeLeft } from './reporter.ts';

export function hubOptions({ env, signal, say, progress }: CommandIo): HubOptions {
  return { env, signal, onNotice: say, onProgress: showProgress(progress) };
}

/** "model.safetensors: 120 of 1,400 MB, about 3 min left"; the speed is that since the first bytes that were new. */
export function showProgress(
  progress: (line: string) => void,
  now: () => number = () => performance.now(),
): (at: HubProgress) => void {
  let first: HubProgress | null = null;
  let firstMs = 0;
  return (at) => {
    if (first === null || first.totalBytes !== at.totalBytes) [first, firstMs] = [at, now()];
    const { file, doneBytes, totalBytes } = at;
    const leftMs = ((now() - firstMs) / (doneBytes - first.doneBytes)) * (totalBytes - doneBytes);
    const left = Number.isFinite(leftMs) ? `, ${timeLeft(leftMs)}` : '';
    progress(`${file}: ${megabytes(doneBytes)} of ${megabytes(totalBytes)} MB${left}`);
  };
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toLocaleString('en', { maximumFractionDigits: bytes < 1e7 ? 1 : 0 });
}
