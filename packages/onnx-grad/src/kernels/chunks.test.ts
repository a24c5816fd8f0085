import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHUNK_ELEMENTS, chunkCount, forEachPiece, layOutJobs, type Spans } from './chunks.ts';

const length = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 5 * CHUNK_ELEMENTS }));

describe('chunks', () => {
  it('cover every element of every job once, in order, beginning on cache lines', () => {
    fc.assert(
      fc.property(fc.array(length, { minLength: 1, maxLength: 30 }), (lengths) => {
        const covered = lengths.map(() => 0);
        for (const pieces of chunksOf(lengths)) {
          for (const { job, first, count } of pieces) {
            expect(first).toBe(covered[job]);
            expect(first % 16).toBe(0);
            covered[job]! += count;
          }
        }
        expect(covered).toEqual(lengths);
      }),
    );
  });

  it('hold no more than their size, and all but the last are full up to alignment', () => {
    fc.assert(
      fc.property(fc.array(length, { minLength: 1, maxLength: 30 }), (lengths) => {
        const chunks = chunksOf(lengths);
        const sizes = chunks.map((pieces) => pieces.reduce((sum, piece) => sum + Math.ceil(piece.count / 16) * 16, 0));
        for (const size of sizes.slice(0, -1)) expect(size).toBe(CHUNK_ELEMENTS);
        expect(sizes.at(-1)).toBeLessThanOrEqual(CHUNK_ELEMENTS);
      }),
    );
  });

  it('put two hundred small tensors into one', () => {
    expect(chunksOf(Array(200).fill(300)).length).toBe(1);
  });
});

function chunksOf(lengths: number[]): { job: number; first: number; count: number }[][] {
  const { starts, total } = layOutJobs(lengths);
  const spans: Spans = { count: lengths.length, start: (job) => starts[job]!, length: (job) => lengths[job]! };
  return Array.from({ length: chunkCount(total) }, (_, chunk) => {
    const pieces: { job: number; first: number; count: number }[] = [];
    forEachPiece(spans, chunk, (job, first, count) => pieces.push({ job, first, count }));
    return pieces;
  });
}
