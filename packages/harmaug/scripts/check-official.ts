/**
 * Our distillation beside the published training loop on real text (criterion: losses to 1e-3 over 100 steps, scores that
 * correlate above 0.999):
 *
 *   <python> packages/harmaug/scripts/official_loop.py run <folder> <spm.model> <data folder>
 *   npx node --conditions=source packages/harmaug/scripts/check-official.ts <folder> <data folder>
 *
 * Prints the largest difference and the correlations. Exits 1 when they do not hold.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { buildModel, collate, trainingProgram } from '@harmaug/models';
import { loadModel } from '@harmaug/models/node';
import { type Batch, schedules } from 'onnx-grad';
import { createTrainer } from 'onnx-grad/node';
import { formats } from '../src/data/formats.ts';
import { distillationLoss } from '../src/distill/objective.ts';
import { scoreEncoded, sigmoid } from '../src/scoring/score-encoded.ts';

const [folder, data] = process.argv.slice(2);
if (folder === undefined || data === undefined) {
  console.error('Usage: check-official.ts <folder of official_loop.py> <data folder>');
  process.exit(2);
}
const BATCH = 16;
const readJson = (file: string) => JSON.parse(readFileSync(file, 'utf8'));
const expected: { losses: number[]; scores: Record<string, number[]> } = readJson(path.join(folder, 'expected.json'));
const rows = readFileSync(path.join(folder, 'rows.jsonl'), 'utf8')
  .split('\n')
  .filter(Boolean)
  .map((line) => JSON.parse(line));

const { model, weights, tokenizer, json } = await loadModel(path.join(folder, 'student'), {
  head: 'sequence-classification',
});
const loss = distillationLoss(model.output, { lambda: 0.5, temperature: 1 });
const learningRate = schedules.linear({ peak: 3e-3, warmupSteps: 10, totalSteps: expected.losses.length });
const trainer = await createTrainer(trainingProgram(model, { loss, weights, weightDecay: 0.1 }), { learningRate });
let worst = 0;
for (const [step, theirs] of expected.losses.entries()) {
  const batch = rows.slice(step * BATCH, (step + 1) * BATCH);
  const texts = batch.map(({ prompt, response }) => tokenizer.encode(prompt, response, { maxLength: 128 }));
  const labels = { labels: batch.map(({ label }) => label), softLabels: batch.map(({ soft_label }) => soft_label) };
  const { loss: ours } = await trainer.step(collate(texts, model.config, labels));
  worst = Math.max(worst, Math.abs(ours - theirs));
}
console.log(`losses of ${expected.losses.length} steps: largest difference ${worst.toExponential(1)}`);

const plain = buildModel(json, { head: 'sequence-classification' });
const predictor = await trainer.predictor(plain.graph, new Map([['logits', plain.output]]));
const readers = { openai_moderation_eval: formats['harmaug-moderation'], harmbench_eval: formats['harmbench-pairs'] };
let isRight = worst < 1e-3;
for (const [name, { read }] of Object.entries(readers)) {
  const texts = readJson(path.join(data, 'official', `${name}.json`)).map((record: Record<string, unknown>) => {
    const { prompt, response } = read(record) as { prompt: string; response?: string };
    return tokenizer.encode(prompt, response, { maxLength: 256 });
  });
  const classify = async (batch: Batch) => ({ logits: (await predictor.run(batch)).logits!.data });
  const { margins } = await scoreEncoded(classify, texts, model.config);
  const r = correlation(Array.from(margins, sigmoid), expected.scores[name]!);
  console.log(`${name}: correlation of ${texts.length} scores ${r.toFixed(6)}`);
  isRight &&= r > 0.999;
}
await predictor.dispose();
await trainer.dispose();
process.exitCode = isRight ? 0 : 1;

/** Pearson's r. */
function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  const [da, db] = [a.map((value) => value - meanA), b.map((value) => value - meanB)];
  const product = (x: readonly number[], y: readonly number[]) => x.reduce((sum, value, at) => sum + value * y[at]!, 0);
  return product(da, db) / Math.sqrt(product(da, da) * product(db, db));
}
