/**
 * `npm run bench -- infer`: texts in, probabilities out, ours beside transformers on PyTorch, optimum's ONNX Runtime export
 * and transformers.js, on the same weights and the same texts, in turns within the same minutes.
 *
 * - `as-they-come` rows: texts a second, in random order, all at hand. Peers take 32 at a time; ours takes them all.
 * - `sorted` rows: the same texts by length, each peer with the batch size that suits it best.
 * - `single` rows: median milliseconds of one prompt.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import os, { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { buildModel } from '@harmaug/models';
import { openTokenizer } from '@harmaug/models/node';
import { productFlops } from 'onnx-grad';
import { measureProduct } from './infer/bare-product.ts';
import {
  type InferCase,
  MOST_TOKENS,
  type ModelName,
  models,
  type Order,
  type Precision,
  planCases,
  SINGLES,
} from './infer/cases.ts';
import { exportOurs, type FolderSources, writeCheckpoint } from './infer/folder.ts';
import { type Measured, measureSides } from './infer/measure.ts';
import { openOurs } from './infer/ours.ts';
import { type InferPeers, startInferPeers } from './infer/peers.ts';
import type { Folders, InferSide } from './infer/side.ts';
import { type BenchText, byLength, drawTexts, writeTexts } from './infer/texts.ts';
import { describeMachine, makeRow, type Report, type Row } from './report.ts';
import { PAUSE_MS, Progress } from './rounds.ts';

const root = path.resolve(import.meta.dirname, '..');
const TOLERANCE = 1e-3; // of p in float32: all sides run the same model on the same tokens

interface Context {
  readonly threads: number;
  readonly rounds: number;
  readonly data: string;
  readonly sources: FolderSources;
  readonly peers: InferPeers;
  /** Where models are made. */
  readonly folder: string;
  readonly gemm: Readonly<Record<Precision, number>>;
  /** @param share of the row that is done with this turn */
  readonly onTurn: (row: string, share: number) => void;
}

export async function runInfer(argv: readonly string[]): Promise<Report> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      json: { type: 'boolean' }, // main.ts's
      cases: { type: 'string', default: '' },
      rounds: { type: 'string', default: '3' },
      threads: { type: 'string', default: String(os.availableParallelism()) },
      guard: { type: 'string', default: process.env.HARMAUG_MINILM ?? '' },
      data: { type: 'string', default: '../shared/data/eval' },
      spm: { type: 'string', default: '../shared/data/tokenizers/deberta-v3/spm.model' },
      peer: { type: 'string', default: '' },
    },
  });
  const [threads, rounds] = [Number(values.threads), Number(values.rounds)];
  const cases = planCases(values.cases);
  const none: InferPeers = { all: [], minilm: null, exportWithOptimum: null };
  const peers = values.peer === 'none' ? none : await startInferPeers(threads);
  const versions = Object.assign({ 'onnxruntime-node': runtimeVersion() }, ...peers.all.map((peer) => peer.versions));
  const machine = describeMachine(threads, versions);
  const folder = mkdtempSync(path.join(tmpdir(), 'harmaug-infer-'));
  const progress = new Progress(cases.length, process.stderr);
  try {
    const gemm = { fp32: await measureProduct('fp32', threads), int8: await measureProduct('int8', threads) };
    const context: Context = {
      threads,
      rounds,
      data: path.resolve(root, values.data),
      sources: { minilm: values.guard || peers.minilm || undefined, spm: path.resolve(root, values.spm) },
      peers,
      folder,
      gemm,
      onTurn: (row, share) => progress.advance(share, row),
    };
    const rows: Row[] = Object.entries(gemm).map(([precision, rate]) =>
      makeRow({
        case: `bare product ${precision}`,
        metric: 'rate',
        unit: 'GFLOP/s',
        ours: rate,
        peers: {},
        better: 'higher',
        details: {},
      }),
    );
    for (const name of Object.keys(models) as ModelName[]) {
      const ofModel = cases.filter(({ model }) => model === name);
      if (ofModel.length > 0) rows.push(...(await benchModel(name, ofModel, context)));
    }
    return { bench: 'infer', machine, rows };
  } finally {
    progress.finish();
    for (const peer of peers.all) await peer.end();
    rmSync(folder, { recursive: true });
  }
}

