import { describe, expect, it } from 'vitest';
import { checkGradient, createRandom, distance, floats, makeTensor } from './gradient-check.testing.node.ts';
import type { Value } from './graph.ts';
import { add, exp, matMul, mul, sub, tanh } from './ops.ts';
import type { GradientRule, OpTable } from './rule.ts';
import { opTable } from './table.ts';

/** The table with another gradient of Tanh. */
function withTanh(gradient: GradientRule<'Tanh'>): OpTable {
  return { ...opTable, Tanh: { ...opTable.Tanh, gradient } };
}

const batch = [{ dims: ['batch', 3] }] as const;
const sizes = [{ batch: 2 }];
const disagreement = /^The gradient along a random direction is .*, central differences give/;

describe('checkGradient', () => {
  it.each([1, 2, 3])('passes what is right, from seed %d', async (seed) => {
    const build = ([x, weight]: Value[]) => tanh(add(matMul(x!, weight!), 1));
    await checkGradient(build, [...batch, { dims: [3, 4] }], { sizes, seed });
  });

  it.each<[string, GradientRule<'Tanh'>]>([
    ['of the wrong sign', ({ grad, output }) => [mul(grad, sub(mul(output, output), 1))]],
    ['that forgets a square', ({ grad, output }) => [mul(grad, sub(1, output))]],
    ['that is 1% off', ({ grad, output }) => [mul(mul(grad, 1.01), sub(1, mul(output, output)))]],
    ['that is not multiplied by what flows in', ({ output }) => [sub(1, mul(output, output))]],
    ['that lets nothing through', () => [null]],
    ['that is not a number', ({ grad }) => [mul(grad, Number.NaN)]],
  ])('fails a rule %s', async (_, gradient) => {
    const check = checkGradient(([x]) => tanh(x!), batch, { sizes, table: withTanh(gradient) });
    await expect(check).rejects.toThrow(disagreement);
  });

  it('fails a rule that is 0.01% off, given a reference in double precision', async () => {
    const table = withTanh(({ grad, output }) => [mul(mul(grad, 1.0001), sub(1, mul(output, output)))]);
    const reference = ([x]: readonly { data: readonly number[] }[]) => [floats([2, 3], x!.data.map(Math.tanh))];
    await expect(checkGradient(([x]) => tanh(x!), batch, { sizes, table, reference })).rejects.toThrow(disagreement);
  });

  it('fails a rule whose gradient does not fit its input', async () => {
    const table = withTanh(({ grad }) => [matMul(grad, grad.graph.constant(new Float32Array(6), [3, 2]))]);
    await expect(checkGradient(([x]) => tanh(x!), batch, { sizes, table })).rejects.toThrow(
      'Tanh: (batch, 2) and (batch, 3) do not broadcast.',
    );
    const smaller = withTanh(({ grad }) => [grad.graph.constant(new Float32Array(3), [1, 3])]);
    await expect(checkGradient(([x]) => tanh(x!), batch, { sizes, table: smaller })).rejects.toThrow(
      'internal: Tanh: its gradient rule gave (1, 3) for (batch, 3).',
    );
  });

  it('checks every output and every input', async () => {
    const table = {
      ...opTable,
      Mul: {
        ...opTable.Mul,
        gradient: (({ grad, inputs: [, b] }) => [mul(grad, b!), null]) satisfies GradientRule<'Mul'>,
      },
    };
    const check = checkGradient(([a, b]) => [exp(a!), mul(a!, b!)], [...batch, { dims: [3] }], { sizes, table });
    await expect(check).rejects.toThrow(disagreement);
  });
});

describe('makeTensor', () => {
  it('gives float32 numbers in the range, the same for a seed', () => {
    const make = () => makeTensor({ dims: ['n', 100], range: [1, 3] }, createRandom(7), { n: 2 });
    const { data } = make();
    expect(make().data).toEqual(data);
    expect(data).toEqual(data.map(Math.fround));
    expect(Math.min(...data)).toBeGreaterThanOrEqual(1);
    expect(Math.max(...data)).toBeLessThanOrEqual(3);
    expect(new Set(data).size).toBeGreaterThan(190);
  });
});

describe('distance', () => {
  it('is not small for other shapes, other types or what is no number', () => {
    const x = floats([2], [1, 2]);
    expect(distance(x, x)).toBe(0);
    expect(distance(x, floats([2, 1], [1, 2]))).toBe(Number.POSITIVE_INFINITY);
    expect(distance(x, { ...x, dtype: 'int64' })).toBe(Number.POSITIVE_INFINITY);
    expect(distance(floats([2], [Number.NaN, 2]), x)).toBeNaN();
    expect(distance(floats([2], [1, Number.NaN]), x)).toBeNaN();
  });
});
