/** For tests: what the operations compute, written plainly in double precision. */
import type { DataType } from '../../onnx/model.ts';
import type { Tensor } from '../gradient-check.testing.node.ts';

type Index = readonly number[];

/** A tensor from what it holds at each index. */
export function fill(dims: Index, content: (index: Index) => number, dtype: DataType = 'float32'): Tensor {
  const indices = dims.reduce<Index[]>(
    (all, size) => all.flatMap((index) => Array.from({ length: size }, (_, at) => [...index, at])),
    [[]],
  );
  return { dtype, dims, data: indices.map(content) };
}

/** The element at an index; a longer index or a size of 1 broadcasts. */
export function at({ dims, data }: Tensor, index: Index): number {
  const own = index.slice(index.length - dims.length);
  return data[dims.reduce((offset, size, axis) => offset * size + (size === 1 ? 0 : own[axis]!), 0)]!;
}

export function mapped(x: Tensor, f: (x: number) => number, dtype: DataType = x.dtype): Tensor {
  return { ...x, dtype, data: x.data.map(f) };
}

/** Element by element, with broadcasting. */
export function zipped(tensors: readonly Tensor[], f: (...x: number[]) => number, dtype: DataType): Tensor {
  const dims = broadcast(...tensors.map((tensor) => tensor.dims));
  return fill(dims, (index) => f(...tensors.map((tensor) => at(tensor, index))), dtype);
}

function broadcast(...shapes: readonly Index[]): number[] {
  const rank = Math.max(...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, axis) => {
    const sizes = shapes.map((shape) => shape[axis - rank + shape.length] ?? 1);
    return sizes.find((size) => size !== 1) ?? 1;
  });
}

/** The last two axes exchanged when asked. */
export function transposed(x: Tensor, flag: boolean): Tensor {
  if (!flag) return x;
  const [rows, columns] = x.dims.slice(-2) as [number, number];
  return fill([...x.dims.slice(0, -2), columns, rows], (index) => {
    return at(x, [...index.slice(0, -2), index.at(-1)!, index.at(-2)!]);
  });
}

export function product(a: Tensor, b: Tensor): Tensor {
  const leading = broadcast(a.dims.slice(0, -2), b.dims.slice(0, -2));
  const inner = a.dims.at(-1)!;
  return fill([...leading, a.dims.at(-2)!, b.dims.at(-1)!], (index) => {
    const [row, column] = index.slice(-2) as [number, number];
    let sum = 0;
    for (let k = 0; k < inner; k++) {
      sum += at(a, [...index.slice(0, -2), row, k]) * at(b, [...index.slice(0, -2), k, column]);
    }
    return sum;
  });
}

/** `combine` over each group of elements that differ only along `axes`. */
export function reduced(x: Tensor, axes: Index, keepdims: boolean, combine: (group: number[]) => number): Tensor {
  const positive = axes.map((axis) => (axis < 0 ? axis + x.dims.length : axis));
  const kept = x.dims.map((size, axis) => (positive.includes(axis) ? 1 : size));
  const groups = fill(kept, (index) => {
    const members = fill(
      x.dims.map((size, axis) => (positive.includes(axis) ? size : 1)),
      (inside) =>
        at(
          x,
          index.map((start, axis) => start + inside[axis]!),
        ),
    );
    return combine([...members.data]);
  });
  const dims = keepdims ? kept : kept.filter((_, axis) => !positive.includes(axis));
  return { ...groups, dtype: x.dtype, dims };
}

export const sum = (group: readonly number[]): number => group.reduce((total, x) => total + x, 0);
export const mean = (group: readonly number[]): number => sum(group) / group.length;
export const sumOfExp = (group: readonly number[]): number => sum(group.map(Math.exp));

/** 2/√π · Σ (-1)ⁿ x²ⁿ⁺¹ / (n! (2n + 1)); exact to 1e-13 for |x| < 3. */
export function erf(x: number): number {
  let power = x; // (-1)ⁿ x²ⁿ⁺¹ / n!
  let total = 0;
  for (let n = 0; n < 80; n++) {
    total += power / (2 * n + 1);
    power *= -(x * x) / (n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * total;
}
