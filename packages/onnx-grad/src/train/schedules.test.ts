/** Rates beside transformers': fixtures/schedules-transformers.py writes them. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../errors.ts';
import { constant, cosine, linear } from './schedules.ts';

interface Recorded {
  readonly schedule: 'linear' | 'cosine';
  readonly warmupSteps: number;
  readonly totalSteps: number;
  readonly rates: readonly number[];
}

const file = new URL('./fixtures/schedules-transformers.json', import.meta.url);
const { peak, cases }: { peak: number; cases: Recorded[] } = JSON.parse(readFileSync(file, 'utf8'));
const schedules = { linear, cosine };

describe('schedules', () => {
  it.each(cases)('$schedule, $warmupSteps of $totalSteps steps warming up', ({ schedule, rates, ...steps }) => {
    const rateOf = schedules[schedule]({ peak, ...steps });
    for (const [step, expected] of rates.entries()) {
      // The known difference: beyond its last step transformers' cosine rises again, ours stays at 0
      const hasEnded = step > steps.totalSteps && step >= steps.warmupSteps;
      expect(Math.abs(rateOf(step) - (hasEnded ? 0 : expected))).toBeLessThan(1e-12 * peak);
    }
  });

  it('a constant rate', () => {
    expect([0, 1, 1000].map(constant(2e-5))).toEqual([2e-5, 2e-5, 2e-5]);
  });

  it.each<[string, object, string]>([
    ['half a warm-up step', { warmupSteps: 0.5 }, 'warmupSteps: expected a whole number from 0, got 0.5.'],
    ['a negative warm-up', { warmupSteps: -1 }, 'warmupSteps: expected a whole number from 0, got -1.'],
    ['no steps', { totalSteps: 0 }, 'totalSteps: expected a whole number from 1, got 0.'],
    ['no end', { totalSteps: Number.POSITIVE_INFINITY }, 'totalSteps: expected a whole number from 1, got Infinity.'],
  ])('refuse %s', (_, wrong, message) => {
    for (const make of [linear, cosine]) {
      expect(() => make({ peak: 1, warmupSteps: 2, totalSteps: 10, ...wrong })).toThrow(new ConfigError(message));
    }
  });
});
