/** `harmaug serve` as a process of its own, for checks and benchmarks: its address, its log, its end. */
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';

export interface LogLine {
  readonly event: string;
  readonly [field: string]: unknown;
}

export interface ServeProcess {
  readonly url: string;
  readonly port: number;
  /** Of the process that listens. */
  readonly pid: number;
  /** Every line it logged. */
  readonly lines: readonly LogLine[];
  /** Process ids of the workers that are ready. */
  readonly workers: () => number[];
  readonly child: ChildProcess;
  /** Asks it to end. @returns its exit code, and how long that took */
  stop(): Promise<{ code: number | null; ms: number }>;
}

const root = path.join(import.meta.dirname, '..');

/** Its requests are not logged: they would be most of what is read here. @throws Error when it ends before it listens */
export async function startServeProcess(
  guard: string,
  flags: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<ServeProcess> {
  const program = path.join(root, 'src', 'cli', 'run.node.ts');
  const child = spawn(
    process.execPath,
    [
      '--conditions=source',
      '--disable-warning=ExperimentalWarning',
      program,
      'serve',
      guard,
      '--port',
      '0',
      '--log',
      'events',
      ...flags,
    ],
    { stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...env } },
  );
  const lines: LogLine[] = [];
  const other: string[] = [];
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const port = await new Promise<number>((resolve, reject) => {
    createInterface({ input: child.stderr }).on('line', (text) => {
      if (!text.startsWith('{')) return void other.push(text);
      const line = JSON.parse(text) as LogLine;
      lines.push(line);
      if (line.event === 'listening') resolve(line.port as number);
    });
    void exited.then((code) => reject(new Error(`harmaug serve ended with code ${code}: ${other.join(' ')}`)));
  });
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    pid: child.pid!,
    lines,
    child,
    workers() {
      const lost = lines.filter(({ event }) => event === 'worker-lost').map(({ pid }) => pid);
      const ready = lines.filter(({ event }) => event === 'worker-ready').map(({ pid }) => pid as number);
      return ready.filter((pid) => !lost.includes(pid));
    },
    async stop() {
      const startMs = performance.now();
      child.kill('SIGTERM');
      const code = await exited;
      return { code, ms: performance.now() - startMs };
    },
  };
}
