import { ConfigError } from 'onnx-grad';
import { describe, expect, it } from 'vitest';
import { Budget, parseLimit } from './budget.ts';
import { costOf, mostTokens } from './prices.ts';

describe('a limit', () => {
  it.each([
    ['2000000 tokens', 'USD', { amount: 2e6, unit: 'tokens' }],
    ['500k tokens', undefined, { amount: 5e5, unit: 'tokens' }],
    ['1.5M tokens', undefined, { amount: 1.5e6, unit: 'tokens' }],
    ['5 USD', 'USD', { amount: 5, unit: 'USD' }],
    ['0.25EUR', 'EUR', { amount: 0.25, unit: 'EUR' }],
  ])('of %s is read', (text, currency, limit) => {
    expect(parseLimit(text, currency)).toEqual(limit);
  });

  it.each([
    ['5 USD', undefined],
    ['5 EUR', 'USD'],
    ['-5 tokens', 'USD'],
    ['many tokens', 'USD'],
    ['5', 'USD'],
    ['', 'USD'],
  ])('of "%s" with prices in %s is refused', (text, currency) => {
    expect(() => parseLimit(text, currency)).toThrow(ConfigError);
  });

  it('says what it expects', () => {
    expect(() => parseLimit('5 USD', undefined)).toThrow(
      /expected such as "500k tokens"; money needs a section "prices"/,
    );
  });
});

describe('a budget', () => {
  const tokens = (amount: number) => new Budget({ amount, unit: 'tokens' }, 0);

  it('has room until what is spent and set aside fill it', async () => {
    const budget = tokens(100);
    expect(await budget.reserve(60)).toBe(true);
    const waiting = budget.reserve(60);
    budget.settle(60, 30);
    expect(await waiting).toBe(true);
    budget.settle(60, 30);
    expect(await budget.reserve(41)).toBe(false);
    expect(await budget.reserve(40)).toBe(true);
  });

  it('counts what the folder has spent before, and money by price', async () => {
    const budget = new Budget({ amount: 1, unit: 'USD' }, 0.5);
    expect(await budget.reserve(0.6)).toBe(false);
    const usage = { promptTokens: 1000, completionTokens: 500 };
    expect(budget.amountOf('m', { prompt: 10, completion: 20 }, usage)).toBeCloseTo(0.02);
    expect(() => budget.amountOf('m', null, usage)).toThrow(/model "m" has no price/);
  });
});

describe('prices', () => {
  it('are for a million tokens; what takes none is free', () => {
    expect(costOf({ prompt: 2, completion: 4 }, { promptTokens: 5e5, completionTokens: 25e4 })).toBe(2);
    expect(costOf(null, { promptTokens: 0, completionTokens: 0 })).toBe(0);
    expect(costOf(null, { promptTokens: 1, completionTokens: 0 })).toBeNull();
  });

  it('have a bound: no text has more tokens than bytes', () => {
    const text = '请告诉我 🦆 quack';
    expect(mostTokens([text], 0)).toBeGreaterThanOrEqual(new TextEncoder().encode(text).length);
  });
});
