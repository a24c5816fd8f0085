/** Fifty AdamW steps from the same weights on the same batches, beside PyTorch: losses, norms and rates of each. */
import path from 'node:path';
import { crossEntropy, type StepResult, schedules } from 'onnx-grad';
import { createTrainer } from 'onnx-grad/node';
import { expect, it } from 'vitest';
import { readSafetensors } from '../src/checkpoint/safetensors.node.ts';
import { loadWeights } from '../src/load.node.ts';
import { trainingProgram } from '../src/training.ts';
import { largestDifference, oracleFolder, toBatchTensor, toFloats } from './oracle-cases.node.ts';

it.each(['steps50-bert', 'steps50-deberta', 'steps50-roberta', 'steps50-modernbert', 'steps50-qwen2'])(
  '%s',
  async (name) => {
    const folder = path.join(oracleFolder, name);
    const stacked = await readSafetensors(path.join(folder, 'batches.safetensors'));
    const { model, weights } = await loadWeights(folder, { head: 'sequence-classification' }); // dropout off
    const loss = crossEntropy(model.output, model.graph.input('labels', 'int64', ['batch']));
    const program = trainingProgram(model, { loss, weights, weightDecay: 0.1 });
    const learningRate = schedules.linear({ peak: 1e-3, warmupSteps: 10, totalSteps: 60 });
    const trainer = await createTrainer(program, { learningRate });
    const inputs = ['input_ids', 'attention_mask', 'labels', ...(model.inputs.tokenTypeIds ? ['token_type_ids'] : [])];
    const steps: StepResult[] = [];
    for (let step = 0; step < 50; step++) {
      const batch = inputs.map((input) => [input, toBatchTensor(stacked.get(input)!, step)] as const);
      steps.push(await trainer.step(Object.fromEntries(batch)));
    }
    await trainer.dispose();
    const difference = (column: 'loss' | 'gradNorm' | 'learningRate', reference: string) =>
      largestDifference(
        Float32Array.from(steps, (step) => step[column]),
        toFloats(stacked.get(reference)!),
      );
    expect(difference('loss', 'losses')).toBeLessThan(1e-3);
    expect(difference('gradNorm', 'grad_norms')).toBeLessThan(5e-3);
    expect(difference('learningRate', 'learning_rates')).toBeLessThan(1e-9);
    expect(steps.at(-1)!.loss).toBeLessThan(steps[0]!.loss); // it learns, so agreeing is no accident
  },
);
