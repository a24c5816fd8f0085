/** `peers/train_peer.py` as typed functions. */
import path from 'node:path';
import type { FixedCase, RealCase } from '../ours/train.ts';
import { PeerProcess } from '../peers/process.ts';
import { findPython } from '../peers/venv.ts';

export interface TrainPeer {
  readonly name: string;
  readonly versions: Record<string, string>;
  /** Folder of MiniLM's weights, which come with the peers. */
  readonly minilm: string | null;
  openFixed(fixed: FixedCase): Promise<{ parameters: number }>;
  /** @returns milliseconds of each step */
  steps(n: number, autocast: boolean): Promise<number[]>;
  /** Clipping and AdamW of the open model, on gradients made up beforehand. @returns milliseconds of each */
  optimizerSteps(n: number): Promise<number[]>;
  openReal(
    real: RealCase,
    grouped: boolean,
    limit?: number,
  ): Promise<{ parameters: number; batches: number; computedPerReal: number }>;
  batches(indices: readonly number[], autocast: boolean): Promise<{ ms: number[]; samples: number[]; loss: number[] }>;
  /** Frees the model that is open. */
  close(): Promise<void>;
  end(): Promise<void>;
}

/** Starts the peer; `null` where it is not installed. */
export async function startTrainPeer(threads: number): Promise<TrainPeer | null> {
  const python = findPython();
  if (python === null) return null;
  const script = path.join(import.meta.dirname, '..', 'peers', 'train_peer.py');
  const peer = new PeerProcess(python, [script]);
  const about = await peer.ask<Pick<TrainPeer, 'versions' | 'minilm'>>({ cmd: 'hello', threads });
  return {
    name: 'transformers',
    ...about,
    openFixed: (fixed) => peer.ask({ cmd: 'open', case: fixed }),
    steps: async (n, autocast) => (await peer.ask<{ ms: number[] }>({ cmd: 'steps', n, autocast })).ms,
    optimizerSteps: async (n) => (await peer.ask<{ ms: number[] }>({ cmd: 'optimizer_steps', n })).ms,
    openReal: (real, grouped, limit) => peer.ask({ cmd: 'open_real', case: real, grouped, limit: limit ?? null }),
    batches: (indices, autocast) => peer.ask({ cmd: 'batches', indices, autocast }),
    close: () => peer.ask({ cmd: 'close' }),
    end: () => peer.end(),
  };
}
