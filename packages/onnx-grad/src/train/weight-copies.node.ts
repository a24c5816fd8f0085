/** The weights as bytes, in shared memory that onnxruntime reads in place: made anew whenever the weights have changed. */
import * as ort from 'onnxruntime-node';
import type { WeightCopy } from '../graph/lower-int8.ts';
import type { Buffer32 } from '../kernels/arena.ts';
import type { KernelPool, QuantizeJob } from '../kernels/pool.node.ts';

export interface PlacedCopy {
  readonly copy: WeightCopy;
  readonly weight: Buffer32;
  readonly bytes: Buffer32;
  readonly scales: Buffer32;
  /** What the weight's columns are multiplied with, for the forward copy. */
  readonly factors: Buffer32;
}

const ARRAYS = 3; // of a copy: bytes, scales, factors

/** Elements of the arrays that the copies of one weight take. */
export function copyLengths(copies: readonly WeightCopy[]): number[] {
  return copies.flatMap(({ bytes, scale, side }) => {
    const [rows, columns] = bytes.dims as [number, number];
    return [Math.ceil((rows * columns) / 4), scale.dims[0] as number, side === 'forward' ? rows : 0];
  });
}

/** @param buffers as `copyLengths` asked for, in the memory of the weight */
export function placeCopies(
  copies: readonly WeightCopy[],
  weight: Buffer32,
  buffers: readonly Buffer32[],
): PlacedCopy[] {
  return copies.map((copy, index) => {
    const [bytes, scales, factors] = buffers.slice(ARRAYS * index) as [Buffer32, Buffer32, Buffer32];
    factors.data.fill(1);
    return { copy, weight, bytes, scales, factors };
  });
}

export class WeightCopies {
  /** Tensors by input name. */
  readonly feeds: Readonly<Record<string, ort.Tensor>>;
  readonly #pool: KernelPool;
  readonly #placed: readonly PlacedCopy[];
  readonly #jobs: readonly QuantizeJob[];

  constructor(pool: KernelPool, placed: readonly PlacedCopy[]) {
    this.#pool = pool;
    this.#placed = placed;
    this.#jobs = placed.map(({ copy, weight: matrix, bytes, scales, factors }): QuantizeJob => {
      const [first, second] = copy.bytes.dims as [number, number];
      return copy.side === 'forward'
        ? { matrix, rows: second, columns: first, bytes, scales, along: 'rows', factors }
        : { matrix, rows: first, columns: second, bytes, scales, along: 'columns' };
    });
    this.feeds = Object.fromEntries(
      placed.flatMap(({ copy, bytes, scales }) => {
        const { buffer, byteOffset } = bytes.data;
        const [rows, columns] = copy.bytes.dims as [number, number];
        const data = new Int8Array(buffer, byteOffset, rows * columns);
        return [
          [copy.bytes.name, new ort.Tensor('int8', data, [rows, columns])],
          [copy.scale.name, new ort.Tensor('float32', scales.data, [scales.length])],
        ];
      }),
    );
  }

  /** Sets what the inputs of each weight are multiplied with; `refresh` then applies it. */
  setFactors(factorsOf: (weight: string, inputs: number) => Float32Array): void {
    for (const { copy, factors } of this.#placed) {
      if (copy.side === 'forward') factors.data.set(factorsOf(copy.weight, factors.length));
    }
  }

  /** From the weights as they are now. */
  refresh(): void {
    this.#pool.quantize(this.#jobs);
  }
}
