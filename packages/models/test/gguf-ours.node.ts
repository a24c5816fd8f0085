/** A causal LM on our own engine: trained a little on one text, and its probabilities of every next token. */
import { causalLanguageModelLoss, emitModel } from 'onnx-grad';
import { createSession, createTrainer } from 'onnx-grad/node';
import { Tensor } from 'onnxruntime-node';
import type { JsonObject } from '../src/files/json.ts';
import { buildModel, type Model } from '../src/model.ts';
import { trainingProgram } from '../src/training.ts';

export type Weights = ReadonlyMap<string, Float32Array>;

const [STEPS, RATE] = [8, 3e-3];

function tokens(ids: readonly number[]) {
  const data = BigInt64Array.from(ids, BigInt);
  return { dtype: 'int64' as const, dims: [1, ids.length], data };
}

export async function trainOnText(
  { json, weights }: { json: JsonObject; weights: Weights },
  ids: readonly number[],
): Promise<{ model: Model; weights: Map<string, Float32Array> }> {
  const training = buildModel(json, { head: 'causal-lm', training: true });
  const labels = training.graph.input('labels', 'int64', ['batch', 'length']);
  const program = trainingProgram(training, { weights, loss: causalLanguageModelLoss(training.output, labels) });
  const trainer = await createTrainer(program, { learningRate: RATE });
  const batch = { input_ids: tokens(ids), attention_mask: tokens(ids.map(() => 1)), labels: tokens(ids) };
  const losses: number[] = [];
  for (let step = 0; step < STEPS; step++) losses.push((await trainer.step(batch)).loss);
  if (!(losses.at(-1)! < losses[0]! - 0.1)) throw new Error(`It learned nothing: ${losses.join(', ')}`);
  const trained = await trainer.parameters();
  await trainer.dispose();
  return { model: buildModel(json, { head: 'causal-lm' }), weights: trained };
}

/** After each position, the probability of a token. */
export async function ourProbabilities(
  { graph, output }: Model,
  weights: Weights,
  ids: readonly number[],
): Promise<(position: number, id: number) => number> {
  const initializers = new Map(
    [...weights].map(([name, values]) => [name, new Uint8Array(values.buffer, values.byteOffset, values.byteLength)]),
  );
  const session = await createSession(emitModel(graph, new Map([['logits', output]]), { initializers }));
  const feed = ({ dims, data }: ReturnType<typeof tokens>) => new Tensor('int64', data, dims);
  const results = await session.run({ input_ids: feed(tokens(ids)), attention_mask: feed(tokens(ids.map(() => 1))) });
  await session.release();
  const logits = results.logits!.data as Float32Array;
  const size = logits.length / ids.length;
  const sums = ids.map((_, at) => {
    const row = logits.subarray(at * size, (at + 1) * size);
    const largest = Math.max(...row);
    return largest + Math.log(row.reduce((sum, value) => sum + Math.exp(value - largest), 0));
  });
  return (position, id) => Math.exp(logits[position * size + id]! - sums[position]!);
}
