/** `peers/drive_peer.py`: distilabel's LLM for OpenAI-compatible servers. */
import path from 'node:path';
import { PeerProcess } from '../peers/process.ts';
import { findPython } from '../peers/venv.ts';
import type { Drive, DriveSide } from './case.ts';

export interface DrivePeer extends DriveSide {
  readonly versions: Record<string, string>;
}

/** Starts the peer; `null` where it is not installed. */
export async function startDrivePeer(endpoint: string, inFlight: number): Promise<DrivePeer | null> {
  const python = findPython('distilabel');
  if (python === null) return null;
  const script = path.join(import.meta.dirname, '..', 'peers', 'drive_peer.py');
  const peer = new PeerProcess(python, [script]);
  const { versions } = await peer.ask<{ versions: Record<string, string> }>({ cmd: 'open', endpoint, inFlight });
  return {
    name: 'distilabel',
    versions,
    run: (calls) => peer.ask<Drive & Record<string, unknown>>({ cmd: 'run', calls }),
    dispose: () => peer.end(),
  };
}
