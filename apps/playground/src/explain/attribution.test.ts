import type { GuardAnswer, GuardRequest } from '@harmaug/guard';
import { describe, expect, it } from 'vitest';
import { type Effect, explain, logOdds, partsOf } from './attribution.ts';

/** What each word adds to the log-odds of a guard that only adds words up. */
const weights: Readonly<Record<string, number>> = { stupid: 3, ugly: 1.5, please: -2 };

class AddingGuard {
  readonly asked: GuardRequest[] = [];
  batches = 0;

  checkMany = async (requests: readonly GuardRequest[], { signal }: { signal?: AbortSignal } = {}) => {
    signal?.throwIfAborted();
    this.batches += 1;
    this.asked.push(...requests);
    return requests.map(({ prompt, response = '' }) => {
      const words = `${prompt} ${response}`.split(/\W+/);
      const margin = words.reduce((sum, word) => sum + (weights[word] ?? 0), -1);
      return { score: 1 / (1 + Math.exp(-margin)) } as GuardAnswer;
    });
  };
}

async function effectsOf(guard: AddingGuard, request: GuardRequest, options = {}): Promise<Effect[]> {
  const effects: Effect[] = [];
  for await (const some of explain(guard, request, options)) effects.push(...some);
  return effects;
}

describe('explain', () => {
  it('gives every word what it adds to the log-odds, in prompt and response', async () => {
    const request = { prompt: 'please say you stupid, ugly dog', response: 'no stupid' };
    const effects = await effectsOf(new AddingGuard(), request);
    const found = effects.map(({ field, begin, end, change }) => [
      field,
      request[field]!.slice(begin, end),
      Number(change.toFixed(6)) + 0,
    ]);
    expect(found).toEqual([
      ['prompt', 'please', -2],
      ['prompt', 'say', 0],
      ['prompt', 'you', 0],
      ['prompt', 'stupid,', 3],
      ['prompt', 'ugly', 1.5],
      ['prompt', 'dog', 0],
      ['response', 'no', 0],
      ['response', 'stupid', 3],
    ]);
  });

  it('asks once for each part and once for the whole, in small batches', async () => {
    const guard = new AddingGuard();
    await effectsOf(guard, { prompt: 'word '.repeat(30) });
    expect([guard.asked.length, guard.batches]).toEqual([31, 9]);
  });

  it('asks no more than it may, however long the text is', async () => {
    const guard = new AddingGuard();
    const request = { prompt: 'word '.repeat(4000), response: 'other '.repeat(40) };
    const effects = await effectsOf(guard, request, { mostParts: 20 });
    expect(guard.asked.length).toBeLessThanOrEqual(22);
    expect(effects.filter(({ field }) => field === 'response').length).toBeGreaterThan(0);
    expect(effects[0]!.begin).toBe(0);
    expect(effects.filter(({ field }) => field === 'prompt').at(-1)!.end).toBe(request.prompt.length - 1);
  });

  it('stops between batches with the signal’s reason', async () => {
    const guard = new AddingGuard();
    const stop = new AbortController();
    const run = async () => {
      for await (const _ of explain(guard, { prompt: 'word '.repeat(40) }, { signal: stop.signal })) {
        stop.abort(new RangeError('enough'));
      }
    };
    await expect(run()).rejects.toThrow('enough');
    expect(guard.batches).toBe(2);
  });

  it('has nothing to say of an empty text', async () => {
    expect(partsOf({ prompt: ' ' })).toEqual([]);
    expect(await effectsOf(new AddingGuard(), { prompt: '' })).toEqual([]);
  });
});

it('takes certainty for very likely', () => {
  expect(logOdds(1)).toBeCloseTo(20.72, 2);
  expect(logOdds(0)).toBeCloseTo(-20.72, 2);
  expect(logOdds(0.5)).toBe(0);
});
