/** What a million checks cost, from a table of prices. */
import { z } from 'zod';
import { costOf } from '../stages/prices.ts';
import { parseConfig, strictObject } from '../text/schema.ts';

const price = z.number().min(0).max(1e6);
const source = z.string().max(500).optional();

const priceTable = strictObject({
  currency: z.string().min(1).max(8).default('USD'),
  date: z.string().max(40).optional().describe('when the prices were read'),
  machines: z.record(z.string(), strictObject({ hour: price, source })).default({}),
  /** For a million tokens, by the model's name without its owner, in small letters. */
  models: z.record(z.string(), strictObject({ prompt: price, completion: price, source })).default({}),
});

export type PriceTable = z.output<typeof priceTable>;

/** @throws ConfigError naming the key, what was expected and what it got */
export function readPrices(value: unknown, where: string): PriceTable {
  return parseConfig(priceTable, value, where);
}

/** A few prices to start from. They change; give your own as `--prices`. */
export const defaultPrices: PriceTable = {
  currency: 'USD',
  date: '2026-11',
  machines: {
    '2-cpu': { hour: 0.0816, source: 'Amazon EC2 m7g.large (2 CPUs), us-east-1, on demand, June 2026' },
    'a100-80gb': { hour: 2.736, source: 'docs.runpod.io/serverless/pricing: A100, 0.00076 a second, flex' },
  },
  models: {
    'llama-guard-3-8b': {
      prompt: 0.2,
      completion: 0.6,
      source: 'Together AI’s Llama 3.1 8B, a model of that size, as theneuralbase.com gives it',
    },
    'omni-moderation-latest': { prompt: 0, completion: 0, source: 'OpenAI’s moderation interface is free' },
  },
};

/** As the table's keys are written: `meta-llama/Llama-Guard-3-8B` -> `llama-guard-3-8b`. */
export function priceKey(name: string): string {
  return name.split('/').at(-1)!.replace(/@.*$/, '').toLowerCase();
}

/** @param hour price of the machine for an hour */
export function ofMachine(hour: number, textsPerSecond: number): number {
  return (hour / 3600 / textsPerSecond) * 1e6;
}

export function ofTokens(
  price: { readonly prompt: number; readonly completion: number },
  promptTokens: number,
  completionTokens: number,
): number {
  return costOf(price, { promptTokens, completionTokens })! * 1e6;
}
