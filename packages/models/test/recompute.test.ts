/** Gradient checkpointing changes no number, and onnxruntime really computes the layers again. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Batch, crossEntropy, emitModel, planGradients, type TrainingProgram } from 'onnx-grad';
import { createSession, createTrainer, readModelFile } from 'onnx-grad/node';
import { describe, expect, it, onTestFinished } from 'vitest';
import { loadWeights } from '../src/load.node.ts';
import { trainingProgram } from '../src/training.ts';
import { largestDifference, norm, readOracle, toBatchTensor } from './oracle-cases.node.ts';

interface Setup {
  readonly program: TrainingProgram;
  readonly batch: Batch;
  readonly layers: number;
}

async function setUp(name: string, recompute: boolean): Promise<Setup> {
  const { folder, tensors } = await readOracle(name);
  const { model, weights } = await loadWeights(folder, { head: 'sequence-classification', training: true, recompute });
  const loss = crossEntropy(model.output, model.graph.input('labels', 'int64', ['batch']));
  const inputs = ['input_ids', 'attention_mask', 'labels', ...(model.inputs.tokenTypeIds ? ['token_type_ids'] : [])];
  return {
    program: trainingProgram(model, { loss, weights }),
    batch: Object.fromEntries(inputs.map((input) => [input, toBatchTensor(tensors.get(input)!)])),
    layers: model.config.layers,
  };
}

/** Loss and gradients of a first step with dropout: ten times the first moments. */
async function firstStep({ program, batch }: Setup) {
  const trainer = await createTrainer(program, { learningRate: 1e-3, clipNorm: null, seed: 4, threads: 1 });
  const { loss } = await trainer.step(batch);
  const { firstMoments } = await trainer.state();
  await trainer.dispose();
  return { loss, gradients: new Map([...firstMoments].map(([of, values]) => [of, values.map((x) => 10 * x)])) };
}

/** Matrix products in the graph that onnxruntime makes of a training step. */
async function countProducts({ program }: Setup, keepDuplicates: boolean): Promise<number> {
  const folder = await mkdtemp(path.join(tmpdir(), 'harmaug-models-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const optimizedModelPath = path.join(folder, 'optimized.onnx');
  const plan = planGradients(program, { byRows: true });
  const outputs = plan.map(({ parameter, gradient }) => [`gradient:${parameter.name}`, gradient] as const);
  const model = emitModel(program.graph, new Map([['loss', program.loss], ...outputs]));
  const session = await createSession(model, { threads: 1, keepDuplicates, optimizedModelPath });
  await session.release();
  const { graph } = await readModelFile(optimizedModelPath);
  return graph.nodes.filter(({ opType }) => opType === 'Gemm').length;
}

/** Products in a layer: query, key, value, output, two of the feed-forward part; DeBERTa's two projections of positions. */
const families = [
  { name: 'bert-tiny', ofText: 6, ofPositions: 0 },
  { name: 'deberta-tiny', ofText: 6, ofPositions: 2 },
];

describe.each(families)('recomputing the layers of $name', ({ name, ofText, ofPositions }) => {
  it('gives the loss and the gradients of keeping them, with dropout', async () => {
    const [kept, again] = [await firstStep(await setUp(name, false)), await firstStep(await setUp(name, true))];
    expect(Math.abs(again.loss - kept.loss)).toBeLessThan(1e-6);
    const largest = Math.max(...[...kept.gradients.values()].map(norm));
    for (const [parameter, values] of kept.gradients) {
      expect(largestDifference(again.gradients.get(parameter)!, values) / largest).toBeLessThan(1e-6);
    }
  });

  it('is done by onnxruntime, with all products only where equal nodes are kept apart', async () => {
    const [plain, recomputed] = [await setUp(name, false), await setUp(name, true)];
    const kept = await countProducts(plain, true);
    expect(await countProducts(recomputed, true)).toBe(kept + recomputed.layers * (ofText + ofPositions));
    // What does not read the layer's input is merged with the forward pass
    expect(await countProducts(recomputed, false)).toBe(kept + recomputed.layers * ofText);
  });
});
