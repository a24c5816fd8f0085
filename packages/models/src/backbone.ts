/** What every family of models provides, encoder or decoder, and the batch it reads. */
import type { Graph, Value } from 'onnx-grad';
import type { Activation } from './activations.ts';
import type { Scope } from './scope.ts';

/** int64 (B, T) inputs, named as Hugging Face models name them. */
export interface ModelInputs {
  readonly inputIds: Value;
  /** 1 for a token, 0 for padding. */
  readonly attentionMask: Value;
  /** Which text of a pair a token belongs to; `null` for models without token types. */
  readonly tokenTypeIds: Value | null;
}

/** What heads need to know of any family's config. */
export interface BaseConfig {
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly layers: number;
  readonly hiddenActivation: Activation;
  readonly hiddenDropout: number;
  readonly layerNormEpsilon: number;
  /** Deviation of fresh weights. */
  readonly initializerRange: number;
  readonly typeVocabSize: number;
  /** The longest input in tokens; `null` when positions are relative and any length goes. */
  readonly maxLength: number | null;
  /** The id of padding; its word embedding gets no gradient from look-ups. `null` for none. */
  readonly padTokenId: number | null;
  readonly labels: number;
}

/**
 * The tokens whose last hidden state is wanted: all, or the one that a classifier reads, which is an encoder's first and a
 * decoder's last. With 'one' the last layer computes its queries, its feed-forward part and its output for that token
 * alone: the same numbers, without the rest, which nothing would read.
 */
export type WantedTokens = 'all' | 'one';

/** What the family is trained to predict: words left out, or each next word. */
export type LanguageModel = 'masked-lm' | 'causal-lm';

export interface Backbone<Config extends BaseConfig = BaseConfig> {
  /** `model_type` in config.json. */
  readonly modelType: string;
  /** What Hugging Face's class names begin with: "Bert" of BertForSequenceClassification. */
  readonly className: string;
  /** What Hugging Face puts before the backbone's weight names in a model with a head: "bert". */
  readonly prefix: string;
  readonly languageModel: LanguageModel;
  /**
   * How the weight names of heads begin, of every task and without the prefix: "classifier". Those of a checkpoint that
   * the model does not read are left out, those that it lacks may start fresh.
   */
  readonly heads: readonly string[];
  /** The same of other weights that a checkpoint may have and the model not read. */
  readonly idle?: readonly string[];
  parseConfig(config: Readonly<Record<string, unknown>>, file?: string): Config;
  /** (B·T, E) last hidden states, or (B, E) with `wanted` 'one'. */
  encode(scope: Scope, inputs: ModelInputs, config: Config, wanted: WantedTokens): Value;
  /** What of the text the classifier reads: one token (default) or the mean over its tokens. */
  classifierPooling?(config: Config): 'one' | 'mean';
  /** (B, labels) logits from the text's (B, E) hidden state. */
  classify(scope: Scope, pooled: Value, config: Config): Value;
  /** (N, V) logits of the language model from (N, E) hidden states. */
  predictTokens(scope: Scope, hidden: Value, config: Config): Value;
}

/** Declares the batch's inputs with their named sizes "batch" and "length". */
export function declareInputs(graph: Graph, config: BaseConfig): ModelInputs {
  const dims = ['batch', 'length'];
  return {
    inputIds: graph.input('input_ids', 'int64', dims),
    attentionMask: graph.input('attention_mask', 'int64', dims),
    tokenTypeIds: config.typeVocabSize > 0 ? graph.input('token_type_ids', 'int64', dims) : null,
  };
}
