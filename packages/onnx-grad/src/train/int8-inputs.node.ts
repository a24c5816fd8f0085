/** What products in int8 read beside parameters and batch: weights as bytes, and the scales of activations' bytes. */
import * as ort from 'onnxruntime-node';
import { ConfigError } from '../errors.ts';
import { emitModel } from '../graph/emit.ts';
import type { Value } from '../graph/graph.ts';
import { type LoweredInt8, lowerInt8, type RangedActivation } from '../graph/lower-int8.ts';
import {
  type ActivationRange,
  byteScale,
  type ChannelRanges,
  createRanges,
  divisorsOf,
  widenRanges,
} from '../inference/channel-ranges.ts';
import type { KernelPool } from '../kernels/pool.node.ts';
import { createSession } from '../session/session.node.ts';
import { ActivationRanges } from './activation-ranges.ts';
import type { TrainingProgram } from './program.ts';
import { type PlacedCopy, WeightCopies } from './weight-copies.node.ts';

type Tensors = Readonly<Record<string, ort.Tensor>>;

/** Outputs that a training graph gives beside its own: the smallest and largest value of each activation. */
export function rangeOutputs(activations: readonly RangedActivation[]): Map<string, Value> {
  return new Map(
    activations.flatMap(({ low, high }, index) => {
      const [lowest, highest] = rangeNames(index);
      return [
        [lowest, low],
        [highest, high],
      ] as const;
    }),
  );
}

const rangeNames = (index: number) => [`low:${index}`, `high:${index}`] as const;

/** The weights' bytes follow the weights after each step, the ranges of activations what the step has seen. */
export class Int8Inputs {
  readonly #program: TrainingProgram;
  readonly #activations: readonly RangedActivation[];
  readonly #namesByWeight: ReadonlyMap<string, string>;
  readonly #copies: WeightCopies;
  readonly #threads: number;
  readonly #ranges = new ActivationRanges();

  constructor(
    program: TrainingProgram,
    { activations, namesByWeight }: LoweredInt8,
    pool: KernelPool,
    placed: readonly PlacedCopy[],
    threads: number,
  ) {
    this.#program = program;
    this.#activations = activations;
    this.#namesByWeight = namesByWeight;
    this.#copies = new WeightCopies(pool, placed);
    this.#copies.refresh();
    this.#threads = threads;
  }

  /** Weights as bytes, by input name; the same tensors for ever. */
  get weights(): Tensors {
    return this.#copies.feeds;
  }

  /** Factors and scales of activations by input name, as they are now. @throws ConfigError before the first step */
  scales(activations: readonly RangedActivation[] = this.#activations): Tensors {
    return Object.fromEntries(
      activations.flatMap(({ name, fed }) => {
        const found = this.#ranges.get(name);
        if (!found)
          throw new ConfigError(`The range of what "${name}" reads is not known. Make a step, or restore a state.`);
        const { factors, scale, zeroPoint } = fed!;
        const channels = factors.dims[0] as number;
        const byte = byteScale([found.low, found.high]);
        return [
          [
            factors.name,
            new ort.Tensor(
              'float32',
              divisorsOf(found, channels).map((divisor) => 1 / divisor),
              [channels],
            ),
          ],
          [scale.name, new ort.Tensor('float32', Float32Array.of(byte.scale), [])],
          [zeroPoint.name, new ort.Tensor('uint8', Uint8Array.of(byte.zeroPoint), [])],
        ];
      }),
    );
  }

  /** Before the first step: the ranges of its batch, by a forward pass in which every activation takes its own. */
  async prepare(feeds: Tensors): Promise<void> {
    if (this.#activations.length === 0 || !this.#ranges.isEmpty) return;
    const { graph, loss } = this.#program;
    const { graph: lowered, activations } = lowerInt8(graph, new Map([['loss', loss]]), { ranges: 'run' });
    const session = await createSession(emitModel(lowered, rangeOutputs(activations)), {
      threads: this.#threads,
      sleepsBetweenRuns: true,
    });
    const read = Object.entries(feeds).filter(([name]) => session.inputNames.includes(name));
    const results = await session.run(Object.fromEntries(read));
    await session.release();
    const channels = new Map<string, ChannelRanges>();
    activations.forEach(({ name }, index) => {
      const [low, high] = rangeNames(index).map((output) => results[output]!.data as Float32Array);
      const known = channels.get(name) ?? createRanges(low!.length);
      for (const values of [low!, high!]) widenRanges(known, values);
      channels.set(name, known);
    });
    for (const [name, ranges] of channels) this.#ranges.begin(name, ranges);
    this.#refreshAll();
  }

  /** Notes the ranges that a part of a step has given as `rangeOutputs`. */
  see(results: Tensors): void {
    this.#activations.forEach(({ name }, index) => {
      const [low, high] = rangeNames(index).map((output) => Number(results[output]!.data[0])) as [number, number];
      this.#ranges.see(name, low, high);
    });
  }

  /** Ends a step that was made, with the weights as they are now. */
  settle(): void {
    this.#copies.refresh();
    this.#ranges.settle();
  }

  /** Ends a step that was not made. */
  forget(): void {
    this.#ranges.forget();
  }

  /** Absent where there are no such products. */
  state(): { ranges?: ReadonlyMap<string, ActivationRange> } {
    return this.#activations.length === 0 ? {} : { ranges: this.#ranges.state() };
  }

  /** After the weights have been read. */
  restore({ ranges = new Map() }: { readonly ranges?: ReadonlyMap<string, ActivationRange> }): void {
    this.#ranges.restore(ranges);
    this.#refreshAll();
  }

  #refreshAll(): void {
    this.#copies.setFactors((weight, inputs) => {
      const range = this.#ranges.get(this.#namesByWeight.get(weight)!);
      return range ? divisorsOf(range, inputs) : new Float32Array(inputs).fill(1);
    });
    this.#copies.refresh();
  }
}
