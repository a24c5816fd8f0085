import type { AdamwScalars } from './adamw.ts';
import { kernelsWasmBase64 } from './generated/kernels-wasm.ts';

/** The compiled kernels, bound to one memory. Pointers are byte offsets, counts are elements; see assembly/kernels.ts. */
export interface Kernels {
  adamw(
    parameter: number,
    gradient: number,
    firstMoment: number,
    secondMoment: number,
    count: number,
    ...scalars: AdamwScalars
  ): void;
  adamwZeroGradient(
    parameter: number,
    firstMoment: number,
    secondMoment: number,
    count: number,
    decay: number,
    oneMinusBeta1: number,
    beta2: number,
    correction: number,
    eps: number,
    stepSize: number,
  ): void;
  scale(array: number, count: number, factor: number): void;
  scaleAdd(target: number, source: number, count: number, factor: number): void;
  fillZero(array: number, count: number): void;
  sumSquares(array: number, count: number): number;
  dropoutMask(
    array: number,
    first: number,
    count: number,
    key0: number,
    key1: number,
    threshold: number,
    kept: number,
  ): void;
  quantizeRows(matrix: number, factors: number, ...block: QuantizedBlock): void;
  quantizeColumns(matrix: number, ...block: QuantizedBlock): void;
}

/** Rows or columns `first` to `end` of a matrix. */
export type QuantizedBlock = readonly [
  rows: number,
  columns: number,
  bytes: number,
  scales: number,
  first: number,
  end: number,
];

let compiled: WebAssembly.Module | undefined;

/** The module, compiled once per thread: 3 KB, so that even a browser's main thread may compile it at once. */
export function kernelsModule(): WebAssembly.Module {
  compiled ??= new WebAssembly.Module(Uint8Array.from(atob(kernelsWasmBase64), (char) => char.charCodeAt(0)));
  return compiled;
}

/** Binds the kernels to a shared memory of at most 65,536 pages. Instances in several threads may share one memory. */
export function instantiateKernels(memory: WebAssembly.Memory): Kernels {
  return new WebAssembly.Instance(kernelsModule(), { env: { memory } }).exports as unknown as Kernels;
}
