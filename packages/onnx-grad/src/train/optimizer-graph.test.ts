import { describe, expect, it } from 'vitest';
import { compile, createRandom, floats, makeTensor } from '../graph/gradient-check.testing.node.ts';
import type { Buffer32 } from '../kernels/arena.ts';
import { KernelPool } from '../kernels/pool.node.ts';
import { optimizerGraph, slots } from './optimizer-graph.ts';
import { CLIP_EPSILON } from './state.ts';

const STEPS = 6;
const parameters = [
  { name: 'matrix', dims: [3, 5], weightDecay: 0.1 },
  { name: 'bias', dims: [4], weightDecay: 0 },
  { name: 'scale', dims: [], weightDecay: 0 },
];
const settings = { beta1: 0.9, beta2: 0.99, epsilon: 1e-6 };
const rate = (step: number) => 0.05 / step;

describe.each([1, 100, null])('the optimizer as a graph, clipping at %d', (clipNorm) => {
  it('follows the kernels over several steps', async () => {
    const random = createRandom(5);
    const pool = await KernelPool.create({ threads: 1 });
    const lengths = parameters.map(({ dims }) => dims.reduce((a, b) => a * b, 1));
    const groups = pool.allocate(lengths.map((n) => ({ lengths: [n, n, n, n] })));
    const buffers = groups.map((group) => {
      const [parameter, gradient, firstMoment, secondMoment] = group as [Buffer32, Buffer32, Buffer32, Buffer32];
      return { parameter, gradient, firstMoment, secondMoment };
    });
    const { graph, outputs } = optimizerGraph(parameters, { ...settings, clipNorm });
    const run = await compile(graph, Object.fromEntries(outputs));
    for (const { parameter } of buffers) parameter.data.set(makeTensor({ dims: [parameter.length] }, random).data);
    let resident = Object.fromEntries(
      parameters.flatMap(({ name, dims }, at) => [
        [slots.parameter(name), floats(dims, [...buffers[at]!.parameter.data])],
        [slots.firstMoment(name), floats(dims, [...buffers[at]!.firstMoment.data])],
        [slots.secondMoment(name), floats(dims, [...buffers[at]!.secondMoment.data])],
      ]),
    );
    for (let step = 1; step <= STEPS; step++) {
      const gradients = parameters.map(({ dims }) => makeTensor({ dims, range: [-step, step] }, random));
      for (const [at, { gradient }] of buffers.entries()) gradient.data.set(gradients[at]!.data);
      const norm = Math.sqrt(pool.sumSquares(buffers.map(({ gradient }) => gradient)));
      const gradientScale = clipNorm === null ? 1 : Math.min(1, clipNorm / (norm + CLIP_EPSILON));
      const parts = buffers.map((part, at) => {
        return { ...part, learningRate: rate(step), weightDecay: parameters[at]!.weightDecay };
      });
      pool.adamw(parts, { step, gradientScale, ...settings, eps: settings.epsilon });

      const { gradNorm, ...next } = await run({
        ...resident,
        ...Object.fromEntries(parameters.map(({ name }, at) => [slots.gradient(name), gradients[at]!])),
        learningRate: floats([], [rate(step)]),
        stepSize: floats([], [rate(step) / (1 - settings.beta1 ** step)]),
        correction: floats([], [Math.sqrt(1 - settings.beta2 ** step)]),
      });
      expect(Math.abs(gradNorm!.data[0]! / norm - 1)).toBeLessThan(1e-6);
      resident = Object.fromEntries(Object.entries(next).map(([name, tensor]) => [name.slice('next:'.length), tensor]));
      for (const [at, { name }] of parameters.entries()) {
        for (const slot of ['parameter', 'firstMoment', 'secondMoment'] as const) {
          const found = resident[slots[slot](name)]!.data;
          const expected = buffers[at]![slot].data;
          expect(found.length).toBe(expected.length);
          for (const [i, value] of expected.entries()) {
            expect(Math.abs(found[i]! - value)).toBeLessThan(1e-6 * Math.max(1, Math.abs(value)));
          }
        }
      }
    }
    await pool.dispose();
  });
});
