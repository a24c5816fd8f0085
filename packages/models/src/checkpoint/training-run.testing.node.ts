/** A tiny run with dropout and batches by length, to be broken off and resumed; for tests, in this process or another. */
import { crossEntropy } from 'onnx-grad';
import { createTrainer } from 'onnx-grad/node';
import { collate } from '../data/collate.ts';
import { type DataPosition, lengthBatches } from '../data/length-batches.ts';
import { initialize, mulberry32 } from '../initialize.ts';
import { buildModel } from '../model.ts';
import { trainingProgram } from '../training.ts';
import { loadTraining, saveTraining } from './training.node.ts';

const json = {
  model_type: 'bert',
  vocab_size: 50,
  hidden_size: 16,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 32,
  max_position_embeddings: 32,
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.1,
};
const SEED = 5;
const DATA_HASH = `sha256:${'0'.repeat(64)}`;

const uniform = mulberry32(9);
const rows = Array.from({ length: 20 }, () => {
  const ids = Array.from({ length: 2 + Math.floor(uniform() * 20) }, () => Math.floor(uniform() * 50));
  return { ids, typeIds: ids.map(() => 0), label: ids[0]! % 2 };
});
const lengths = rows.map(({ ids }) => ids.length);

/** Trains `steps` steps from the start or from a checkpoint. @returns their losses */
export async function run(steps: number, { from, to }: { from?: string; to?: string } = {}): Promise<number[]> {
  const saved = from === undefined ? undefined : await loadTraining(from);
  const model = buildModel(saved?.json ?? json, { head: 'sequence-classification', training: true });
  const fresh = [...model.scope.parameters].map(([name, spec]) => [name, initialize(spec, 0.02, SEED)] as const);
  const loss = crossEntropy(model.output, model.graph.input('labels', 'int64', ['batch']));
  const program = trainingProgram(model, {
    loss,
    weights: saved?.state.parameters ?? new Map(fresh),
    weightDecay: 0.1,
  });
  const trainer = await createTrainer(program, { learningRate: 1e-2, seed: SEED, threads: 2 });
  if (saved) await trainer.restore(saved.state);
  let position: DataPosition = saved?.position ?? { epoch: 0, index: 0 };
  const losses: number[] = [];
  while (losses.length < steps) {
    const batches = lengthBatches(lengths, { batchSize: 4, seed: SEED, epoch: position.epoch });
    const batch = batches[position.index]!.map((row) => rows[row]!);
    losses.push((await trainer.step(collate(batch, model.config, { labels: batch.map(({ label }) => label) }))).loss);
    const isLast = position.index === batches.length - 1;
    position = isLast ? { epoch: position.epoch + 1, index: 0 } : { ...position, index: position.index + 1 };
  }
  const state = await trainer.state();
  if (to !== undefined)
    await saveTraining(to, { json, model, state, position, options: { batchSize: 4 }, dataHash: DATA_HASH });
  await trainer.dispose();
  return losses;
}

/** `node <this file> steps <n> [from] [to]` prints the losses; `node <this file> save <folder>` saves without end. */
const [command, ...rest] = process.argv[1] === import.meta.filename ? process.argv.slice(2) : [];
if (command === 'steps') {
  const [steps, from, to] = rest;
  process.stdout.write(JSON.stringify(await run(Number(steps), { ...(from ? { from } : {}), ...(to ? { to } : {}) })));
}
if (command === 'save') {
  const { json, state, position, options, dataHash } = await loadTraining(rest[0]!);
  const model = buildModel(json, { head: 'sequence-classification' });
  for (let step = state.step; ; step++) {
    await saveTraining(rest[0]!, { json, model, state: { ...state, step }, position, options, dataHash });
  }
}
