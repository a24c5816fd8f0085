/** The side of the training benchmark that is ours: the same cases as `peers/train_peer.py`, on onnx-grad and models. */
import { readFileSync } from 'node:fs';
import {
  buildModel,
  collate,
  computedPerReal,
  initialize,
  lengthBatches,
  type Model,
  mulberry32,
  type Precision,
  paddedTokens,
  trainingProgram,
} from '@harmaug/models';
import { loadModel } from '@harmaug/models/node';
import { crossEntropy, planGradients, productFlops, type Trainer, type TrainingProgram } from 'onnx-grad';
import { createTrainer } from 'onnx-grad/node';
import { spread } from '../train/spread.ts';

const SEED = 1;

/** An encoder of a given shape with a two-label head, trained on batches of random ids of full length. */
export interface FixedCase {
  readonly family: keyof typeof familyConfigs;
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly intermediate: number;
  readonly vocab: number;
  readonly batch: number;
  /** Tokens of each row; there are max(512, length) positions. */
  readonly length: number;
  /** Probability, of hidden states and of attention alike; 0 is off. */
  readonly dropout: number;
  /** Of the layers' products on our side. Default float32. */
  readonly precision?: Precision;
  readonly threads: number;
}

/** One epoch of labelled prompts on pretrained weights, dropout as their config has it. */
export interface RealCase {
  /** Hugging Face folder of the weights and the tokenizer. */
  readonly model: string;
  /** JSONL with `prompt` and `label`. */
  readonly data: string;
  readonly batch: number;
  readonly maxLength: number;
  readonly threads: number;
}

export interface FixedRun {
  readonly parameters: number;
  /** Floating-point operations of one step's matrix products, as its graph has them. */
  readonly flops: number;
  /** A whole training step on a fresh batch: forward, backward, clipping to norm 1.0, AdamW. */
  step(): Promise<void>;
  dispose(): Promise<void>;
}

export interface RealRun {
  readonly parameters: number;
  /** How many batches `train` can be asked for. */
  readonly batches: number;
  /** Tokens computed for each real one, over the whole epoch. */
  readonly computedPerReal: number;
  /** A whole training step on the batch of this index, as `FixedRun.step`; `loss` is the batch's mean. */
  train(index: number): Promise<{ samples: number; loss: number }>;
  dispose(): Promise<void>;
}

export interface Ours {
  openFixed(fixed: FixedCase): Promise<FixedRun>;
  /**
   * @param limit number of batches that stand for the epoch, chosen by `spread` (train/spread.ts) from the tokens each
   *              computes; absent: the whole epoch in its order. AdamW 3e-5 constant, weight decay 0.1 but none on
   *              biases and norms, as the peer's.
   */
  openReal(real: RealCase, limit?: number): Promise<RealRun>;
}

export const ours: Ours = {
  async openFixed(fixed) {
    const { precision = 'float32' } = fixed;
    const model = buildModel(hubConfig(fixed), { head: 'sequence-classification', training: true, precision });
    const program = openProgram(model, freshWeights(model));
    const trainer = await openTrainer(program, fixed.threads);
    const uniform = mulberry32(1);
    const { batch, length, vocab } = fixed;
    return {
      parameters: countParameters(model),
      flops: countFlops(program, { batch, length }),
      async step() {
        const ids = BigInt64Array.from({ length: batch * length }, () =>
          BigInt(1 + Math.floor(uniform() * (vocab - 1))),
        );
        const labels = BigInt64Array.from({ length: batch }, () => BigInt(uniform() < 0.5 ? 0 : 1));
        const tokens = (data: BigInt64Array) => ({ dtype: 'int64' as const, dims: [batch, length], data });
        await trainer.step({
          input_ids: tokens(ids),
          attention_mask: tokens(new BigInt64Array(ids.length).fill(1n)),
          ...(model.inputs.tokenTypeIds ? { token_type_ids: tokens(new BigInt64Array(ids.length)) } : {}),
          labels: { dtype: 'int64', dims: [batch], data: labels },
        });
      },
      dispose: () => trainer.dispose(),
    };
  },

  async openReal({ model: folder, data, batch: batchSize, maxLength, threads }, limit) {
    const { model, weights, tokenizer } = await loadModel(folder, {
      head: 'sequence-classification',
      labels: 2,
      training: true,
      initialiseHead: true,
      seed: SEED,
    });
    const rows = readRows(data).map(({ prompt, label }) => ({
      ...tokenizer.encode(prompt, undefined, { maxLength }),
      label,
    }));
    const lengths = rows.map(({ ids }) => ids.length);
    const epoch = lengthBatches(lengths, { batchSize, seed: SEED, epoch: 0 });
    const costs = epoch.map((batch) => paddedTokens(lengths, batch));
    const chosen = limit === undefined ? epoch : spread(costs, limit).map((index) => epoch[index]!);
    const trainer = await openTrainer(openProgram(model, weights), threads);
    return {
      parameters: countParameters(model),
      batches: chosen.length,
      computedPerReal: computedPerReal(lengths, epoch),
      async train(index) {
        const texts = chosen[index]!.map((row) => rows[row]!);
        const { loss } = await trainer.step(collate(texts, model.config, { labels: texts.map(({ label }) => label) }));
        return { samples: texts.length, loss };
      },
      dispose: () => trainer.dispose(),
    };
  },
};

