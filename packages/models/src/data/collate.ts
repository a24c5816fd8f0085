/** Encoded texts of different lengths as one batch of a trainer: padded on the right to the longest. */
import { type Batch, type BatchTensor, ConfigError, IGNORED_LABEL } from 'onnx-grad';
import type { BaseConfig } from '../backbone.ts';

/** What a tokenizer gives; arrays of any kind. */
export interface EncodedText {
  readonly ids: ArrayLike<number>;
  readonly typeIds: ArrayLike<number>;
}

export interface BatchLabels {
  /** Class numbers, or -100 for rows to leave out: `labels`, int64 (B). */
  readonly labels?: readonly number[];
  /** Probabilities of the second of two classes, p(unsafe): `soft_labels`, float32 (B, 2). */
  readonly softLabels?: readonly number[];
  /** Numbers of hazard categories, or -100 for rows without: `category_labels`, int64 (B). */
  readonly categoryLabels?: readonly number[];
}

/** Of a model's config: what limits a batch. */
export type BatchLimits = Pick<BaseConfig, 'vocabSize' | 'maxLength' | 'typeVocabSize' | 'padTokenId' | 'labels'>;

/**
 * `input_ids`, `attention_mask`, where the model has them `token_type_ids` (all int64 (B, T)), and the labels given.
 * @throws ConfigError for ids or texts the model has no room for, labels out of range or of another number than the texts
 */
export function collate(texts: readonly EncodedText[], limits: BatchLimits, labels: BatchLabels = {}): Batch {
  if (texts.length === 0) throw new ConfigError('A batch needs at least one text.');
  const length = texts.reduce((longest, { ids }) => Math.max(longest, ids.length), 0);
  for (const [row, text] of texts.entries()) checkText(text, row, limits);
  const dims = [texts.length, length];
  const table = (fill: number, pick: (text: EncodedText) => ArrayLike<number> | null): BatchTensor => {
    const data = new BigInt64Array(texts.length * length).fill(BigInt(fill));
    texts.forEach((text, row) => {
      const values = pick(text);
      for (let i = 0; i < text.ids.length; i++) data[row * length + i] = values === null ? 1n : BigInt(values[i]!);
    });
    return { dtype: 'int64', dims, data };
  };
  return {
    input_ids: table(limits.padTokenId ?? 0, ({ ids }) => ids),
    attention_mask: table(0, () => null),
    ...(limits.typeVocabSize > 0 ? { token_type_ids: table(0, ({ typeIds }) => typeIds) } : {}),
    ...(labels.labels ? { labels: hardLabels(labels.labels, texts.length, limits.labels) } : {}),
    ...(labels.categoryLabels ? { category_labels: categoryLabels(labels.categoryLabels, texts.length) } : {}),
    ...(labels.softLabels ? { soft_labels: softLabels(labels.softLabels, texts.length, limits.labels) } : {}),
  };
}

function checkText(
  { ids, typeIds }: EncodedText,
  row: number,
  { vocabSize, maxLength, typeVocabSize }: BatchLimits,
): void {
  const fail = (problem: string): never => {
    throw new ConfigError(`Text ${row} of the batch ${problem}`);
  };
  if (ids.length === 0) fail('has no tokens.');
  if (maxLength !== null && ids.length > maxLength) {
    fail(`has ${ids.length} tokens, the model takes at most ${maxLength}. Encode with maxLength: ${maxLength}.`);
  }
  if (typeIds.length !== ids.length) fail(`has ${ids.length} ids but ${typeIds.length} type ids.`);
  for (let i = 0; i < ids.length; i++) {
    if (!(ids[i]! >= 0 && ids[i]! < vocabSize)) {
      fail(`has the id ${ids[i]}, expected 0 to ${vocabSize - 1}. Is the tokenizer that of the model?`);
    }
    if (typeVocabSize > 0 && !(typeIds[i]! >= 0 && typeIds[i]! < typeVocabSize)) {
      fail(`has the type id ${typeIds[i]}, expected 0 to ${typeVocabSize - 1}.`);
    }
  }
}

function hardLabels(labels: readonly number[], rows: number, classes: number): BatchTensor {
  expectOnePerText('labels', labels, rows);
  for (const [row, label] of labels.entries()) {
    if (label === IGNORED_LABEL || (Number.isInteger(label) && label >= 0 && label < classes)) continue;
    throw new ConfigError(
      `Label ${row} of the batch: expected 0 to ${classes - 1} (or ${IGNORED_LABEL}), got ${label}.`,
    );
  }
  return { dtype: 'int64', dims: [rows], data: BigInt64Array.from(labels, (label) => BigInt(label)) };
}

function categoryLabels(numbers: readonly number[], rows: number): BatchTensor {
  expectOnePerText('categoryLabels', numbers, rows);
  return { dtype: 'int64', dims: [rows], data: BigInt64Array.from(numbers, (number) => BigInt(number)) };
}

function softLabels(probabilities: readonly number[], rows: number, classes: number): BatchTensor {
  if (classes !== 2) throw new ConfigError(`Soft labels need a model of 2 labels, this one has ${classes}.`);
  expectOnePerText('softLabels', probabilities, rows);
  for (const [row, probability] of probabilities.entries()) {
    if (probability >= 0 && probability <= 1) continue;
    throw new ConfigError(`Soft label ${row} of the batch: expected a probability from 0 to 1, got ${probability}.`);
  }
  const data = Float32Array.from(probabilities.flatMap((probability) => [1 - probability, probability]));
  return { dtype: 'float32', dims: [rows, 2], data };
}

function expectOnePerText(name: string, labels: readonly number[], rows: number): void {
  if (labels.length !== rows)
    throw new ConfigError(`${name}: expected ${rows}, one for each text, got ${labels.length}.`);
}
