/**
 * What Llama and Qwen2 share: norms before each part, rotary positions, attention to the tokens before, in which several
 * queries may share a key (grouped-query attention, Ainslie et al. 2023, arXiv:2305.13245), gated feed-forward parts.
 * They differ in defaults, biases and windows. Follows transformers, models/llama/modeling_llama.py.
 */
import { attention, type Dim, ops, type Value } from 'onnx-grad';
import { activate } from '../activations.ts';
import type { Backbone, BaseConfig, ModelInputs } from '../backbone.ts';
import { embedding, linear, maskingBias, mergeHeads, rmsNorm, splitHeads } from '../layers.ts';
import type { Angles } from '../rotary.ts';
import type { Scope } from '../scope.ts';
import { decoderAngles, type Rotary } from './rotary-scaling.ts';

export interface DecoderConfig extends BaseConfig {
  readonly heads: number;
  /** Heads of keys and values: a divisor of `heads`. */
  readonly keyHeads: number;
  readonly headSize: number;
  readonly intermediateSize: number;
  readonly attentionDropout: number;
  readonly rotary: Rotary;
  /** How many tokens a token of the layer sees, itself included; `null` for all before it. One a layer. */
  readonly windows: readonly (number | null)[];
  /** Which projections have a bias. */
  readonly biases: { readonly query: boolean; readonly output: boolean; readonly feedForward: boolean };
  /** Whether the language model's head reads the word embeddings. */
  readonly tieWords: boolean;
}

/** One token of each text: which, and how it is taken out of all. */
interface Choice {
  /** (B, 1, T) float32: 1 at the token, 0 elsewhere. */
  readonly isChosen: Value;
  readonly batch: Dim;
  readonly length: Dim;
}

/**
 * The text's last token: as transformers has it, the last whose id is not that of padding, or by the mask where the
 * config states none.
 */
function lastToken({ inputIds, attentionMask }: ModelInputs, padTokenId: number | null): Choice {
  const { graph } = inputIds;
  const [batch, length] = inputIds.dims as [Dim, Dim];
  const isPadding = ops.equal(inputIds, graph.integers([padTokenId ?? 0], []));
  const isText = padTokenId === null ? ops.cast(attentionMask, 'float32') : ops.cast(ops.not(isPadding), 'float32');
  const positions = ops.reshape(ops.cast(ops.range(graph, { limit: length }), 'float32'), [1, length]);
  const last = ops.reduceMax(ops.mul(positions, isText), { axes: [1], keepdims: true }); // (B, 1)
  const isChosen = ops.reshape(ops.cast(ops.equal(positions, last), 'float32'), [batch, 1, length]);
  return { isChosen, batch, length };
}

/** (B·T, E) -> (B, E). */
function choose(x: Value, { isChosen, batch, length }: Choice): Value {
  const size = x.dims[1] as number;
  return ops.reshape(ops.matMul(isChosen, ops.reshape(x, [batch, length, size])), [batch, size]);
}

/** Turns the one token of each text, (B, H, 1, D), by the angles of its place. */
function rotateChosen(x: Value, { cosine, sine }: Angles, { isChosen, batch }: Choice): Value {
  const half = (x.dims[3] as number) / 2;
  const [x1, x2] = ops.split(x, { axis: 3, sizes: [half, half] }) as [Value, Value];
  const at = (table: Value) => ops.reshape(ops.matMul(isChosen, table), [batch, 1, 1, half]);
  const [c, s] = [at(cosine), at(sine)];
  return ops.concat([ops.sub(ops.mul(x1, c), ops.mul(x2, s)), ops.add(ops.mul(x2, c), ops.mul(x1, s))], { axis: 3 });
}

/** 0 where token j is before i or i itself, within the window, and no padding; a large negative number elsewhere. (B, T, T) */
function causalBias(attentionMask: Value, window: number | null): Value {
  const { graph } = attentionMask;
  const [batch, length] = attentionMask.dims as [Dim, Dim];
  const positions = ops.range(graph, { limit: length });
  const [asking, asked] = [ops.reshape(positions, [length, 1]), ops.reshape(positions, [1, length])];
  const isBefore = ops.not(ops.less(asking, asked));
  const isNear =
    window === null ? isBefore : ops.and(isBefore, ops.less(ops.sub(asking, asked), graph.integers([window], [])));
  const isReal = ops.reshape(ops.equal(attentionMask, graph.integers([1], [])), [batch, 1, length]);
  return maskingBias(ops.cast(ops.and(isNear, isReal), 'float32'));
}

/** What the layers share. */
interface Surroundings {
  readonly angles: Angles;
  /** (B, 1, T, T) by window, G times below each other for G queries that share a key: (B, 1, G·T, T). */
  readonly biases: ReadonlyMap<number | null, Value>;
  /** Set in the last layer where one token alone is wanted. */
  readonly choice: Choice | null;
}

/**
 * x + attention(norm(x)). The queries that share a key lie below each other, as if the text were G times as long: no key
 * is copied, and the keys' gradients add up in the product.
 */
