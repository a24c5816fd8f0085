/**
 * `npm run bench -- serve`: a MiniLM classifier behind `harmaug serve` beside LitServe with transformers and infinity, on the
 * same cores, weights and texts of mixed length, in turns.
 *
 * - `throughput`: requests a second, arriving at random, that a server answers with p99 within the limit.
 * - `saturation`: answers a second with 64 requests at once, whatever they wait.
 *
 * Rows named `int8` are the same with every side in int8, each in its own way. Each peer is tried in several settings and its
 * best counts. The load comes from this process, on the same cores for all.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os, { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { mulberry32 } from '@harmaug/models';
import { openTokenizer } from '@harmaug/models/node';
import { type Precision, precisions } from './infer/cases.ts';
import { exportOurs, writeCheckpoint } from './infer/folder.ts';
import { findPython, findWeights } from './peers/venv.ts';
import { describeMachine, makeRow, type Report, type Row } from './report.ts';
import { median } from './rounds.ts';
import { type Found, searchRate } from './serve/search.ts';
import { ours, peerServers, type ServerSpec } from './serve/servers.ts';
import { drawSingles } from './serve/texts.ts';

const MOST_TOKENS = 512;
const TEXTS = 2000;

const root = path.resolve(import.meta.dirname, '..');

export async function runServe(argv: readonly string[]): Promise<Report> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      json: { type: 'boolean' }, // main.ts's
      guard: { type: 'string' },
      data: { type: 'string', default: path.join(root, '../shared/data/eval') },
      p99: { type: 'string', default: '1000' },
      seconds: { type: 'string', default: '15' },
      trials: { type: 'string', default: '6' },
      rounds: { type: 'string', default: '2' },
      servers: { type: 'string', default: '' },
      precision: { type: 'string', default: precisions.join(',') },
      peer: { type: 'string', default: 'all' },
    },
  });
  const cores = os.availableParallelism();
  const python = values.peer === 'none' ? null : findPython('serve');
  const folder = mkdtempSync(path.join(tmpdir(), 'harmaug-serve-'));
  try {
    const guard = path.join(folder, 'ours');
    await writeCheckpoint(guard, 'minilm', { minilm: values.guard ?? findWeights() ?? undefined, spm: '' });
    const asked = precisions.filter((precision) => values.precision.split(',').includes(precision));
    await exportOurs(guard, asked);
    const texts = drawSingles(values.data, TEXTS, await openTokenizer(guard), MOST_TOKENS);
    const options = {
      limitMs: Number(values.p99),
      seconds: Number(values.seconds),
      trials: Number(values.trials),
      rounds: Number(values.rounds),
    };
    const rows: Row[] = [];
    for (const precision of asked) {
      const exported = path.join(folder, `infinity-${precision}`);
      if (python !== null) exportForInfinity(python, guard, exported, precision);
      const peers = python === null ? [] : peerServers(python, exported, { cores, precision });
      const servers = [ours(cores, precision), ...peers.filter(({ name }) => name.includes(values.servers))];
      rows.push(...toRows(await benchServers(servers, guard, texts, options), options.limitMs, precision));
    }
    return { bench: 'serve', machine: describeMachine(cores, {}), rows };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

interface BenchOptions {
  readonly limitMs: number;
  readonly seconds: number;
  readonly trials: number;
  readonly rounds: number;
}

async function benchServers(
  servers: readonly ServerSpec[],
  guard: string,
  texts: readonly string[],
  { rounds, ...options }: BenchOptions,
): Promise<Map<ServerSpec, Found[]>> {
  const found = new Map<ServerSpec, Found[]>(servers.map((spec) => [spec, []]));
  for (let round = 0; round < rounds; round++) {
    for (const spec of servers) {
      process.stderr.write(`round ${round + 1} of ${rounds}, ${spec.name}\n`);
      const server = await spec.open(guard);
      const ask = (index: number) => server.ask(texts[index % texts.length]!);
      const uniform = mulberry32(round + 1); // the same arrivals for all
      const onTrial = (perSecond: number, p99Ms: number) =>
        process.stderr.write(`  ${perSecond.toFixed(1)} a second: p99 ${p99Ms.toFixed(0)} ms\n`);
      try {
        found.get(spec)!.push(await searchRate(ask, { ...options, uniform, onTrial }));
      } finally {
        await server.stop();
      }
    }
  }
  return found;
}

/** Of each side its best setting, by its median. */
export function toRows(
  found: ReadonlyMap<Pick<ServerSpec, 'name' | 'side'>, readonly Found[]>,
  limitMs: number,
  precision: Precision,
): Row[] {
  const named = (name: string) => (precision === 'fp32' ? name : `${name} ${precision}`);
  const figures = (figure: (one: Found) => number) => {
    const entries = [...found].map(([{ name, side }, all]) => ({ name, side, value: median(all.map(figure)) }));
    const bestOf = (side: string) => Math.max(...entries.filter((one) => one.side === side).map(({ value }) => value));
    const sides = [...new Set(entries.map(({ side }) => side))].filter((side) => side !== 'ours');
    return {
      ours: bestOf('ours'),
      peers: Object.fromEntries(sides.map((side) => [side, bestOf(side)])),
      details: Object.fromEntries(
        entries.filter(({ side }) => side !== 'ours').map(({ name, value }) => [name, value]),
      ),
    };
  };
  const rate = { unit: 'requests/s', better: 'higher' } as const;
  return [
    makeRow({
      case: named('throughput'),
      metric: `rate at p99 <= ${limitMs} ms`,
      ...rate,
      ...figures((one) => one.perSecond),
    }),
    makeRow({ case: named('saturation'), metric: 'rate, 64 at once', ...rate, ...figures((one) => one.mostPerSecond) }),
  ];
}

function exportForInfinity(python: string, from: string, to: string, precision: Precision): void {
  const script = path.join(root, 'bench', 'peers', 'serve_peer.py');
  const { status } = spawnSync(python, [script, from, '--export', to, '--precision', precision], {
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) throw new Error('optimum could not export the model; what it said is above.');
}
