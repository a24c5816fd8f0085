/** For tests: the same proof for every row of a table of operations. */
import { describe, expect, it } from 'vitest';
import { ShapeError } from '../../errors.ts';
import type { DataType, Dim } from '../../onnx/model.ts';
import { evaluateDim } from '../dims.ts';
import {
  checkGradient,
  compile,
  createRandom,
  distance,
  type InputSpec,
  makeTensor,
  type Sizes,
  type Tensor,
  tolerances,
} from '../gradient-check.testing.node.ts';
import type { Graph, Value } from '../graph.ts';
import type { OpType } from '../op-types.ts';
import { cast } from '../ops.ts';
import { none, type OpRule } from '../rule.ts';
import { createGraph } from '../table.ts';

export interface OpCase {
  readonly inputs: readonly InputSpec[];
  readonly build: (inputs: readonly Value[], graph: Graph) => Value | readonly Value[];
  readonly oracle: (inputs: readonly Tensor[], sizes: Sizes) => Tensor | readonly Tensor[];
  /** The other outputs have no gradient. */
  readonly onlyFirstHasGradient?: boolean;
}

type MakeValue = (dims: readonly Dim[], dtype?: DataType) => Value;

export interface OpCases {
  /** By what is special about the inputs. */
  readonly accepts: Readonly<Record<string, OpCase>>;
  /** By the exact message. */
  readonly rejects: Readonly<Record<string, (value: MakeValue, graph: Graph) => unknown>>;
}

/** The sizes that "batch" and "length" take at run time, one after the other, in the same session. */
const runTimeSizes: readonly Sizes[] = [
  { batch: 2, length: 3 },
  { batch: 1, length: 5 },
];

/** One row each: results equal to the oracle's and of the inferred type, gradients equal to the oracle's differences. */
export function testOps<Op extends OpType>(
  table: { readonly [O in Op]: OpRule<O> },
  cases: { readonly [O in Op]: OpCases },
): void {
  describe.each(Object.keys(table) as Op[])('%s', (op) => {
    const { accepts, rejects } = cases[op] ?? { accepts: {}, rejects: {} };

    it('has cases', () => expect(Object.keys(accepts)).not.toEqual([]));

    for (const [name, opCase] of Object.entries(accepts)) {
      it(`of ${name} gives the oracle's numbers in the inferred type`, () => checkForward(op, opCase));
      if (opCase.inputs.some(({ dtype = 'float32' }) => dtype === 'float32')) {
        const gradient = table[op].gradient === none ? 'no gradient' : 'the gradient';
        it(`of ${name} has ${gradient}, as central differences say`, () => checkBackward(opCase));
      }
    }

    for (const [message, build] of Object.entries(rejects)) {
      it(`refuses: ${message}`, () => {
        const graph = createGraph();
        let count = 0;
        const make: MakeValue = (dims, dtype = 'float32') => graph.input(`x${count++}`, dtype, dims);
        expect(() => build(make, graph)).toThrow(new ShapeError(message));
      });
    }
  });
}

async function checkForward(op: OpType, { inputs, build, oracle }: OpCase): Promise<void> {
  const graph = createGraph();
  const values = inputs.map(({ dims, dtype = 'float32' }, at) => graph.input(`input${at}`, dtype, dims));
  const outputs = [build(values, graph)].flat() as Value[];
  expect(graph.nodes.map((node) => node.op)).toContain(op);
  const run = await compile(graph, Object.fromEntries(outputs.map((output, at) => [`output${at}`, output])));
  for (const sizes of sizesOf(inputs)) {
    const random = createRandom(1);
    const tensors = inputs.map((spec) => makeTensor(spec, random, sizes));
    const expected = [oracle(tensors, sizes)].flat() as Tensor[];
    const found = await run(Object.fromEntries(tensors.map((tensor, at) => [`input${at}`, tensor])));
    outputs.forEach(({ dtype, dims }, at) => {
      const result = found[`output${at}`]!;
      expect({ dtype: result.dtype, dims: result.dims }).toEqual({
        dtype,
        dims: dims.map((dim) => evaluateDim(dim, sizes)),
      });
      expect(distance(result, expected[at]!)).toBeLessThanOrEqual(tolerances[dtype as keyof typeof tolerances].value);
    });
  }
}

async function checkBackward({ inputs, build, oracle, onlyFirstHasGradient }: OpCase): Promise<void> {
  const count = onlyFirstHasGradient ? 1 : Number.POSITIVE_INFINITY;
  const asFloats = (values: Value[]) =>
    ([build(values, values[0]!.graph)].flat() as Value[]).map((value) => cast(value, 'float32'));
  await checkGradient((values) => asFloats(values).slice(0, count), inputs, {
    sizes: sizesOf(inputs),
    reference: (tensors, sizes) => [oracle(tensors, sizes)].flat() as Tensor[],
  });
}

function sizesOf(inputs: readonly InputSpec[]): readonly Sizes[] {
  return inputs.some(({ dims }) => dims.some((dim) => typeof dim === 'string')) ? runTimeSizes : [{}];
}
