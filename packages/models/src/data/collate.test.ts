import { ConfigError } from 'onnx-grad';
import { describe, expect, it } from 'vitest';
import { collate } from './collate.ts';

const limits = { vocabSize: 10, maxLength: 4, typeVocabSize: 2, padTokenId: 9, labels: 2 };
const short = { ids: [1, 2], typeIds: [0, 0] };
const long = { ids: Int32Array.of(3, 4, 5), typeIds: Uint8Array.of(0, 1, 1) };

describe('a batch', () => {
  it("is padded on the right with the model's padding, up to the longest text", () => {
    expect(collate([short, long], limits)).toEqual({
      input_ids: { dtype: 'int64', dims: [2, 3], data: BigInt64Array.of(1n, 2n, 9n, 3n, 4n, 5n) },
      attention_mask: { dtype: 'int64', dims: [2, 3], data: BigInt64Array.of(1n, 1n, 0n, 1n, 1n, 1n) },
      token_type_ids: { dtype: 'int64', dims: [2, 3], data: BigInt64Array.of(0n, 0n, 0n, 0n, 1n, 1n) },
    });
  });

  it('has token types only for models that read them', () => {
    expect(Object.keys(collate([long], { ...limits, typeVocabSize: 0 }))).toEqual(['input_ids', 'attention_mask']);
  });

  it('carries class numbers and probabilities', () => {
    const batch = collate([short, long], limits, { labels: [1, -100], softLabels: [0.25, 1] });
    expect(batch.labels).toEqual({ dtype: 'int64', dims: [2], data: BigInt64Array.of(1n, -100n) });
    expect(batch.soft_labels).toEqual({ dtype: 'float32', dims: [2, 2], data: Float32Array.of(0.75, 0.25, 0, 1) });
  });

  it.each([
    ['no texts', () => collate([], limits), 'at least one'],
    ['an empty text', () => collate([{ ids: [], typeIds: [] }], limits), 'no tokens'],
    [
      'an id outside the vocabulary',
      () => collate([{ ids: [10], typeIds: [0] }], limits),
      'has the id 10, expected 0 to 9',
    ],
    ['a negative id', () => collate([{ ids: [-1], typeIds: [0] }], limits), 'has the id -1'],
    ['a text too long', () => collate([{ ids: [1, 1, 1, 1, 1], typeIds: [0, 0, 0, 0, 0] }], limits), 'at most 4'],
    ['missing type ids', () => collate([{ ids: [1, 1], typeIds: [0] }], limits), '1 type ids'],
    ['a type id out of range', () => collate([{ ids: [1], typeIds: [2] }], limits), 'type id 2'],
    ['a label out of range', () => collate([short], limits, { labels: [2] }), 'got 2'],
    ['too few labels', () => collate([short, long], limits, { labels: [1] }), 'expected 2'],
    ['a probability out of range', () => collate([short], limits, { softLabels: [1.5] }), 'got 1.5'],
    [
      'soft labels for three classes',
      () => collate([short], { ...limits, labels: 3 }, { softLabels: [1] }),
      '2 labels',
    ],
  ])('refuses %s', (_, make, problem) => {
    expect(make).toThrow(ConfigError);
    expect(make).toThrow(problem);
  });
});
