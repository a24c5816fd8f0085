import { expect, it } from 'vitest';
import type { DataType, GraphRecord, NodeRecord } from '../onnx/model.ts';
import { checkGraph } from './check.ts';

function node(opType: string, inputs: string[], outputs: string[]): NodeRecord {
  return { name: outputs[0]!, opType, domain: '', inputs, outputs, attributes: {} };
}

const good: GraphRecord = {
  name: 'g',
  inputs: [{ name: 'x', dtype: 'float32', dims: ['n'] }],
  outputs: [{ name: 'y', dtype: 'float32', dims: ['n'] }],
  initializers: [{ name: 'w', dtype: 'float32', dims: [], data: new Uint8Array(4) }],
  nodes: [node('Mul', ['x', 'w'], ['product']), node('Clip', ['product', '', 'w'], ['y', 'unread'])],
};

it('passes a graph whose every value is made once, before it is read', () => {
  checkGraph(good);
});

it.each<[string, Partial<GraphRecord>]>([
  ['Clip "y" reads "product" before it is made', { nodes: good.nodes.toReversed() }],
  ['Mul "product" reads "v" before it is made', { nodes: [node('Mul', ['x', 'v'], ['product']), good.nodes[1]!] }],
  ['Exp "x" makes "x", which exists already', { nodes: [...good.nodes, node('Exp', ['x'], ['x'])] }],
  ['Exp "y" makes "y", which exists already', { nodes: [...good.nodes, node('Exp', ['x'], ['y'])] }],
  ['an initializer makes "x", which exists already', { initializers: [{ ...good.initializers[0]!, name: 'x' }] }],
  ['nothing makes the output "z"', { outputs: [...good.outputs, { name: 'z', dtype: 'float32' }] }],
  ['nothing reads Exp "z"', { nodes: [...good.nodes, node('Exp', ['x'], ['z'])] }],
  ['"x" has the unknown element type "text"', { inputs: [{ name: 'x', dtype: 'text' as DataType }] }],
])('refuses: %s', (message, change) => {
  expect(() => checkGraph({ ...good, ...change })).toThrow(new Error(`internal: graph "g": ${message}.`));
});

it('is linear in the size of the graph', () => {
  const nodes = Array.from({ length: 20_000 }, (_, at) => node('Exp', [at === 0 ? 'x' : `v${at - 1}`], [`v${at}`]));
  const start = performance.now();
  checkGraph({ ...good, initializers: [], nodes, outputs: [{ name: 'v19999', dtype: 'float32' }] });
  expect(performance.now() - start).toBeLessThan(1000); // a quadratic check takes many seconds
});
