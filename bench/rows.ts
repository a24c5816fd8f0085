/**
 * `npm run bench -- rows`: a million short texts sorted out (near-duplicates, overlap with an evaluation set), kept in a
 * ledger and exported as JSONL and Parquet.
 *
 * - `rows <count>`: minutes in all, peak memory against 2 GiB.
 * - `time a row`: at the largest count, beside that at the smallest: 1 is linear.
 * - `dedup <count>`: rows a second that are compared, beside datatrove's MinHash on the same texts.
 * - `recall`: near-duplicates found, of those that a comparison of all pairs finds.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { findPython } from './peers/venv.ts';
import { describeMachine, makeRow, type Report, type Row } from './report.ts';
import { Progress } from './rounds.ts';
import type { RowsResult } from './rows/run-case.ts';
import { writeTexts } from './rows/texts.ts';

const MOST_GIB = 2;

export async function runRows(argv: readonly string[]): Promise<Report> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      json: { type: 'boolean' }, // main.ts's
      counts: { type: 'string', default: '100000,1000000' },
      peer: { type: 'string', default: 'datatrove' },
      'peer-count': { type: 'string', default: '100000' },
    },
  });
  const counts = values.counts.split(',').map(Number);
  const peerCount = Number(values['peer-count']);
  const python = values.peer === 'none' ? null : findPython('datatrove');
  const progress = new Progress(
    counts.reduce((sum, count) => sum + count, 0) + (python ? 5 * peerCount : 0),
    process.stderr,
  );
  const rows: Row[] = [];
  const results = new Map<number, RowsResult>();
  for (const count of counts) {
    progress.advance(count, `${count} rows`);
    const result = await inFolder(async (folder) => {
      const script = path.join(import.meta.dirname, 'rows', 'run-case.ts');
      return JSON.parse(
        await output(process.execPath, [...process.execArgv, script, String(count), folder]),
      ) as RowsResult;
    });
    results.set(count, result);
    rows.push(...rowsOf(count, result));
  }
  const [fewest, most] = [Math.min(...counts), Math.max(...counts)];
  const perRow = (count: number) => (results.get(count)!.totalMs / count) * 1000;
  rows.push(
    makeRow({
      ...{ case: 'time a row', metric: `${most} rows`, unit: `of ${fewest}'s`, ours: perRow(most) / perRow(fewest) },
      ...{ peers: {}, better: 'lower', details: { 'µs a row': perRow(most) } },
    }),
  );
  const versions: Record<string, string> = {};
  if (python) {
    progress.advance(5 * peerCount, `datatrove, ${peerCount} rows`);
    const peer = await inFolder(async (folder) => {
      const file = path.join(folder, 'texts.jsonl');
      await writeTexts(file, peerCount);
      const script = path.join(import.meta.dirname, 'peers', 'rows_peer.py');
      return JSON.parse(await output(python, [script, file, folder])) as { ms: number; kept: number; version: string };
    });
    versions.datatrove = peer.version;
    const ours = results.get(peerCount);
    if (ours) {
      const rate = (ms: number) => (peerCount / ms) * 1000;
      rows.push(
        makeRow({
          ...{ case: `dedup ${peerCount}`, metric: 'rate', unit: 'rows/s', ours: rate(ours.dedupMs) },
          ...{ peers: { datatrove: rate(peer.ms) }, better: 'higher' },
          details: { kept: peerCount - ours.near - ours.overlapping, datatroveKept: peer.kept },
        }),
      );
    }
  }
  progress.finish();
  return { bench: 'rows', machine: describeMachine(1, versions), rows };
}

function rowsOf(count: number, { totalMs, peakGiB, near, overlapping, exported, recall }: RowsResult): Row[] {
  const row = { case: `rows ${count}`, better: 'lower' } as const;
  return [
    makeRow({
      ...{ ...row, metric: 'time', unit: 'min', ours: totalMs / 60_000, peers: {} },
      details: { near, overlapping, exported },
    }),
    makeRow({ ...row, metric: 'peak memory', unit: 'GiB', ours: peakGiB, peers: { limit: MOST_GIB }, details: {} }),
    makeRow({ ...row, metric: 'recall', unit: 'share', ours: recall, peers: {}, better: 'higher', details: {} }),
  ];
}

async function inFolder<Result>(work: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(path.join(tmpdir(), 'harmaug-rows-'));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The last line that a program prints. */
async function output(command: string, argv: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(command, argv, { maxBuffer: 2 ** 26 });
  return stdout.trim().split('\n').at(-1)!;
}