async function benchModel(name: ModelName, cases: readonly InferCase[], context: Context): Promise<Row[]> {
  const folders: Folders = {
    ours: path.join(context.folder, 'ours'),
    optimum: context.peers.exportWithOptimum && path.join(context.folder, 'optimum'),
  };
  for (const folder of [folders.ours, folders.optimum]) if (folder) mkdirSync(folder);
  const json = await writeCheckpoint(folders.ours, name, context.sources);
  if (folders.optimum) await context.peers.exportWithOptimum!(folders.ours, folders.optimum);
  await exportOurs(folders.ours, ['fp32', 'int8']);
  const texts = drawTexts(context.data, models[name].texts, await openTokenizer(folders.ours), MOST_TOKENS);
  const file = path.join(context.folder, 'texts.jsonl');
  writeTexts(file, texts);
  const { output } = buildModel(json, { head: 'sequence-classification' });
  const flops = ({ tokens }: BenchText) => productFlops([output], { batch: 1, length: tokens });
  const rows: Row[] = [];
  for (const precision of ['fp32', 'int8'] as const) {
    const asked = cases.filter((one) => one.precision === precision);
    if (asked.length === 0) continue;
    const sides = await openSides(precision, folders, texts, file, context);
    for (const one of asked) {
      const indices = indicesFor(one.order, texts);
      const measured = await measureSides(
        sides.map(({ side }) => side),
        {
          order: one.order,
          indices,
          rounds: context.rounds,
          pauseMs: PAUSE_MS,
          onTurn: () => context.onTurn(one.name, 1 / (sides.length * (context.rounds + 1))),
        },
      );
      const needed = indices.map((index) => flops(texts[index]!));
      const named = new Map(sides.map((side, index) => [side, measured[index]!]));
      rows.push(toRow(one, named, needed, context.gemm[precision]));
    }
    for (const { side } of sides) await side.dispose();
  }
  for (const folder of [folders.ours, folders.optimum]) if (folder) rmSync(folder, { recursive: true });
  return rows;
}

type Role = 'ours' | 'float32' | 'defaults' | 'peer' | 'extra';

interface OpenSide {
  readonly role: Role;
  readonly side: InferSide;
}

async function openSides(
  precision: Precision,
  folders: Folders,
  texts: readonly BenchText[],
  file: string,
  { threads, peers }: Context,
): Promise<OpenSide[]> {
  const ours = (name: string, of: Precision, hasDefaults = false) =>
    openOurs(texts, { name, folder: folders.ours, precision: of, threads, hasDefaults });
  const sides: OpenSide[] = [{ role: 'ours', side: await ours('ours', precision) }];
  sides.push({ role: 'defaults', side: await ours('defaults', precision, true) });
  if (precision === 'int8') sides.push({ role: 'float32', side: await ours('float32', 'fp32') });
  for (const form of peers.all.flatMap(({ forms }) => forms)) {
    if (form.precision !== precision && !form.isExtra) continue;
    sides.push({ role: form.isExtra ? 'extra' : 'peer', side: await form.open(folders, file) });
  }
  return sides;
}

function indicesFor(order: Order, texts: readonly BenchText[]): number[] {
  if (order === 'sorted') return byLength(texts);
  const all = [...texts.keys()];
  return order === 'single' ? all.filter((index) => texts[index]!.response === undefined).slice(0, SINGLES) : all;
}

function toRow(
  { name, order, precision }: InferCase,
  sides: ReadonlyMap<OpenSide, Measured>,
  needed: readonly number[],
  gemm: number,
): Row {
  const better = order === 'single' ? 'lower' : 'higher';
  const entries = [...sides];
  const of = (role: Role) => entries.filter(([side]) => side.role === role);
  const ours = of('ours')[0]![1];
  const peers = of('peer');
  if (precision === 'fp32' && order !== 'single')
    for (const [{ side }, { scores }] of peers) expectAgreement(name, side.name, ours.scores, scores);
  const over = (figure: number) => (order === 'single' ? figure / ours.figure : ours.figure / figure);
  const mean = needed.reduce((sum, flops) => sum + flops, 0) / needed.length;
  const middle = needed.toSorted((a, b) => a - b)[Math.floor(needed.length / 2)]!;
  const rate = order === 'single' ? (middle / ours.figure) * 1000 : mean * ours.figure; // FLOP/s
  return makeRow({
    case: name,
    metric: order === 'single' ? 'p50' : 'rate',
    unit: order === 'single' ? 'ms' : 'texts/s',
    ours: ours.figure,
    peers: Object.fromEntries(peers.map(([{ side }, { figure }]) => [side.name, figure])),
    better,
    details: {
      gemmShare: rate / 1e9 / gemm,
      ...Object.fromEntries(of('defaults').map(([, { figure }]) => ['withDefaults', figure])),
      ...Object.fromEntries(of('float32').map(([, { figure }]) => ['overFloat32', over(figure)])),
      ...Object.fromEntries(
        of('extra').flatMap(([, { figure }]) => [
          ['bfloat16', figure],
          ['overBfloat16', over(figure)],
        ]),
      ),
    },
  });
}

function expectAgreement(row: string, peer: string, ours: readonly number[], theirs: readonly number[]): void {
  const worst = ours.reduce((most, score, index) => Math.max(most, Math.abs(score - theirs[index]!)), 0);
  if (worst <= TOLERANCE) return;
  throw new Error(`${row}: ${peer} differs from ours by ${worst.toPrecision(2)} in p, expected at most ${TOLERANCE}.`);
}

function runtimeVersion(): string {
  const require = createRequire(import.meta.url);
  return require(path.join(path.dirname(require.resolve('onnxruntime-node')), '..', 'package.json')).version;
}
