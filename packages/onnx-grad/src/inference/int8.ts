/** Matrices as signed bytes with a scale for each row or column. */

export interface Int8Matrix {
  readonly values: Int8Array;
  /** value ≈ scale · byte */
  readonly scales: Float32Array;
}

const MOST = 127; // -128 is left out, so that a weight and its negative are as exact as each other

/**
 * @param weight (rows, columns) row-major
 * @returns bytes of the same layout, a scale a row, 1 for zeros
 */
export function quantizeRows(weight: Float32Array, rows: number, columns: number): Int8Matrix {
  const values = new Int8Array(weight.length);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const begin = row * columns;
    let largest = 0;
    for (let at = begin; at < begin + columns; at++) largest = Math.max(largest, Math.abs(weight[at]!));
    const scale = Math.fround(largest / MOST) || 1; // 0 also where it is too small for a float
    scales[row] = scale;
    for (let at = begin; at < begin + columns; at++) {
      values[at] = Math.max(-MOST, Math.min(MOST, Math.round(weight[at]! / scale)));
    }
  }
  return { values, scales };
}

/** (rows, columns) to (columns, rows). */
export function transposeBytes(values: Int8Array, rows: number, columns: number): Int8Array {
  const result = new Int8Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) result[column * rows + row] = values[row * columns + column]!;
  }
  return result;
}
