/** A little BERT from nothing, with a WordPiece vocabulary of the words at hand: enough to see training work. */
import { buildModel, initialize, loadTokenizer } from '@harmaug/models';
import type { LoadedModel } from '@harmaug/models/node';

const MOST_WORDS = 4000;

export function freshModel(
  texts: readonly string[],
  { labels, seed }: { labels: readonly string[]; seed: number },
): LoadedModel {
  const vocabulary = readVocabulary(texts);
  const tokenizerFiles = new Map([['vocab.txt', new TextEncoder().encode(vocabulary.join('\n'))]]);
  const json = {
    model_type: 'bert',
    vocab_size: vocabulary.length,
    hidden_size: 64,
    num_hidden_layers: 2,
    num_attention_heads: 4,
    intermediate_size: 128,
    max_position_embeddings: 128,
    id2label: Object.fromEntries(labels.map((label, index) => [index, label])),
    label2id: Object.fromEntries(labels.map((label, index) => [label, index])),
  };
  const model = buildModel(json, { head: 'sequence-classification', training: true });
  const { initializerRange } = model.config;
  const weights = new Map(
    [...model.scope.parameters].map(([name, spec]) => [name, initialize(spec, initializerRange, seed)]),
  );
  return { json, model, weights, fresh: [...weights.keys()], tokenizerFiles, tokenizer: loadTokenizer(tokenizerFiles) };
}

/** Special tokens, the letters alone and inside words, and the most frequent words. */
function readVocabulary(texts: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const word of texts.flatMap((text) => text.toLowerCase().match(/\p{L}+|\p{N}+|[^\p{L}\p{N}\s]/gu) ?? [])) {
    counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  const words = [...counts].sort((a, b) => b[1] - a[1]).map(([word]) => word);
  const letters = [...new Set(words.join(''))];
  const pieces = [...letters, ...letters.map((letter) => `##${letter}`), ...words.slice(0, MOST_WORDS)];
  return ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', ...new Set(pieces)];
}
