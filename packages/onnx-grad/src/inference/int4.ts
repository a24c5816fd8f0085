/**
 * Matrices in four bits: blocks of a row share a scale, two values a byte.
 * Source: onnxruntime, docs/ContribOperators.md, MatMulNBits; values are stored with 8 added, the low half first.
 */

export interface Int4Matrix {
  /** (rows, blocks, blockSize / 2) */
  readonly packed: Uint8Array;
  /** (rows, blocks) */
  readonly scales: Float32Array;
  readonly blocks: number;
}

const ZERO_POINT = 8; // what onnxruntime takes where none is given

/** @param weight (rows, columns) row-major; the last block of a row may be short */
export function packInt4(weight: Float32Array, rows: number, columns: number, blockSize: number): Int4Matrix {
  const blocks = Math.ceil(columns / blockSize);
  const packed = new Uint8Array((rows * blocks * blockSize) / 2).fill(ZERO_POINT | (ZERO_POINT << 4));
  const scales = new Float32Array(rows * blocks);
  for (let row = 0; row < rows; row++) {
    for (let block = 0; block < blocks; block++) {
      const begin = row * columns + block * blockSize;
      const values = weight.subarray(begin, Math.min(begin + blockSize, (row + 1) * columns));
      const scale = scaleOf(values);
      const index = row * blocks + block;
      scales[index] = scale;
      values.forEach((value, i) => {
        const level = Math.max(0, Math.min(15, Math.round(value / scale) + ZERO_POINT));
        const at = (index * blockSize + i) >> 1;
        packed[at] = i % 2 === 0 ? (packed[at]! & 0xf0) | level : (packed[at]! & 0x0f) | (level << 4);
      });
    }
  }
  return { packed, scales, blocks };
}

/** Levels go from -8 to 7: the value that is largest by size gets -8, so that none is cut off. */
function scaleOf(values: Float32Array): number {
  let extreme = 0;
  for (const value of values) if (Math.abs(value) > Math.abs(extreme)) extreme = value;
  return extreme === 0 ? 1 : Math.fround(extreme / -ZERO_POINT);
}
