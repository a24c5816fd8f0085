/** `peers/distill_peer.py` as a side of the distillation benchmark. */
import path from 'node:path';
import { PeerProcess } from '../peers/process.ts';
import { findPython } from '../peers/venv.ts';
import type { DistillCase } from './case.ts';
import type { DistillSide } from './ours.ts';

export interface DistillPeer {
  readonly versions: Record<string, string>;
  readonly minilm: string | null;
  open(bench: DistillCase): Promise<DistillSide>;
  end(): Promise<void>;
}

/** Starts the peer; `null` where it is not installed. */
export async function startDistillPeer(threads: number): Promise<DistillPeer | null> {
  const python = findPython();
  if (python === null) return null;
  const peer = new PeerProcess(python, [path.join(import.meta.dirname, '..', 'peers', 'distill_peer.py')]);
  const about = await peer.ask<Pick<DistillPeer, 'versions' | 'minilm'>>({ cmd: 'hello', threads });
  return {
    ...about,
    async open(bench) {
      const opened = await peer.ask<{ steps: number; parameters: number }>({ cmd: 'open', case: bench });
      return {
        ...opened,
        train: async (n) => (await peer.ask<{ ms: number[] }>({ cmd: 'steps', n })).ms,
        scores: async () => (await peer.ask<{ scores: number[] }>({ cmd: 'scores' })).scores,
        dispose: () => peer.ask({ cmd: 'close' }),
      };
    },
    end: () => peer.end(),
  };
}
