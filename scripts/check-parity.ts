/**
 * One guard in every runtime: `npm run check:parity -- <guard folder>`. The graph it was trained with, its export in Node, in
 * Chromium, in transformers.js and in Python, on the same texts. Prints numbers, never a text; fails where answers differ.
 * Peers of `npm run bench -- setup` that are not installed are left out, and a line says so.
 */
import { cp, mkdtemp, rm, symlink } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { buildModel, trainingProgram } from '@harmaug/models';
import { loadModel, openTokenizer, unsafeIndex } from '@harmaug/models/node';
import { type Batch, crossEntropy, schedules } from 'onnx-grad';
import { createTrainer } from 'onnx-grad/node';
import { MOST_TOKENS } from '../bench/infer/cases.ts';
import { openOurs } from '../bench/infer/ours.ts';
import { startInferPeers } from '../bench/infer/peers.ts';
import { type BenchText, cutText, drawTexts, writeTexts } from '../bench/infer/texts.ts';
import { hostile } from '../packages/guard/scripts/web-texts.ts';
import { launch, openPage, Site } from '../packages/guard/test/site.node.ts';
import { exportGuard } from '../packages/harmaug/src/export/export.node.ts';
import { defaultLimits } from '../packages/harmaug/src/export/gate.ts';
import { openScorer } from '../packages/harmaug/src/scoring/open-scorer.node.ts';
import { scoreEncoded, sigmoid } from '../packages/harmaug/src/scoring/score-encoded.ts';
import { findChromium } from './chromium.ts';

const TEXTS = 200;
const TOLERANCE = 1e-4; // largest |Δp| in float32
const CONTROL = /\[(CLS|SEP)\]|<\/?s>/;
const head = 'sequence-classification';
const root = path.resolve(import.meta.dirname, '..');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { data: { type: 'string', default: path.join(root, '../shared/data/eval') } },
});
const [guard] = positionals;
if (guard === undefined) throw new Error('Expected the folder of a guard: npm run check:parity -- <guard folder>');

const folder = await mkdtemp(path.join(tmpdir(), 'harmaug-parity-'));
try {
  const exported = path.join(folder, 'guard');
  await cp(guard, exported, { recursive: true });
  await exportGuard(exported, { precisions: ['fp32'], rows: [], limits: defaultLimits, isForced: true });
  const tokenizer = await openTokenizer(guard);
  // a lone surrogate has no UTF-8, so no JSON line and no Python string; a control token in a text is text to us alone
  const odd = hostile
    .filter(({ prompt, response = '' }) => (prompt + response).isWellFormed() && !CONTROL.test(prompt + response))
    .filter(({ response }) => response !== '') // an empty response is one in Python and here, and none in transformers.js
    .map(({ prompt, response }) => cutText(tokenizer, MOST_TOKENS, prompt, response));
  const texts = [...odd, ...drawTexts(values.data, TEXTS - odd.length, tokenizer, MOST_TOKENS)];
  const reference = await trainingScores(guard, texts);
  process.stdout.write(
    `${texts.length} texts, the longest of ${Math.max(...texts.map(({ tokens }) => tokens))} tokens\n`,
  );
  console.table([
    compare('the exported model in onnxruntime', await exportedScores(exported, texts), reference),
    compare('@harmaug/guard in Node', await nodeScores(exported, texts), reference),
    ...(await browserRows(exported, texts, reference)),
    ...(await peerRows(exported, texts, reference)),
  ]);
} finally {
  await rm(folder, { recursive: true });
}

function compare(runtime: string, scores: readonly number[], reference: readonly number[]) {
  const difference = scores.reduce((most, score, row) => Math.max(most, Math.abs(score - reference[row]!)), 0);
  // NaN is too much as well
  if (!(difference <= TOLERANCE) || scores.length !== reference.length) process.exitCode = 1;
  return { runtime, texts: scores.length, 'largest |Δp| to training': difference.toExponential(1) };
}

