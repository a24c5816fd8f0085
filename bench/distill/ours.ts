/** Our side of the distillation benchmark: the product's own parts, step by step so that both sides take turns. */
import { buildModel, collate, trainingProgram } from '@harmaug/models';
import { loadModel } from '@harmaug/models/node';
import { schedules } from 'onnx-grad';
import { createTrainer } from 'onnx-grad/node';
import { readRows } from '../../packages/harmaug/src/data/read.node.ts';
import { epochBatches } from '../../packages/harmaug/src/distill/epoch.ts';
import { distillationLoss } from '../../packages/harmaug/src/distill/objective.ts';
import { prepareData } from '../../packages/harmaug/src/distill/prepare.node.ts';
import { LABELS } from '../../packages/harmaug/src/distill/run.node.ts';
import { checkSettings } from '../../packages/harmaug/src/distill/settings.ts';
import { scoreEncoded, sigmoid } from '../../packages/harmaug/src/scoring/score-encoded.ts';
import { timed } from '../rounds.ts';
import type { DistillCase } from './case.ts';

export interface DistillSide {
  readonly steps: number;
  readonly parameters: number;
  /** Milliseconds of each of the next `n` steps. */
  train(n: number): Promise<number[]>;
  /** p(unsafe) of the validation rows, in their order. */
  scores(): Promise<number[]>;
  dispose(): Promise<void>;
}

export async function openOurs(bench: DistillCase, threads: number): Promise<DistillSide> {
  const { batch: batchSize, maxLength, epochs, learningRate: peak, warmupSteps, seed } = bench;
  const settings = checkSettings({ lambda: 0, sampling: 'plain', validationShare: 0, batchSize, maxLength, epochs });
  const [{ rows: trainRows }, { rows: validationRows }] = [
    await readRows([bench.train]),
    await readRows([bench.validation]),
  ];
  const encode = (seedRows: typeof trainRows) => prepareData(bench.model, { seedRows, syntheticRows: [] }, settings);
  const [data, validation] = [await encode(trainRows), await encode(validationRows)];
  const head = 'sequence-classification';
  const loaded = await loadModel(bench.model, { head, labels: LABELS, training: true, initialiseHead: true, seed });
  const { model, weights } = loaded;
  const labels = data.targets.map(({ label }) => label);
  const shown = { lengths: data.lengths, labels, isSynthetic: data.isSynthetic };
  const queue = Array.from({ length: epochs }, (_, epoch) => epochBatches(shown, settings, { seed, epoch })).flat();
  const totalSteps = queue.length;
  const loss = distillationLoss(model.output, settings);
  const program = trainingProgram(model, { loss, weights, weightDecay: 0.1 });
  const learningRate = schedules.linear({ peak, warmupSteps, totalSteps });
  const trainer = await createTrainer(program, { learningRate, seed, threads });
  const plain = buildModel(loaded.json, { head });
  const predictor = await trainer.predictor(plain.graph, new Map([['logits', plain.output]]));
  return {
    steps: totalSteps,
    parameters: program.parameters.reduce((sum, { initial }) => sum + initial.length, 0),
    async train(n) {
      const times: number[] = [];
      for (const batch of queue.splice(0, n)) {
        const { ms } = await timed(async () => {
          const texts = batch.map((row) => data.encoded[row]!);
          await trainer.step(collate(texts, model.config, { labels: batch.map((row) => labels[row]!) }));
        });
        times.push(ms);
      }
      return times;
    },
    async scores() {
      const { margins } = await scoreEncoded(
        async (batch) => ({ logits: (await predictor.run(batch)).logits!.data }),
        validation.encoded,
        model.config,
      );
      return Array.from(margins, sigmoid);
    },
    async dispose() {
      await predictor.dispose();
      await trainer.dispose();
    },
  };
}
