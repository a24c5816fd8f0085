/** Responses checked while they are written, on a tiny exported model. */
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Guard, type GuardAnswer } from '../src/index.node.ts';
import { temporaryFolder, writeTinyGuard } from './tiny-guard.node.ts';

let root: string;
let guard: Guard;

beforeAll(async () => {
  root = await temporaryFolder();
  guard = await Guard.load(await writeTinyGuard(path.join(root, 'guard')));
});
afterAll(async () => {
  await guard.dispose();
  await rm(root, { recursive: true });
});

async function stream(prompt: string, response: string, everyTokens: number, chunk = 7) {
  const open = guard.stream({ prompt }, { everyTokens });
  const answers: GuardAnswer[] = [];
  for (let at = 0; at < response.length; at += chunk) {
    const answer = await open.push(response.slice(at, at + chunk));
    if (answer) answers.push(answer);
  }
  return { answers, end: await open.end() };
}

describe('a stream', () => {
  it('of a short response ends with what checking it gives', async () => {
    for (const response of ['', 'you are my friend', 'what a stupid plan']) {
      const { end } = await stream('how are you', response, 4);
      const whole = await guard.check({ prompt: 'how are you', response });
      expect(end.score).toBeGreaterThanOrEqual(whole.score - 1e-6);
    }
    const { answers, end } = await stream('how are you', 'what a stupid plan', 1000);
    expect(answers).toEqual([]);
    expect(end).toEqual(await guard.check({ prompt: 'how are you', response: 'what a stupid plan' }));
  });

  it('reads every part of a long one, and says where', async () => {
    const harmless = 'the cake is great and my garden is nice '.repeat(20);
    for (const place of [0, 311, harmless.length]) {
      const response = `${harmless.slice(0, place)} you stupid lazy ugly dog ${harmless.slice(place)}`;
      const { answers, end } = await stream('how to do it', response, 8);
      const covered = answers.map(({ window }) => window.response!);
      expect(covered.every(([begin, last]) => begin >= 0 && last <= response.length && begin < last)).toBe(true);
      const alone = { prompt: 'how to do it', response: response.slice(...end.window.response!) };
      expect((await guard.check(alone)).score).toBeCloseTo(end.score, 5);
      expect(end.score).toBeGreaterThanOrEqual(Math.max(...answers.map(({ score }) => score)));
    }
  });

  it('costs in proportion to the length', async () => {
    const windows = async (count: number) => {
      const { answers } = await stream('how are you', 'a nice dog and a great cake '.repeat(count), 16, 28);
      return answers.reduce((sum, answer) => sum + answer.windows, 0);
    };
    const [one, four] = [await windows(20), await windows(80)];
    expect(four).toBeLessThan(5 * one);
  });

  it('reads all of a long prompt too', async () => {
    const prompt = 'the cake is great and my garden is nice '.repeat(10);
    const { end } = await stream(prompt, 'thank you'.repeat(3), 16);
    const whole = await guard.check({ prompt, response: 'thank you'.repeat(3) });
    expect(end.score).toBeGreaterThanOrEqual(whole.score - 1e-6);
  });

  it('is over after its end, and stops with its signal', async () => {
    const open = guard.stream({ prompt: 'a' });
    await open.end();
    await expect(open.push('a')).rejects.toThrow(/has ended/);
    await expect(open.end()).rejects.toThrow(/has ended/);
    const stopped = guard.stream({ prompt: 'a' }, { everyTokens: 1, signal: AbortSignal.abort(new Error('enough')) });
    await expect(stopped.push('you are')).rejects.toThrow('enough');
    await expect(stopped.end()).rejects.toThrow('enough');
    expect(() => guard.stream({ prompt: 'a' }, { everyTokens: 0 })).toThrow(/everyTokens: expected/);
  });
});
