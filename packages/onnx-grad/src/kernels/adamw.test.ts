import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../errors.ts';
import { type AdamwSettings, adamwDefaults, adamwScalars } from './adamw.ts';
import type { Buffer32 } from './arena.ts';
import { KernelPool } from './pool.node.ts';

interface Oracle {
  readonly settings: { lr: number; betas: [number, number]; eps: number; weight_decay: number };
  readonly start: number[];
  readonly gradients: number[][];
  readonly parameter: number[];
  readonly firstMoment: number[];
  readonly secondMoment: number[];
}

const settings: AdamwSettings = { ...adamwDefaults, step: 1, learningRate: 1e-3, weightDecay: 0.1 };

describe('AdamW', () => {
  it('follows torch.optim.AdamW over ten steps', async () => {
    const oracle: Oracle = JSON.parse(readFileSync(new URL('./fixtures/adamw-torch.json', import.meta.url), 'utf8'));
    const pool = await KernelPool.create({ threads: 1 });
    const n = oracle.start.length;
    const [group] = pool.allocate([{ lengths: [n, n, n, n] }]);
    const [parameter, gradient, firstMoment, secondMoment] = group as [Buffer32, Buffer32, Buffer32, Buffer32];
    const { lr: learningRate, weight_decay: weightDecay, eps, betas } = oracle.settings;
    parameter.data.set(oracle.start);
    oracle.gradients.forEach((values, index) => {
      gradient.data.set(values);
      const part = { parameter, gradient, firstMoment, secondMoment, learningRate, weightDecay };
      pool.adamw([part], { step: index + 1, beta1: betas[0], beta2: betas[1], eps });
    });
    // torch fuses some multiplications and additions, which rounds once less: a few units in the last place
    for (const [found, expected] of [
      [parameter.data, oracle.parameter],
      [firstMoment.data, oracle.firstMoment],
      [secondMoment.data, oracle.secondMoment],
    ] as const) {
      for (const [i, value] of expected.entries()) {
        expect(Math.abs(found[i]! - value)).toBeLessThan(4e-7 * Math.max(Math.abs(value), 0.1));
      }
    }
    await pool.dispose();
  });

  it.each<[string, Partial<AdamwSettings>]>([
    ['a step of 0', { step: 0 }],
    ['a beta of 1', { beta2: 1 }],
    ['an eps of 0', { eps: 0 }],
  ])('refuses %s', (_, wrong) => {
    expect(() => adamwScalars({ ...settings, ...wrong })).toThrow(ConfigError);
  });
});
