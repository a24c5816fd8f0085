/**
 * `npm run bench -- distill`: seconds of training until a guard is as good, ours beside the usual fine-tuning with
 * transformers on PyTorch, float32: MiniLM on 4,000 real rows with hard labels, one epoch, both sides in turns.
 *
 * Ten times in a run both are scored on the same held-out rows, which is not timed. The AUPRC to reach is the lower of
 * both sides' best, less 1%; the time to it is read off between two scorings. `usual`: the peer's batches are random,
 * padded to their longest; `grouped`: by length.
 */
import { readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { metrics } from '../packages/harmaug/src/evaluate/metrics.ts';
import { curveOf, rank } from '../packages/harmaug/src/evaluate/ranking.ts';
import { drawRows, settings } from './distill/case.ts';
import { type DistillSide, openOurs } from './distill/ours.ts';
import { startDistillPeer } from './distill/peer.ts';
import { secondsTo, type TimedFigure } from './distill/seconds-to.ts';
import { describeMachine, makeRow, type Report, type Row } from './report.ts';
import { Progress } from './rounds.ts';

const SCORINGS = 10;
const SLACK = 0.99; // of the lower best

export async function runDistill(argv: readonly string[]): Promise<Report> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      json: { type: 'boolean' }, // main.ts's
      cases: { type: 'string', default: '' },
      threads: { type: 'string', default: String(os.availableParallelism()) },
      minilm: { type: 'string', default: process.env.HARMAUG_MINILM ?? '' },
      data: { type: 'string', default: '../shared/data/train' },
    },
  });
  const threads = Number(values.threads);
  const peer = await startDistillPeer(threads);
  const model = values.minilm || peer?.minilm;
  const files = drawRows(path.resolve(import.meta.dirname, '..', values.data));
  if (!model || !files) {
    await peer?.end();
    throw new Error(
      `distill needs ${model ? 'prompts.jsonl and pairs.jsonl: --data <folder>' : 'MiniLM: --minilm <folder>'}.`,
    );
  }
  const cases = ['usual', 'grouped'].filter((name) => name.includes(values.cases));
  const progress = new Progress(cases.length * SCORINGS, process.stderr);
  const rows: Row[] = [];
  try {
    for (const name of cases) {
      const bench = { ...settings, ...files, model, grouped: name === 'grouped' };
      const labels = readLabels(bench.validation);
      const ours = await openOurs(bench, threads);
      const theirs = await peer?.open(bench);
      const curves = await race(theirs ? [ours, theirs] : [ours], labels, (scoring) =>
        progress.advance(1, `${name}, scoring ${scoring} of ${SCORINGS}`),
      );
      await ours.dispose();
      await theirs?.dispose();
      rows.push(toRow(name, curves));
    }
  } finally {
    progress.finish();
    rmSync(path.dirname(files.train), { recursive: true });
    await peer?.end();
  }
  return { bench: 'distill', machine: describeMachine(threads, peer?.versions ?? {}), rows };
}

/** Both sides through the run, a tenth each in turn. @returns each side's AUPRC over its own training time */
async function race(
  sides: readonly DistillSide[],
  labels: readonly number[],
  onScoring: (n: number) => void,
): Promise<TimedFigure[][]> {
  const curves = sides.map((): TimedFigure[] => [{ seconds: 0, figure: 0 }]);
  for (let scoring = 1; scoring <= SCORINGS; scoring++) {
    for (const [index, side] of sides.entries()) {
      const upTo = (n: number) => Math.round((n * side.steps) / SCORINGS);
      const ms = await side.train(upTo(scoring) - upTo(scoring - 1));
      const seconds = curves[index]!.at(-1)!.seconds + ms.reduce((a, b) => a + b, 0) / 1000;
      const auprc = metrics.auprc(curveOf(rank(await side.scores(), labels)), { threshold: 0.5 })!;
      curves[index]!.push({ seconds, figure: auprc });
    }
    onScoring(scoring);
  }
  return curves;
}

function toRow(name: string, [ours, theirs]: TimedFigure[][]): Row {
  const best = (curve: TimedFigure[]) => Math.max(...curve.map(({ figure }) => figure));
  const target = SLACK * Math.min(best(ours!), theirs ? best(theirs) : Infinity);
  const details = {
    target,
    auprc: best(ours!),
    seconds: ours!.at(-1)!.seconds,
    ...(theirs && { peerAuprc: best(theirs), peerSeconds: theirs.at(-1)!.seconds }),
  };
  return makeRow({
    case: name,
    metric: 'time to AUPRC',
    unit: 's',
    ours: secondsTo(ours!, target),
    peers: theirs ? { transformers: secondsTo(theirs, target) } : {},
    better: 'lower',
    details,
  });
}

function readLabels(file: string): number[] {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.map((line) => (JSON.parse(line) as { label: number }).label);
}
