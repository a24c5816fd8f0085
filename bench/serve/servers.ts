/** The servers of the benchmark: ours, and the peers in the settings that might suit them best on two cores. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startServeProcess } from '../../packages/harmaug/scripts/serve-process.ts';
import type { Precision } from '../infer/cases.ts';
import { createPoster } from './load.ts';

export interface OpenServer {
  /** Has the text judged. @returns the answer's status */
  readonly ask: (text: string) => Promise<number>;
  readonly stop: () => Promise<void>;
}

export interface ServerSpec {
  readonly name: string;
  /** Whose it is; of several settings of one peer the best counts. */
  readonly side: 'ours' | 'litserve' | 'infinity';
  readonly open: (folder: string) => Promise<OpenServer>;
}

const peers = path.join(import.meta.dirname, '..', 'peers');
const START_MS = 180_000;

export function ours(cores: number, precision: Precision): ServerSpec {
  return {
    name: 'ours',
    side: 'ours',
    async open(folder) {
      const flags = ['--dtype', precision, '--workers', String(cores), '--threads', '1', '--host', '127.0.0.1'];
      const server = await startServeProcess(folder, flags);
      const poster = createPoster(server.url);
      return {
        ask: (text) => poster.post('/v1/check', JSON.stringify({ prompt: text })),
        async stop() {
          await poster.close();
          await server.stop();
        },
      };
    },
  };
}

/** @param python of the environment "serve" @param exported the folder for infinity */
export function peerServers(
  python: string,
  exported: string,
  { cores, precision }: { readonly cores: number; readonly precision: Precision },
): ServerSpec[] {
  const litserve = (workers: number, batch: number): ServerSpec => ({
    name: `litserve ${workers}x${cores / workers} batch ${batch}`,
    side: 'litserve',
    open: (folder) =>
      openPeer({
        command: [python, path.join(peers, 'serve_peer.py'), folder],
        flags: [
          ...['--workers', String(workers), '--threads', String(cores / workers), '--batch', String(batch)],
          ...['--precision', precision],
        ],
        path: '/predict',
        bodyOf: (text) => ({ input: text }),
      }),
  });
  const infinity = (engine: 'torch' | 'optimum', batch: number): ServerSpec => ({
    name: `infinity ${engine} batch ${batch}`,
    side: 'infinity',
    open: () =>
      openPeer({
        command: [path.join(path.dirname(python), 'infinity_emb'), 'v2', '--model-id', '.'],
        flags: [
          ...['--engine', engine, '--device', 'cpu', '--batch-size', String(batch), '--no-bettertransformer'],
          ...['--served-model-name', 'guard', '--log-level', 'error'],
          '--no-model-warmup', // its own has texts that are too long for the model, which ends it; ours are not
        ],
        cwd: exported, // with a path it does not find a model's ONNX file
        path: '/classify',
        bodyOf: (text) => ({ model: 'guard', input: [text] }),
        env: {
          OMP_NUM_THREADS: String(cores),
          DO_NOT_TRACK: '1',
          HF_HUB_OFFLINE: '1',
          HF_HOME: path.join(exported, 'cache'), // where it keeps what it made of a model, by the model's path alone
          INFINITY_ANONYMOUS_USAGE_STATS: '0',
        },
      }),
  });
  const inTorch = [infinity('torch', 32), infinity('torch', 8)]; // which has no int8 of its own there
  return [
    litserve(1, 16),
    litserve(cores, 8),
    litserve(cores, 1),
    ...(precision === 'fp32' ? inTorch : []),
    infinity('optimum', 32),
  ];
}

interface PeerOptions {
  readonly command: readonly [string, ...string[]];
  readonly flags: readonly string[];
  readonly path: string;
  readonly bodyOf: (text: string) => unknown;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
}

/** @throws Error when it does not answer a text in three minutes, with the end of what it said */
async function openPeer({
  command: [program, ...given],
  flags,
  path: route,
  bodyOf,
  env,
  cwd,
}: PeerOptions): Promise<OpenServer> {
  const port = await freePort();
  const child = spawn(program, [...given, ...flags, '--port', String(port)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
    ...(cwd === undefined ? {} : { cwd }),
    detached: true, // a group of its own: its workers end with it
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      said = (said + chunk).slice(-2000);
    });
  }
  const poster = createPoster(`http://127.0.0.1:${port}`);
  const ask = (text: string) => poster.post(route, JSON.stringify(bodyOf(text)));
  const deadlineMs = performance.now() + START_MS;
  while ((await ask('Hello').catch(() => null)) !== 200) {
    if (hasEnded(child) || performance.now() > deadlineMs) {
      await end(child);
      throw new Error(`${path.basename(program)} does not serve:\n${said}`);
    }
    await sleep(250);
  }
  return {
    ask,
    async stop() {
      await poster.close();
      await end(child);
    },
  };
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

async function end(child: ChildProcess): Promise<void> {
  const exited = hasEnded(child) ? Promise.resolve() : new Promise((resolve) => child.once('exit', resolve));
  const signal = (name: NodeJS.Signals) => {
    try {
      process.kill(-child.pid!, name);
    } catch {
      // the whole group has ended
    }
  };
  signal('SIGTERM');
  await Promise.race([exited, sleep(5000)]);
  signal('SIGKILL');
  await exited;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