function attend(scope: Scope, x: Value, at: string, layer: number, config: DecoderConfig, around: Surroundings): Value {
  const { heads, keyHeads, headSize, biases, attentionDropout, hiddenSize } = config;
  const { angles, choice } = around;
  const bias = around.biases.get(config.windows[layer]!)!;
  const [batch, , , length] = bias.dims as [Dim, 1, Dim, Dim];
  const group = heads / keyHeads;
  const normed = rmsNorm(scope, x, `${at}.input_layernorm`, config.layerNormEpsilon);
  const project = (input: Value, name: string, count: number) =>
    linear(scope, input, `${at}.self_attn.${name}`, count * headSize, { bias: biases.query });
  const key = ops.rotaryEmbedding(
    splitHeads(project(normed, 'k_proj', keyHeads), batch, length, keyHeads),
    angles.cosine,
    angles.sine,
  );
  const value = splitHeads(project(normed, 'v_proj', keyHeads), batch, length, keyHeads);
  const asking = choice ? choose(normed, choice) : normed;
  const askingLength = choice ? 1 : length;
  const unturned = splitHeads(project(asking, 'q_proj', heads), batch, askingLength, heads);
  const query = choice
    ? rotateChosen(unturned, angles, choice)
    : ops.rotaryEmbedding(unturned, angles.cosine, angles.sine);
  const mask = scope.dropoutMask([batch, heads, askingLength, length], attentionDropout, `${at}.self_attn`);
  const stacked = (tensor: Value) =>
    group === 1 ? tensor : ops.reshape(tensor, [batch, keyHeads, -1, tensor.dims[3]!]);
  const context = attention(stacked(query), key, value, {
    scale: 1 / Math.sqrt(headSize),
    biases: [choice ? chosenBias(bias, group, choice) : bias],
    dropoutMask: mask && stacked(mask),
  });
  const unstacked = group === 1 ? context : ops.reshape(context, [batch, heads, askingLength, headSize]);
  const attended = linear(scope, mergeHeads(unstacked), `${at}.self_attn.o_proj`, hiddenSize, { bias: biases.output });
  return ops.add(choice ? choose(x, choice) : x, attended);
}

/** The chosen token's row of the bias: (B, 1, G·T, T) -> (B, 1, 1, T). */
function chosenBias(bias: Value, group: number, { isChosen, batch, length }: Choice): Value {
  const rows = ops.reshape(bias, [batch, group, length, length]);
  const first = group === 1 ? rows : ops.slice(rows, { axis: 1, end: 1 });
  return ops.reshape(ops.matMul(isChosen, ops.reshape(first, [batch, length, length])), [batch, 1, 1, length]);
}

/** x + down(act(gate) ∘ up), gate and up two projections of norm(x). */
function feedForward(scope: Scope, x: Value, at: string, config: DecoderConfig): Value {
  const { hiddenSize, intermediateSize, biases, layerNormEpsilon } = config;
  const normed = rmsNorm(scope, x, `${at}.post_attention_layernorm`, layerNormEpsilon);
  const project = (input: Value, name: string, size: number) =>
    linear(scope, input, `${at}.mlp.${name}`, size, { bias: biases.feedForward });
  const gate = activate(config.hiddenActivation, project(normed, 'gate_proj', intermediateSize));
  const gated = ops.mul(gate, project(normed, 'up_proj', intermediateSize));
  return ops.add(x, project(gated, 'down_proj', hiddenSize));
}

const WORDS = 'model.embed_tokens';

/** The backbone of a family whose config is read by `parseConfig`. */
export function decoder(
  family: Pick<Backbone<DecoderConfig>, 'modelType' | 'className' | 'parseConfig'>,
): Backbone<DecoderConfig> {
  return {
    ...family,
    prefix: 'model',
    languageModel: 'causal-lm',
    heads: ['score', 'lm_head'],
    idle: ['rotary_emb.inv_freq'],

    encode(scope, inputs, config, wanted) {
      const { vocabSize, hiddenSize, padTokenId, layers, windows, heads, keyHeads } = config;
      const [batch, length] = inputs.inputIds.dims as [Dim, Dim];
      const group = heads / keyHeads;
      const vocabulary = { rows: vocabSize, size: hiddenSize, paddingId: padTokenId };
      const biases = new Map(
        [...new Set(windows)].map((window) => {
          const bias = ops.reshape(causalBias(inputs.attentionMask, window), [batch, 1, length, length]);
          const stacked = group === 1 ? bias : ops.expand(bias, [batch, group, length, length]);
          return [window, ops.reshape(stacked, [batch, 1, -1, length])] as const;
        }),
      );
      const around = { angles: decoderAngles(scope, length, config.rotary), biases, choice: null };
      const last = { ...around, choice: wanted === 'one' ? lastToken(inputs, padTokenId) : null };
      let x = ops.flatten2d(embedding(scope, inputs.inputIds, WORDS, vocabulary));
      for (let layer = 0; layer < layers; layer++) {
        const at = `model.layers.${layer}`;
        const surroundings = layer === layers - 1 ? last : around;
        x = scope.layer([x], ([hidden]) => {
          return feedForward(scope, attend(scope, hidden!, at, layer, config, surroundings), at, config);
        });
      }
      return rmsNorm(scope, x, 'model.norm', config.layerNormEpsilon);
    },

    classify: (scope, pooled, { labels }) => linear(scope, pooled, 'score', labels, { bias: false }),

    predictTokens(scope, hidden, { vocabSize, hiddenSize, tieWords }) {
      const words = scope.parameter(tieWords ? `${WORDS}.weight` : 'lm_head.weight', [vocabSize, hiddenSize]);
      return ops.gemm(hidden, words, null, { transB: true });
    },
  };
}
