/** The masks of all dropout sites for one batch, drawn into shared memory that onnxruntime reads in place. */
import * as ort from 'onnxruntime-node';
import type { Buffer32 } from '../kernels/arena.ts';
import type { KernelPool } from '../kernels/pool.node.ts';
import { type Dropout, sizeOf } from './program.ts';

export interface MaskDraw {
  readonly seed: number;
  readonly step: number;
  /** Which micro-batch of the step. */
  readonly part: number;
}

const PARTS = 65_536; // micro-batches a step may have: each has a counter of its own
const GROWTH = 1.25; // room for the somewhat longer batches that follow

export class DropoutMasks {
  readonly #pool: KernelPool;
  readonly #sites: readonly Dropout[];
  #buffers: Buffer32[] = [];

  constructor(pool: KernelPool, sites: readonly Dropout[]) {
    this.#pool = pool;
    this.#sites = sites;
  }

  /** Tensors by input name, shaped by the batch's sizes. They hold until the next draw. */
  draw(sizes: ReadonlyMap<string, number>, { seed, step, part }: MaskDraw): Record<string, ort.Tensor> {
    const shapes = this.#sites.map(({ value }) => value.dims.map((dim) => sizeOf(dim, sizes)));
    const lengths = shapes.map((dims) => dims.reduce((a, b) => a * b, 1));
    if (lengths.some((length, site) => length > (this.#buffers[site]?.length ?? -1))) {
      this.#buffers = this.#pool
        .allocate(lengths.map((length) => ({ lengths: [Math.ceil(length * GROWTH)] })))
        .map(([buffer]) => buffer!);
    }
    const jobs = this.#sites.map(({ probability }, site) => {
      return { buffer: this.#buffers[site]!, length: lengths[site]!, probability, site };
    });
    this.#pool.dropoutMasks(jobs, { seed, step: step * PARTS + part });
    return Object.fromEntries(
      this.#sites.map(({ value }, site) => {
        const data = this.#buffers[site]!.data.subarray(0, lengths[site]!);
        return [value.name, new ort.Tensor('float32', data, shapes[site]!)];
      }),
    );
  }
}
