import { describe, expect, it } from 'vitest';
import { ShapeError } from '../errors.ts';
import { attention } from './attention.ts';
import { emitModel } from './emit.ts';
import {
  checkGradient,
  createRandom,
  distance,
  type InputSpec,
  makeTensor,
  runGraph,
  sumAll,
  tolerances,
} from './gradient-check.testing.node.ts';
import { gradients } from './gradients.ts';
import type { Graph, Value } from './graph.ts';
import { add, matMul, mul, softmax, transpose } from './ops.ts';
import { createGraph } from './table.ts';

const HEADS = 2;
const HEAD_SIZE = 3;
const scale = 1 / Math.sqrt(HEAD_SIZE);

const specs: Readonly<Record<string, InputSpec>> = {
  query: { dims: ['batch', HEADS, 'length', HEAD_SIZE] },
  key: { dims: ['batch', HEADS, 'length', HEAD_SIZE] },
  value: { dims: ['batch', HEADS, 'length', HEAD_SIZE] },
  padding: { dims: ['batch', 1, 1, 'length'] },
  positions: { dims: [HEADS, 'length', 'length'] },
  mask: { dims: ['batch', HEADS, 'length', 'length'], values: [0, 1.25, 1.25, 1.25, 0] },
};

interface Parts {
  readonly biases?: readonly Value[];
  readonly dropoutMask?: Value | undefined;
}

/** The same, node by node. */
function composed(query: Value, key: Value, value: Value, { biases = [], dropoutMask }: Parts): Value {
  const scores = biases.reduce(add, mul(matMul(query, transpose(key, [0, 1, 3, 2])), scale));
  const probabilities = softmax(scores);
  return matMul(dropoutMask ? mul(probabilities, dropoutMask) : probabilities, value);
}

const variants: Readonly<Record<string, readonly string[]>> = {
  'nothing else': [],
  biases: ['padding', 'positions'],
  'a dropout mask': ['mask'],
  'biases and a dropout mask': ['padding', 'positions', 'mask'],
};

function partsOf(parts: Readonly<Record<string, Value>>): Parts {
  const biases = ['padding', 'positions'].flatMap((name) => (parts[name] ? [parts[name]] : []));
  return { biases, dropoutMask: parts.mask };
}

describe('attention', () => {
  const random = createRandom(3);
  const feeds = Object.fromEntries(
    Object.entries(specs).map(([name, spec]) => [name, makeTensor(spec, random, { batch: 2, length: 4 })]),
  );
  /** The result and every gradient, from (batch, heads, length, size) weights on the result. */
  const build = (extra: readonly string[], make: (query: Value, key: Value, value: Value, parts: Parts) => Value) => {
    const graph = createGraph();
    const names = ['query', 'key', 'value', ...extra];
    const inputs = Object.fromEntries(names.map((name) => [name, graph.input(name, 'float32', specs[name]!.dims)]));
    const { query, key, value, ...parts } = inputs;
    const result = make(query!, key!, value!, partsOf(parts));
    const wanted = names.filter((name) => name !== 'mask');
    const grads = gradients(
      sumAll(mul(result, result)),
      wanted.map((name) => inputs[name]!),
    );
    return { graph, outputs: { result, ...Object.fromEntries(grads.map((grad, at) => [`grad:${wanted[at]}`, grad])) } };
  };
  const count = ({ graph, outputs }: { graph: Graph; outputs: Record<string, Value> }) =>
    emitModel(graph, new Map(Object.entries(outputs))).graph.nodes.length;

  it.each(Object.entries(variants))(
    'with %s equals its composition, forward and backward, in fewer nodes',
    async (_, extra) => {
      const plain = build(extra, composed);
      const whole = build(extra, (query, key, value, parts) => attention(query, key, value, { scale, ...parts }));
      const expected = await runGraph(plain.graph, plain.outputs, feeds);
      const found = await runGraph(whole.graph, whole.outputs, feeds);
      expect(Object.keys(found)).toHaveLength(4 + extra.filter((name) => name !== 'mask').length);
      for (const name of Object.keys(expected)) {
        expect(distance(found[name]!, expected[name]!)).toBeLessThan(4 * tolerances.float32.value);
      }
      expect(count(whole)).toBeLessThan(count(plain));
    },
  );

  it('has the gradient of central differences for queries of another number', async () => {
    const inputs = [{ dims: ['batch', HEADS, 1, HEAD_SIZE] }, specs.key!, specs.value!, specs.padding!];
    const sizes = [
      { batch: 2, length: 4 },
      { batch: 1, length: 1 },
    ];
    await checkGradient(
      ([query, key, value, padding]) => attention(query!, key!, value!, { scale, biases: [padding!] }),
      inputs,
      {
        sizes,
      },
    );
  });

  it('computes only the gradients that are wanted', () => {
    const graph = createGraph();
    const [query, key, value] = ['query', 'key', 'value'].map((name) =>
      graph.input(name, 'float32', specs[name]!.dims),
    );
    const loss = sumAll(attention(query!, key!, value!, { scale }));
    const [grad] = gradients(loss, [value!]);
    const ops = emitModel(graph, new Map([['grad', grad!]])).graph.nodes.map(({ opType }) => opType);
    expect(ops.filter((op) => op === 'FusedMatMul')).toHaveLength(2); // scores, and their product with the gradient
  });

  it('refuses shapes that do not fit', () => {
    const graph = createGraph();
    const query = graph.input('query', 'float32', [2, 2, 4, 3]);
    const key = graph.input('key', 'float32', [2, 2, 4, 5]);
    const bias = graph.input('bias', 'float32', [2, 1, 1, 3]);
    expect(() => attention(query, key, key, { scale })).toThrow(
      new ShapeError('FusedMatMul: inner sizes differ, (2, 2, 4, 3) x (2, 2, 4, 5): 3 and 5.'),
    );
    expect(() => attention(query, query, query, { scale, biases: [bias] })).toThrow(
      new ShapeError('Add: (2, 2, 4, 4) and (2, 1, 1, 3) do not broadcast.'),
    );
  });
});