/** Through a trainer's own sessions and weights, as validation does it in training. */
async function trainingScores(from: string, all: readonly BenchText[]): Promise<number[]> {
  const loaded = await loadModel(from, { head, training: true });
  const labels = loaded.model.graph.input('labels', 'int64', ['batch']);
  const loss = crossEntropy(loaded.model.output, labels);
  const program = trainingProgram(loaded.model, { loss, weights: loaded.weights, weightDecay: 0 });
  const trainer = await createTrainer(program, { learningRate: schedules.constant(0), clipNorm: 1, seed: 1 });
  const plain = buildModel(loaded.json, { head });
  const predictor = await trainer.predictor(plain.graph, new Map([['logits', plain.output]]));
  const tokenizer = await openTokenizer(from);
  const encoded = all.map(({ prompt, response }) => tokenizer.encode(prompt, response, { maxLength: MOST_TOKENS }));
  const classify = async (batch: Batch) => ({ logits: (await predictor.run(batch)).logits!.data as Float32Array });
  const { margins } = await scoreEncoded(classify, encoded, loaded.model.config);
  await predictor.dispose();
  await trainer.dispose();
  const sign = unsafeIndex(loaded.json, loaded.model.config.labels, from) === 1 ? 1 : -1;
  return Array.from(margins, (margin) => sigmoid(sign * margin));
}

async function exportedScores(exported: string, all: readonly BenchText[]): Promise<number[]> {
  const scorer = await openScorer(path.join(exported, 'onnx', 'model.onnx'), { maxLength: MOST_TOKENS });
  const scores = await scorer.score(all.map((text, row) => ({ id: String(row), ...text })));
  await scorer.dispose();
  return scores.map(({ score }) => score);
}

async function nodeScores(exported: string, all: readonly BenchText[]): Promise<readonly number[]> {
  const threads = availableParallelism();
  const side = await openOurs(all, { name: 'ours', folder: exported, precision: 'fp32', threads });
  const { scores } = await side.many([...all.keys()], all.length);
  await side.dispose();
  return scores;
}

async function browserRows(exported: string, all: readonly BenchText[], reference: readonly number[]) {
  if (findChromium() === null) {
    process.stderr.write('Chromium is left out: it is not installed.\n');
    return [];
  }
  await symlink(exported, path.join(folder, 'given'));
  const site = await Site.start({ guards: folder });
  const browser = await launch();
  try {
    const page = await openPage(browser, site, 'isolated');
    const requests = all.map(({ prompt, response }) => (response === undefined ? { prompt } : { prompt, response }));
    const scores = await page.evaluate(
      async ({ requests, maxLength }) => {
        const plain = { views: false, sentences: false, maxLength, cache: false, threads: 1 } as const;
        const guard = await harmaug.Guard.load('/guards/given', { wasmPaths: '/ort/', dtype: 'fp32', ...plain });
        const scores: number[] = [];
        for (const request of requests) scores.push((await guard.check(request)).score);
        return scores;
      },
      { requests, maxLength: MOST_TOKENS },
    );
    return [compare('@harmaug/guard in Chromium (WASM)', scores, reference)];
  } finally {
    await browser.close();
    await site.stop();
  }
}

async function peerRows(exported: string, all: readonly BenchText[], reference: readonly number[]) {
  const file = path.join(folder, 'texts.jsonl');
  writeTexts(file, all);
  const peers = await startInferPeers(availableParallelism());
  const rows: ReturnType<typeof compare>[] = [];
  for (const { forms, versions, end } of peers.all) {
    for (const form of forms.filter(({ precision, isExtra }) => precision === 'fp32' && !isExtra)) {
      const side = await form.open({ ours: exported, optimum: exported }, file);
      const { scores } = await side.many([...all.keys()], 1);
      const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
      rows.push(compare(`${form.name} (${named.join(', ')})`, scores, reference));
      if (side.pipeline) {
        const alone = [...all.keys()].filter((row) => all[row]!.response === undefined);
        const found = await side.pipeline(alone);
        rows.push(
          compare(
            `${form.name}, pipeline('text-classification')`,
            found,
            alone.map((row) => reference[row]!),
          ),
        );
      }
      await side.dispose();
    }
    await end();
  }
  return rows;
}
