import { describe, expect, it } from 'vitest';
import { ConfigError } from '../errors.ts';
import { resolveOptions } from './options.ts';
import type { TrainerOptions } from './trainer.ts';

const fallback = { maxTokens: 100 };

describe('resolveOptions', () => {
  it("fills in torch's and transformers' defaults, and the device's own", () => {
    const { rateOf, ...settings } = resolveOptions({ learningRate: 0.1 }, fallback);
    expect(settings).toEqual({ beta1: 0.9, beta2: 0.999, epsilon: 1e-8, clipNorm: 1, seed: 0, maxTokens: 100 });
    expect([rateOf(0), rateOf(99)]).toEqual([0.1, 0.1]);
  });

  it('keeps what is given', () => {
    const given = { beta1: 0, beta2: 0.5, epsilon: 1e-6, clipNorm: null, seed: 7, threads: 3, maxTokens: 5 };
    const { rateOf, ...settings } = resolveOptions({ ...given, learningRate: (step) => step / 2 }, fallback);
    expect(settings).toEqual(given);
    expect(rateOf(3)).toBe(1.5);
  });

  it.each<[string, Partial<TrainerOptions>, string]>([
    ['a beta of 1', { beta1: 1 }, 'beta1: expected at least 0 and less than 1, got 1.'],
    ['a negative beta', { beta2: -0.1 }, 'beta2: expected at least 0 and less than 1, got -0.1.'],
    ['an epsilon of 0', { epsilon: 0 }, 'epsilon: expected a number above 0, got 0.'],
    ['a norm of 0', { clipNorm: 0 }, 'clipNorm: expected a number above 0, or null for no clipping, got 0.'],
    ['half a seed', { seed: 0.5 }, 'seed: expected a whole number from 0, got 0.5.'],
    ['a negative seed', { seed: -1 }, 'seed: expected a whole number from 0, got -1.'],
    ['no threads', { threads: 0 }, 'threads: expected a whole number from 1, got 0.'],
    ['no tokens', { maxTokens: 0 }, 'maxTokens: expected a whole number from 1, got 0.'],
    ['a negative rate', { learningRate: -1 }, 'learningRate: expected a number from 0, got -1.'],
    ['no rate', { learningRate: Number.NaN }, 'learningRate: expected a number from 0, got NaN.'],
  ])('refuses %s', (_, wrong, message) => {
    expect(() => resolveOptions({ learningRate: 0.1, ...wrong }, fallback)).toThrow(new ConfigError(message));
  });

  it('refuses a rate that the schedule makes out of range, when its step comes', () => {
    const { rateOf } = resolveOptions({ learningRate: (step) => 1 - step }, fallback);
    expect(rateOf(1)).toBe(0);
    expect(() => rateOf(2)).toThrow(new ConfigError('learningRate of step 2: expected a number from 0, got -1.'));
  });
});
