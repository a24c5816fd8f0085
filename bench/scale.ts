/**
 * `npm run bench -- scale`: whether training holds out when models and texts are large. Ours alone, each case in a process
 * of its own.
 *
 * - `deberta-v3-large 2x256`, `modernbert-base 1x2048`: the most memory, against what was promised; milliseconds a step,
 *   seconds to save and to load the weights.
 * - `local <length>`: with windows in every layer, the time of a token beside that at length 512: 1 is linear.
 */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { describeMachine, makeRow, type Report, type Row } from './report.ts';
import { median, Progress } from './rounds.ts';
import { largeCases, localCase, localLengths, type ScaleCase, type ScaleResult } from './scale/cases.ts';

export async function runScale(argv: readonly string[]): Promise<Report> {
  const { values } = parseArgs({
    args: [...argv],
    options: { json: { type: 'boolean' }, cases: { type: 'string', default: '' } }, // --json is main.ts's
  });
  const machine = describeMachine(describeMachine(1, {}).cores, {});
  const isWanted = (name: string) => name.includes(values.cases);
  const large = Object.entries(largeCases).filter(([name]) => isWanted(name));
  const lengths = localLengths.filter((length) => isWanted(`local ${length}`));
  const progress = new Progress(large.length * 4 + lengths.length, process.stderr);
  const rows: Row[] = [];
  for (const [name, { mostGiB, ...scaleCase }] of large) {
    progress.advance(4, name);
    rows.push(...rowsOf(name, mostGiB, await inProcess(scaleCase)));
  }
  let shortest: number | null = null; // microseconds a token
  for (const length of lengths) {
    progress.advance(1, `local ${length}`);
    const { stepMs } = await inProcess(localCase(length));
    const perToken = (steady(stepMs) / length) * 1000;
    shortest ??= perToken;
    const details = { 'µs a token': perToken };
    const row = { case: `local ${length}`, metric: 'time a token', unit: `of ${lengths[0]}'s`, peers: {}, details };
    rows.push(makeRow({ ...row, ours: perToken / shortest, better: 'lower' }));
  }
  progress.finish();
  return { bench: 'scale', machine, rows };
}

/** Without the first steps, in which onnxruntime lays out its memory. */
const steady = (stepMs: readonly number[]) => median(stepMs.slice(1));

function rowsOf(name: string, mostGiB: number, { parameters, stepMs, saveMs, loadMs, peakGiB }: ScaleResult): Row[] {
  const row = (metric: string, unit: string, ours: number, peers: Record<string, number> = {}) =>
    makeRow({ case: name, metric, unit, ours, peers, better: 'lower', details: {} });
  return [
    makeRow({
      case: name,
      metric: 'peak memory',
      unit: 'GiB',
      ours: peakGiB,
      peers: { limit: mostGiB },
      better: 'lower',
      details: { 'million parameters': parameters / 1e6 },
    }),
    row('step', 'ms', steady(stepMs)),
    ...(saveMs === null ? [] : [row('save', 's', saveMs / 1000)]),
    ...(loadMs === null ? [] : [row('load', 's', loadMs / 1000)]),
  ];
}

async function inProcess(scaleCase: ScaleCase): Promise<ScaleResult> {
  const script = path.join(import.meta.dirname, 'scale', 'run-case.ts');
  const argv = [...process.execArgv, script, JSON.stringify(scaleCase)];
  const { stdout } = await promisify(execFile)(process.execPath, argv);
  return JSON.parse(stdout);
}
