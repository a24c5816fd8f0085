import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../errors.ts';
import { countedLabels } from './losses.ts';
import { microBatches } from './micro-batches.ts';
import type { Batch } from './program.ts';

/** Batches of numbered rows: `ids` (rows, length) holds each row's number throughout, `labels` (rows) once. */
const batchLists = fc
  .array(fc.record({ rows: fc.integer({ min: 1, max: 40 }), length: fc.integer({ min: 1, max: 9 }) }), {
    minLength: 1,
    maxLength: 4,
  })
  .map((shapes) => {
    let first = 0;
    return shapes.map(({ rows, length }): Batch => {
      const numbers = Array.from({ length: rows }, (_, row) => BigInt(first + row));
      first += rows;
      const ids = BigInt64Array.from(numbers.flatMap((number) => new Array(length).fill(number)));
      return {
        labels: { dtype: 'int64', dims: [rows], data: BigInt64Array.from(numbers) },
        ids: { dtype: 'int64', dims: [rows, length], data: ids },
      };
    });
  });
const maxTokens = fc.integer({ min: 1, max: 100 });
const rowsOf = (batch: Batch) => Array.from(batch.labels!.data as BigInt64Array, Number);

describe('microBatches', () => {
  it('cover all rows once, in order, every input cut alike', () => {
    fc.assert(
      fc.property(batchLists, maxTokens, (batches, most) => {
        const parts = microBatches(batches, { maxTokens: most }).map(({ batch }) => batch);
        expect(parts.flatMap(rowsOf)).toEqual(batches.flatMap(rowsOf));
        for (const { ids, labels } of parts) {
          const [rows, length] = ids!.dims as [number, number];
          expect(labels!.dims).toEqual([rows]);
          const expected = rowsOf({ labels: labels! }).flatMap((number) => new Array(length).fill(number));
          expect(Array.from(ids!.data as BigInt64Array, Number)).toEqual(expected);
        }
      }),
    );
  });

  it('hold maxTokens, but for single rows, in no more parts than needed', () => {
    fc.assert(
      fc.property(batchLists, maxTokens, (batches, most) => {
        for (const batch of batches) {
          const parts = microBatches([batch], { maxTokens: most });
          const [rows, length] = batch.ids!.dims as [number, number];
          for (const part of parts) {
            const [partRows] = part.batch.ids!.dims as [number];
            expect(partRows === 1 || partRows * length <= most).toBe(true);
          }
          expect(parts.length).toBe(Math.ceil(rows / Math.max(1, Math.floor(most / length))));
        }
      }),
    );
  });

  it('weigh as many as they have rows, 1 together', () => {
    fc.assert(
      fc.property(batchLists, maxTokens, (batches, most) => {
        const parts = microBatches(batches, { maxTokens: most });
        const total = batches.flatMap(rowsOf).length;
        for (const { batch, weight } of parts) expect(weight).toBeCloseTo(rowsOf(batch).length / total, 12);
        expect(parts.reduce((sum, { weight }) => sum + weight, 0)).toBeCloseTo(1, 12);
      }),
    );
  });

  it('are the batch itself where it is small enough', () => {
    const batch: Batch = { ids: { dtype: 'int64', dims: [2, 3], data: new BigInt64Array(6) } };
    expect(microBatches([batch], { maxTokens: 6 })).toEqual([{ batch, weight: 1 }]);
    expect(microBatches([batch], { maxTokens: 6 })[0]!.batch).toBe(batch);
  });

  it('weigh by what countTerms counts, and leave out parts without any', () => {
    const labels = (...values: number[]): Batch => ({
      labels: { dtype: 'int64', dims: [1, 3], data: BigInt64Array.from(values, BigInt) },
    });
    const batches = [labels(1, -100, 2), labels(-100, -100, -100), labels(-100, 0, -100)];
    const parts = microBatches(batches, { maxTokens: 100, countTerms: countedLabels('labels') });
    expect(parts).toEqual([
      { batch: batches[0], weight: 2 / 3 },
      { batch: batches[2], weight: 1 / 3 },
    ]);
    expect(() => microBatches([batches[1]!], { maxTokens: 100, countTerms: countedLabels('labels') })).toThrow(
      new ConfigError('The step has nothing to learn from: no row or label of its batches counts.'),
    );
  });

  const tensor = (...dims: number[]) => {
    return { dtype: 'int64', dims, data: new BigInt64Array(dims.reduce((a, b) => a * b, 1)) } as const;
  };
  it.each<[string, Batch[], string]>([
    ['no batch', [], 'A step needs at least one batch.'],
    ['a batch of nothing', [{}], 'A batch has no rows.'],
    ['a batch of no rows', [{ ids: tensor(0, 3) }], 'A batch has no rows.'],
    [
      'inputs of different numbers of rows',
      [{ ids: tensor(4, 3), labels: tensor(3) }],
      'The first axis of every input counts the rows of the batch: "ids" has 4, "labels" 3.',
    ],
    [
      'an input without rows',
      [{ ids: tensor(4, 3), rate: tensor() }],
      'The first axis of every input counts the rows of the batch: "ids" has 4, "rate" none.',
    ],
  ])('refuse %s', (_, batches, message) => {
    expect(() => microBatches(batches, { maxTokens: 10 })).toThrow(new ConfigError(message));
  });
});
