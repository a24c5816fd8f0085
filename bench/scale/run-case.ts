/** One case in a process of its own, so that its memory is its own: `node run-case.ts <case as JSON>` prints the result. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildModel, initialize, mulberry32, trainingProgram } from '@harmaug/models';
import { loadWeights, saveModel } from '@harmaug/models/node';
import { crossEntropy } from 'onnx-grad';
import { createTrainer } from 'onnx-grad/node';
import { timed } from '../rounds.ts';
import type { ScaleCase, ScaleResult } from './cases.ts';

const head = 'sequence-classification';

async function runCase({ config, batch, length, steps, isSaved }: ScaleCase): Promise<ScaleResult> {
  const model = buildModel(config, { head, training: true });
  const { vocabSize, initializerRange } = model.config;
  const specs = [...model.scope.parameters.values()];
  const fresh = new Map(specs.map((spec) => [spec.name, initialize(spec, initializerRange, 1)]));
  const loss = crossEntropy(model.output, model.graph.input('labels', 'int64', ['batch']));
  const program = trainingProgram(model, { loss, weights: fresh, weightDecay: 0.1 });
  const trainer = await createTrainer(program, { learningRate: 3e-5, clipNorm: 1, seed: 1 });
  const uniform = mulberry32(1);
  const stepMs: number[] = [];
  for (let step = 0; step < steps; step++) {
    const ids = BigInt64Array.from({ length: batch * length }, () =>
      BigInt(5 + Math.floor(uniform() * (vocabSize - 5))),
    );
    const tokens = (data: BigInt64Array) => ({ dtype: 'int64' as const, dims: [batch, length], data });
    const labels = BigInt64Array.from({ length: batch }, (_, row) => BigInt(row % 2));
    const { ms } = await timed(() =>
      trainer.step({
        input_ids: tokens(ids),
        attention_mask: tokens(new BigInt64Array(ids.length).fill(1n)),
        ...(model.inputs.tokenTypeIds ? { token_type_ids: tokens(new BigInt64Array(ids.length)) } : {}),
        labels: { dtype: 'int64', dims: [batch], data: labels },
      }),
    );
    stepMs.push(ms);
  }
  const saved = isSaved ? await saveAndLoad(config, model, await trainer.parameters()) : { saveMs: null, loadMs: null };
  await trainer.dispose();
  const parameters = specs.reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
  return { parameters, stepMs, ...saved, peakGiB: process.resourceUsage().maxRSS / 2 ** 20 };
}

async function saveAndLoad(
  json: ScaleCase['config'],
  model: ReturnType<typeof buildModel>,
  weights: ReadonlyMap<string, Float32Array>,
): Promise<{ saveMs: number; loadMs: number }> {
  const folder = mkdtempSync(path.join(tmpdir(), 'harmaug-scale-'));
  try {
    const { ms: saveMs } = await timed(() => saveModel(folder, { json, model, weights }));
    const { ms: loadMs } = await timed(() => loadWeights(folder, { head }));
    return { saveMs, loadMs };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

process.stdout.write(`${JSON.stringify(await runCase(JSON.parse(process.argv[2]!)))}\n`);
