/** What a model costs by its shape alone: parameters, and operations of its matrix products. No weights are read. */
import { createGraph, productFlops } from 'onnx-grad';
import type { BaseConfig } from './backbone.ts';
import { backboneFor } from './backbones.ts';
import type { DebertaConfig } from './encoders/deberta-v2.ts';
import type { ModernBertConfig } from './encoders/modernbert.ts';
import { buildModel, type Head } from './model.ts';
import { Scope } from './scope.ts';

/** A guard with a head of its own, or a language model whose next word is read. */
export type JudgingHead = Extract<Head, 'sequence-classification' | 'causal-lm'>;

export interface ModelShape {
  readonly modelType: string;
  readonly head: JudgingHead;
  /** Tokens it has positions for; `null` for any number. */
  readonly maxLength: number | null;
  readonly parameters: number;
  /** Without the tables that are looked up: words, positions, token types. */
  readonly parametersWithoutEmbeddings: number;
  /**
   * Floating-point operations to judge `batch` texts of `tokens` tokens, 2 for a multiplication with its addition, as
   * torch.utils.flop_counter counts transformers: every token through every layer, then the head for one token.
   * @throws ShapeError for sizes that are none
   */
  flops(tokens: number, batch?: number): number;
  /** The same of the graph that runs here: its last layer is for one token, its attention for what can be seen. */
  ownFlops(tokens: number, batch?: number): number;
}

/**
 * @param json config.json
 * @param head default: that of its `architectures`, else a classifier's for an encoder and a language model's for a decoder
 * @example modelShape({ model_type: 'llama', hidden_size: 4096, … }).flops(512)
 * @throws FormatError where the config is not one of ours
 */
export function modelShape(json: Readonly<Record<string, unknown>>, head = headOf(json), file?: string): ModelShape {
  const backbone = backboneFor(json, file);
  const own = buildModel(json, { head, ...(file === undefined ? {} : { file }) });
  const everyToken = buildModel(json, { head: 'none' });
  const { config } = own;
  const graph = createGraph();
  const pooled = graph.input('pooled', 'float32', ['batch', config.hiddenSize]);
  const scope = new Scope(graph);
  const isClassifier = head === 'sequence-classification';
  const verdict = isClassifier
    ? backbone.classify(scope, pooled, config)
    : backbone.predictTokens(scope, pooled, config);
  const difference = differences[backbone.modelType] ?? (() => 0);
  const counts = [...own.scope.parameters.values()].map(({ name, shape }) => {
    return { isTable: TABLE.test(name), count: shape.reduce((a, b) => a * b, 1) };
  });
  const total = (list: typeof counts) => list.reduce((sum, { count }) => sum + count, 0);
  return {
    modelType: backbone.modelType,
    head,
    maxLength: config.maxLength,
    parameters: total(counts),
    parametersWithoutEmbeddings: total(counts.filter(({ isTable }) => !isTable)),
    flops(length, batch = 1) {
      const body = productFlops([everyToken.output], { batch, length });
      return body + productFlops([verdict], { batch }) + difference(config, length, batch);
    },
    ownFlops: (length, batch = 1) => productFlops([isClassifier ? own.output : everyToken.output], { batch, length }),
  };
}

const TABLE = /(?:(?:word|tok|position|token_type)_embeddings|embed_tokens)\.weight$/;

function headOf({ architectures, model_type: modelType }: Readonly<Record<string, unknown>>): JudgingHead {
  const name = Array.isArray(architectures) ? String(architectures[0]) : '';
  if (/ForSequenceClassification$/.test(name)) return 'sequence-classification';
  return modelType === 'llama' || modelType === 'qwen2' ? 'causal-lm' : 'sequence-classification';
}

type Difference = (config: BaseConfig, tokens: number, batch: number) => number;

/** What transformers computes and our graph does not, in the layers for every token. */
const differences: Readonly<Record<string, Difference>> = {
  /** Products with every row of the table of positions, 2·span of them; ours are with the 2T offsets of the text. */
  'deberta-v2': (base, tokens, batch) => {
    const { relativeAttention, positionTerms, positionBuckets, maxRelativePositions, layers, hiddenSize } =
      base as DebertaConfig;
    if (!relativeAttention) return 0;
    const span = positionBuckets > 0 ? positionBuckets : maxRelativePositions;
    const rows = 2 * span - 2 * tokens;
    return layers * positionTerms.length * 2 * rows * hiddenSize * (hiddenSize + batch * tokens);
  },
  /** Attention to every token with a mask; ours, in layers that slide, is in windows once the text is long. */
  modernbert: (base, tokens, batch) => {
    const { layerTypes, reach, hiddenSize } = base as ModernBertConfig;
    if (tokens <= 3 * reach) return 0;
    const sliding = layerTypes.filter((type) => type === 'sliding_attention').length;
    const seen = Math.ceil(tokens / reach) * reach * 3 * reach;
    return sliding * 4 * batch * hiddenSize * (tokens * tokens - seen);
  },
};