/** Rows of the JSONL file; an error names a line, never its text. */
function readRows(file: string): { prompt: string; label: number }[] {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean);
  return lines.map((line, index) => {
    const { prompt, label } = JSON.parse(line) as { prompt: unknown; label: unknown };
    if (typeof prompt === 'string' && (label === 0 || label === 1)) return { prompt, label };
    throw new Error(`${file} line ${index + 1}: expected a "prompt" and a "label" of 0 or 1.`);
  });
}

/** Weight decay as the peer has it: 0.1, but none on biases and norms. */
function openProgram(model: Model, weights: ReadonlyMap<string, Float32Array>): TrainingProgram {
  const loss = crossEntropy(model.output, model.graph.input('labels', 'int64', ['batch']));
  return trainingProgram(model, { loss, weights, weightDecay: 0.1 });
}

function openTrainer(program: TrainingProgram, threads: number): Promise<Trainer> {
  return createTrainer(program, { learningRate: 3e-5, clipNorm: 1, seed: SEED, threads });
}

function countFlops(program: TrainingProgram, sizes: Record<string, number>): number {
  const plan = planGradients(program, { byRows: true });
  return productFlops([program.loss, ...plan.map(({ gradient }) => gradient)], sizes);
}

function freshWeights({ scope, config }: Model): Map<string, Float32Array> {
  return new Map([...scope.parameters].map(([name, spec]) => [name, initialize(spec, config.initializerRange, SEED)]));
}

function countParameters({ scope }: Model): number {
  return [...scope.parameters.values()].reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
}

/** The case as a config.json. */
function hubConfig(fixed: FixedCase): Record<string, unknown> {
  return {
    model_type: fixed.family,
    hidden_size: fixed.hidden,
    num_hidden_layers: fixed.layers,
    num_attention_heads: fixed.heads,
    intermediate_size: fixed.intermediate,
    vocab_size: fixed.vocab,
    max_position_embeddings: Math.max(512, fixed.length),
    hidden_dropout_prob: fixed.dropout,
    attention_probs_dropout_prob: fixed.dropout,
    ...familyConfigs[fixed.family](fixed),
  };
}

/** What the families' models have beside their shape. */
const familyConfigs = {
  bert: () => ({}),
  'deberta-v2': () => ({
    relative_attention: true,
    pos_att_type: ['p2c', 'c2p'],
    share_att_key: true,
    norm_rel_ebd: 'layer_norm',
    position_buckets: 256,
    position_biased_input: false,
    type_vocab_size: 0,
  }),
  modernbert: () => ({ local_rope_theta: 160_000 }), // Ettin's
  roberta: ({ length }: { length: number }) => ({
    max_position_embeddings: Math.max(512, length) + 2,
    pad_token_id: 1,
    type_vocab_size: 1,
    layer_norm_eps: 1e-5,
  }),
};
