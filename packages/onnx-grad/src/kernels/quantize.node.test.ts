import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ShapeError } from '../errors.ts';
import { quantizeRows, transposeBytes } from '../inference/int8.ts';
import type { Buffer32 } from './arena.ts';
import { KernelPool } from './pool.node.ts';
import { exampleValues } from './reference.testing.ts';

/** Tails of every kind, and matrices of several blocks and several chunks. */
const SIZES = [
  [1, 1],
  [3, 5],
  [4, 4],
  [65, 7],
  [7, 65],
  [130, 131],
  [384, 1536],
] as const;

function transposeFloats(values: Float32Array, rows: number, columns: number): Float32Array {
  return Float32Array.from(values, (_, at) => values[(at % rows) * columns + Math.floor(at / rows)]!);
}

describe.each([1, 3])('a pool of %i threads', (threads) => {
  let pool: KernelPool;
  beforeAll(async () => {
    pool = await KernelPool.create({ threads });
  });
  afterAll(() => pool.dispose());

  it.each(['rows', 'columns'] as const)('copies matrices along %s as export would, all in one call', (along) => {
    const matrices = SIZES.map(([rows, columns], index) => {
      const values = exampleValues(rows * columns, index).map((value) => value * 0.7310585); // no ties
      values.fill(0, 0, columns); // a row of zeros
      for (let row = 0; row < rows; row++) values[row * columns] = 0; // and a column
      const channels = { rows, columns }[along];
      const lengths = [rows * columns, Math.ceil((rows * columns) / 4), channels, columns];
      const [matrix, bytes, scales, factors] = pool.allocate([{ lengths }])[0]! as [
        Buffer32,
        Buffer32,
        Buffer32,
        Buffer32,
      ];
      matrix.data.set(values);
      factors.data.set(exampleValues(columns, 50).map((value) => 2 + value));
      return { matrix, bytes, scales, factors, rows, columns, along, values };
    });
    pool.quantize(matrices);
    for (const { bytes, scales, factors, rows, columns, values } of matrices) {
      const found = new Int8Array(bytes.data.buffer, bytes.data.byteOffset, rows * columns);
      const multiplied = values.map((value, at) => value * factors.data[at % columns]!);
      const channels = along === 'rows' ? multiplied : transposeFloats(values, rows, columns);
      const [count, length] = along === 'rows' ? [rows, columns] : [columns, rows];
      const expected = quantizeRows(channels, count, length);
      expect(Array.from(scales.data)).toEqual(Array.from(expected.scales));
      const turned = transposeBytes(expected.values, count, length);
      expect(found.findIndex((byte, at) => byte !== turned[at])).toBe(-1);
    }
  });

  it('leaves ties to the even byte, and reaches 127 at either end', () => {
    const [matrix, bytes, scales] = pool.allocate([{ lengths: [8, 2, 1] }])[0]! as [Buffer32, Buffer32, Buffer32];
    matrix.data.set([127, -127, 0.5, 1.5, -0.5, -2.5, 2.4, 126.6]);
    pool.quantize([{ matrix, bytes, scales, rows: 8, columns: 1, along: 'columns' }]);
    const found = new Int8Array(bytes.data.buffer, bytes.data.byteOffset, 8);
    expect(Array.from(found)).toEqual([127, -127, 0, 2, 0, -2, 2, 127]);
  });

  it('refuses arrays that do not fit', () => {
    const lengths = [12, 3, 4, 5];
    const [matrix, bytes, scales, factors] = pool.allocate([{ lengths }])[0]! as [
      Buffer32,
      Buffer32,
      Buffer32,
      Buffer32,
    ];
    const job = { matrix, bytes, scales, rows: 3, columns: 4 };
    expect(() => pool.quantize([{ ...job, along: 'rows', factors: scales }])).toThrow(
      new ShapeError('quantize: scales of 4 elements, expected 3.'),
    );
    expect(() => pool.quantize([{ ...job, rows: 4, along: 'columns' }])).toThrow(
      new ShapeError('quantize: matrix of 12 elements, expected 16.'),
    );
    expect(() => pool.quantize([{ ...job, rows: 4, columns: 3, along: 'rows', factors }])).toThrow(
      new ShapeError('quantize: factors of 5 elements, expected 3.'),
    );
  });
});
