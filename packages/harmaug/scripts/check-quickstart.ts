/**
 * The real quickstart, unbroken and killed within every step: the same table. Prints how long each step takes.
 *
 *   npm run check:quickstart
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Summary } from '../src/experiment/summary.node.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'harmaug-check-quickstart-'));
const program = path.join(import.meta.dirname, '../src/cli/run.node.ts');

interface Ended {
  readonly exitCode: number | null;
  readonly wasKilled: boolean;
  readonly stdout: string;
  readonly seconds: number;
}

interface Kill {
  /** The step's first line. */
  readonly line: string;
  readonly afterSeconds: number;
}

function quickstart(out: string, kill?: Kill, more: readonly string[] = []): Promise<Ended> {
  const startMs = performance.now();
  const flags = ['--conditions=source', '--disable-warning=ExperimentalWarning'];
  const argv = [...flags, program, 'quickstart', '--out', path.join(folder, out), ...more];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let timer: NodeJS.Timeout | undefined;
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk: Buffer) => {
    process.stderr.write(chunk);
    if (kill === undefined || timer !== undefined || !chunk.toString('utf8').includes(kill.line)) return;
    timer = setTimeout(() => child.kill('SIGKILL'), 1000 * kill.afterSeconds);
  });
  return new Promise((resolve) => {
    child.once('close', (exitCode, signal) => {
      clearTimeout(timer);
      const seconds = (performance.now() - startMs) / 1000;
      resolve({ exitCode, wasKilled: signal === 'SIGKILL', stdout, seconds });
    });
  });
}

const summaryIn = (out: string): Summary => JSON.parse(readFileSync(path.join(folder, out, 'summary.json'), 'utf8'));

/** What does not depend on when, where and how fast, a line each. */
function lasting(out: string): string[] {
  const { seconds: _, places: __, ...rest } = summaryIn(out);
  return JSON.stringify(rest, (name, value) => (name === 'p50Ms' || name === 'cell' ? null : value), 1).split('\n');
}

try {
  const unbroken = await quickstart('unbroken');
  if (unbroken.exitCode !== 0) throw new Error(`The unbroken quickstart ended with ${unbroken.exitCode}.`);
  const { seconds } = summaryIn('unbroken');
  const again = await quickstart('unbroken');

  const planned = JSON.parse((await quickstart('killed', undefined, ['--plan', '--json'])).stdout);
  const steps: { step: keyof typeof seconds; about: string }[] = planned.steps;
  let kills = 0;
  for (const [index, { step, about }] of steps.entries()) {
    const line = `${index + 1}/${steps.length} ${step}: ${about}`;
    const ended = await quickstart('killed', { line, afterSeconds: (seconds[step] ?? 0) / 5 });
    if (ended.wasKilled) kills += 1;
    process.stderr.write(`${ended.wasKilled ? 'killed within' : 'too quick to be killed within'} ${step}\n`);
  }
  const last = await quickstart('killed');
  const [killed, whole] = [last.exitCode === 0 ? lasting('killed') : [], lasting('unbroken')];
  const others = whole.flatMap((line, at) =>
    line === killed[at] ? [] : [`${line}, killed: ${killed[at] ?? 'nothing'}`],
  );
  for (const line of others.slice(0, 20)) process.stderr.write(`unbroken: ${line}\n`);
  const isSame = others.length === 0 && killed.length === whole.length;
  const isKept = again.exitCode === 0 && again.stdout === unbroken.stdout;
  process.stdout.write(
    [
      unbroken.stdout,
      ...steps.map(({ step }) => `${step.padEnd(10)} ${(seconds[step] ?? 0).toFixed(1).padStart(7)} s`),
      `${'all'.padEnd(10)} ${unbroken.seconds.toFixed(1).padStart(7)} s`,
      `${isSame ? 'ok  ' : 'FAIL'} killed ${kills} times, it gives the figures of the unbroken one`,
      `${isKept ? 'ok  ' : 'FAIL'} finished, it prints the same table in ${again.seconds.toFixed(1)} s`,
      '',
    ].join('\n'),
  );
  process.exitCode = isSame && isKept ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
