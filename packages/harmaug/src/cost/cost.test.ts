import { ConfigError } from 'onnx-grad';
import { describe, expect, it } from 'vitest';
import { checkCost, type ModelCost, ratios } from './cost.ts';
import { type Judging, measureSpeed, quantile } from './measure.ts';
import { checkTable, modelTable, ratioTable } from './present.ts';
import { defaultPrices, ofMachine, ofTokens, priceKey, readPrices } from './prices.ts';
import { textOfTokens } from './texts.ts';

describe('money', () => {
  it('is the machine’s price over its throughput, or the price of the tokens', () => {
    expect(ofMachine(3.6, 100)).toBeCloseTo(10, 10); // 0.001 a second, 100 texts in it
    expect(ofTokens({ prompt: 0.2, completion: 0.6 }, 300, 1)).toBeCloseTo(60.6, 10);
  });

  it('has prices by a model’s name, whoever owns it', () => {
    expect(priceKey('meta-llama/Llama-Guard-3-8B@main')).toBe('llama-guard-3-8b');
    expect(defaultPrices.models[priceKey('meta-llama/Llama-Guard-3-8B')]).toBeDefined();
    expect(readPrices(JSON.parse(JSON.stringify(defaultPrices)), 'prices.yaml')).toEqual(defaultPrices);
  });

  it.each([
    [
      { machines: { laptop: { hours: 1 } } },
      /prices\.yaml: "machines\.laptop.*unknown key "hours"\. Did you mean "hour"/s,
    ],
    [{ machines: { laptop: { hour: -1 } } }, /hour/],
    [{ models: { a: { prompt: 1 } } }, /completion/],
    [[], /prices\.yaml/],
  ])('%j is no table of prices', (value, message) => {
    expect(() => readPrices(value, 'prices.yaml')).toThrow(ConfigError);
    expect(() => readPrices(value, 'prices.yaml')).toThrow(message);
  });
});

describe('a text of a stated length', () => {
  it('has it, begins in its own way, and is the same again', () => {
    const count = (text: string) => 2 + text.split(' ').length;
    const texts = Array.from({ length: 20 }, (_, seed) => textOfTokens(32, seed, count));
    expect(texts.map(count)).toEqual(texts.map(() => 32));
    expect(new Set(texts.map((text) => text.split(' ').slice(0, 4).join(' '))).size).toBe(20);
    expect(textOfTokens(32, 3, count)).toBe(texts[3]);
  });

  it('is never longer where words have several tokens', () => {
    const count = (text: string) => text.length;
    for (const tokens of [4, 31, 200]) {
      const made = count(textOfTokens(tokens, 1, count));
      expect(made).toBeLessThanOrEqual(Math.max(tokens, 8)); // one word there is
      expect(made).toBeGreaterThan(tokens - 10);
    }
  });
});

describe('a measurement', () => {
  it('takes the nearest ranks', () => {
    const sorted = Array.from({ length: 100 }, (_, index) => index + 1);
    expect([quantile(sorted, 0.5), quantile(sorted, 0.95), quantile([7], 0.95)]).toEqual([50, 95, 7]);
  });

  it('judges alone and together, and adds up what calls took', async () => {
    const sizes: number[] = [];
    const judging: Judging = {
      async judge(rows) {
        sizes.push(rows.length);
        await new Promise((resolve) => setTimeout(resolve, 2));
        return { promptTokens: 10 * rows.length, completionTokens: rows.length };
      },
    };
    const rows = Array.from({ length: 8 }, (_, id) => ({ id: String(id), prompt: 'a plan' }));
    const { p50Ms, p95Ms, textsPerSecond, usage, runs } = await measureSpeed(judging, rows, 0.1);
    expect(usage).toEqual({ promptTokens: 10, completionTokens: 1 });
    expect(p50Ms).toBeGreaterThan(1.5);
    expect(p95Ms).toBeGreaterThanOrEqual(p50Ms);
    expect(textsPerSecond).toBeGreaterThan(1000 / p50Ms); // eight at once
    expect(runs).toBeGreaterThanOrEqual(3);
    expect(new Set(sizes)).toEqual(new Set([1, 8]));
  });
});

const speed = { p50Ms: 10, p95Ms: 20, textsPerSecond: 100, usage: null, runs: 3 };

describe('the figures of a check', () => {
  it('are means over the texts’ lengths', () => {
    const cost = checkCost({
      ...{ length: 'data', lengths: [10, 10, 40], speed, flopsOf: (tokens) => tokens * tokens },
      money: (tokens) => tokens,
    });
    expect(cost).toMatchObject({ tokens: 20, flops: 600, flopsPerToken: 30, tokensPerSecond: 2000 });
    expect(cost.perMillionChecks).toBe(20);
  });

  it('are unknown where nothing was measured or counted, and never 0', () => {
    const cost = checkCost({ length: 32, lengths: null, speed: null, flopsOf: null, money: () => null });
    expect(Object.values(cost)).toEqual([32, ...Array(8).fill(null)]);
  });
});

describe('the table', () => {
  const check = checkCost({ length: 32, lengths: [32], speed, flopsOf: () => 2e9, money: () => 3 });
  const model = (name: string, parameters: number | null): ModelCost => {
    const unknown = { parametersWithoutEmbeddings: null, diskBytes: null, peakMemoryBytes: 5e8, precision: null };
    return { name, parameters, ...unknown, checks: [check] };
  };

  it('says how many times better the student is', () => {
    const teacher = { ...model('teacher', 8e9), checks: [{ ...check, p50Ms: 100, textsPerSecond: 4, flops: 2e12 }] };
    const found = ratios([model('student', 22.7e6), model('odd', null)], teacher);
    expect(found[0]).toMatchObject({
      flops: 1000,
      p50Ms: 10,
      textsPerSecond: 25,
      perMillionChecks: 1,
      diskBytes: null,
    });
    expect(found[1]).toMatchObject({ parameters: null });
    expect(ratioTable(found).rows[0]).toEqual([
      'student',
      null,
      '32',
      '352x',
      '1,000x',
      '10x',
      '25x',
      '1x',
      null,
      '1x',
    ]);
    const other = { ...teacher, checks: [{ ...check, length: 64 }] };
    expect(ratios([model('student', 1)], other)).toEqual([]); // lengths of their own are not compared
  });

  it('has units that people read', () => {
    const rows = modelTable([
      model('a', 22_713_986),
      model('b', 8_030_261_248),
      model('c', 900),
      model('d', null),
    ]).rows;
    expect(rows.map((row) => row[2])).toEqual(['22.7M', '8.03B', '900', null]);
    expect(rows[0]![5]).toBe('500');
    expect(checkTable([model('a', 1)], 'EUR')).toEqual({
      header: expect.arrayContaining(['GFLOPs', 'EUR per million']),
      rows: [['a', null, '32', '32', '2', '0.0625', '10', '20', '100', '3,200', '3']],
    });
  });
});
