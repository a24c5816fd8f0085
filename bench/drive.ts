/**
 * `npm run bench -- drive`: whether the driver holds up a run. A server on this machine answers every call after 200 ms;
 * 20,000 calls go to it, 512 at once.
 *
 * - `ideal`: calls a second, against the most there can be, calls at once / latency.
 * - `cpu`: the driver's own computing a call, against 0.5 ms.
 * - `memory`: growth from the first quarter to the end.
 * - `distilabel`: the same calls from distilabel's LLM for such servers, in turns.
 */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import type { Drive, DriveSide } from './drive/case.ts';
import { openOurs } from './drive/ours.ts';
import { startDrivePeer } from './drive/peer.ts';
import { describeMachine, makeRow, type Report, type Row } from './report.ts';
import { median, Progress } from './rounds.ts';

export interface DriveOptions {
  readonly calls: number;
  readonly inFlight: number;
  readonly latencyMs: number;
  readonly rounds: number;
}

const CPU_LIMIT_MS = 0.5; // a call

export async function runDrive(argv: readonly string[]): Promise<Report> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      json: { type: 'boolean' }, // main.ts's
      calls: { type: 'string', default: '20000' },
      'in-flight': { type: 'string', default: '512' },
      latency: { type: 'string', default: '200' },
      rounds: { type: 'string', default: '1' },
      peer: { type: 'string', default: 'distilabel' },
    },
  });
  const options: DriveOptions = {
    calls: Number(values.calls),
    inFlight: Number(values['in-flight']),
    latencyMs: Number(values.latency),
    rounds: Number(values.rounds),
  };
  const server = await startServer(options.latencyMs);
  const ours = openOurs(server.endpoint, options.inFlight);
  const peer = values.peer === 'none' ? null : await startDrivePeer(server.endpoint, options.inFlight);
  try {
    const rows = await benchDrive(options, ours, peer);
    return { bench: 'drive', machine: describeMachine(1, peer?.versions ?? {}), rows };
  } finally {
    await ours.dispose();
    await peer?.dispose();
    server.stop();
  }
}

/** Both sides in turns. */
export async function benchDrive(
  { calls, inFlight, latencyMs, rounds }: DriveOptions,
  ours: DriveSide,
  peer: DriveSide | null,
): Promise<Row[]> {
  const sides = peer ? [ours, peer] : [ours];
  const drives = new Map<DriveSide, Drive[]>(sides.map((side) => [side, []]));
  const progress = new Progress(rounds * sides.length, process.stderr);
  for (let round = 0; round < rounds; round++) {
    for (const side of sides) {
      progress.advance(1, `round ${round + 1} of ${rounds}, ${side.name}`);
      drives.get(side)!.push(await side.run(calls));
    }
  }
  progress.finish();
  const rateOf = (side: DriveSide) => median(drives.get(side)!.map(({ ms }) => (calls / ms) * 1000));
  const cpuOf = (side: DriveSide) => median(drives.get(side)!.map(({ cpuMs }) => cpuMs / calls));
  const growthOf = (side: DriveSide) => median(drives.get(side)!.map(({ rssMiB }) => growth(rssMiB)));
  const rate = { metric: 'rate', unit: 'calls/s', ours: rateOf(ours), better: 'higher' } as const;
  const peerOf = (value: (side: DriveSide) => number) => (peer ? { [peer.name]: value(peer) } : {});
  return [
    makeRow({ ...rate, case: 'ideal', peers: { ideal: (inFlight / latencyMs) * 1000 }, details: { calls, inFlight } }),
    makeRow({
      case: 'cpu',
      metric: 'driver CPU a call',
      unit: 'ms',
      ours: cpuOf(ours),
      peers: { limit: CPU_LIMIT_MS },
      better: 'lower',
      details: peerOf(cpuOf),
    }),
    makeRow({
      case: 'memory',
      metric: 'growth',
      unit: 'MiB',
      ours: growthOf(ours),
      peers: {},
      better: 'lower',
      details: { ...peerOf(growthOf), most: Math.max(...drives.get(ours)!.flatMap(({ rssMiB }) => rssMiB)) },
    }),
    makeRow({ ...rate, case: 'distilabel', peers: peerOf(rateOf), details: {} }),
  ];
}

/** From the most of the second quarter to the most of the last: collections come and go in between. */
export function growth(rssMiB: readonly number[]): number {
  const quarter = Math.floor(rssMiB.length / 4);
  return Math.max(...rssMiB.slice(-quarter)) - Math.max(...rssMiB.slice(quarter, 2 * quarter));
}

async function startServer(latencyMs: number): Promise<{ endpoint: string; stop: () => void }> {
  const script = path.join(import.meta.dirname, 'drive', 'server.ts');
  const child = spawn(process.execPath, [script, String(latencyMs)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const port = await new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).once('line', resolve);
    child.once('exit', (code) => reject(new Error(`The loopback server ended with code ${code}.`)));
  });
  return { endpoint: `http://127.0.0.1:${port}/v1`, stop: () => child.stdin.end() };
}
