import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { NoScore, Score, Scorer } from '../scoring/scorer.ts';
import { readRequestLine } from './request-line.ts';
import { type Reward, rewards } from './reward.ts';
import { serveLines } from './serve-lines.ts';

/** Scores a response by its length; "?" it cannot judge. Counts its calls. */
function lengthScorer(delayMs = 0): Scorer & { calls: number[] } {
  const calls: number[] = [];
  return {
    ...{ name: 'length', about: {}, threshold: 0.5, calls, dispose: async () => {} },
    async score(rows) {
      calls.push(rows.length);
      await sleep(delayMs);
      return rows.map(({ prompt, response = prompt }): Score | NoScore =>
        response === '?' ? { reason: 'no verdict' } : { score: response.length / 10, isTruncated: response.length > 8 },
      );
    },
  };
}

async function* chunks(...parts: readonly string[]): AsyncGenerator<string> {
  yield* parts;
}

describe('rewards', () => {
  it('averages over the draws of a request, in the order of the requests, in one call', async () => {
    const scorer = lengthScorer();
    const found = await rewards(scorer, [
      { id: 'a', prompt: 'x', responses: ['aa', 'aaaa'] },
      { id: 'b', prompt: 'xyz', responses: [] },
      { id: 'c', prompt: 'x', responses: ['aaaaaaaaa'] },
    ]);
    expect(found.map(({ reward }) => reward)).toEqual([expect.closeTo(0.3), 0.3, 0.9]);
    expect(found.map(({ isTruncated }) => isTruncated)).toEqual([false, false, true]);
    expect(scorer.calls).toEqual([4]);
  });

  it('leaves a draw without a verdict out of the mean, and says why there is no reward at all', async () => {
    const [some, none] = await rewards(lengthScorer(), [
      { id: 'a', prompt: 'x', responses: ['?', 'aaaa'] },
      { id: 'b', prompt: 'x', responses: ['?'] },
    ]);
    expect(some).toMatchObject({ reward: 0.4, scores: [null, 0.4] });
    expect(none).toMatchObject({ reward: null, reason: 'no verdict' });
  });
});

describe('a line that asks for a reward', () => {
  it('has a prompt, and one response, several or none', () => {
    expect(readRequestLine('{"prompt":"p","response":"r"}', 7)).toEqual({
      id: 'line 7',
      prompt: 'p',
      responses: ['r'],
    });
    expect(readRequestLine('{"id":"a","prompt":"p","responses":["r","s"]}', 1).responses).toEqual(['r', 's']);
    expect(readRequestLine('{"prompt":"p"}', 1).responses).toEqual([]);
  });

  it.each([
    ['secret', /line 3: expected JSON/],
    ['["secret"]', /line 3: expected an object/],
    ['{"prompt":5}', /line 3: "prompt"/],
    ['{"prompt":"secret","response":5}', /line 3: "response"/],
    ['{"prompt":"secret","responses":"secret"}', /line 3: "responses"/],
    ['{"prompt":"secret","response":"a","responses":[]}', /not both/],
    ['{"prompt":"secret","id":5}', /line 3: "id"/],
  ])('that will do in no way is named without its text: %s', (line, message) => {
    let error: unknown;
    try {
      readRequestLine(line, 3);
    } catch (caught) {
      error = caught;
    }
    expect(String(error)).toMatch(message);
    expect(String(error)).not.toContain('secret');
  });
});

describe('lines in, lines out', () => {
  const line = (id: string, response: string) => `${JSON.stringify({ id, prompt: 'p', response })}\n`;
  const serve = async (scorer: Scorer, parts: AsyncIterable<string>, signal?: AbortSignal) => {
    const written: string[] = [];
    const counts = await serveLines(scorer, parts, (text) => written.push(text), signal);
    return { counts, answers: written.map((text) => JSON.parse(text) as Reward & { error?: string }) };
  };

  it('answers in order whatever way the lines are cut, with an error in its place', async () => {
    const text = `${line('a', 'aa')}broken\r\n\n${line('b', 'aaaa').trimEnd()}`;
    for (const size of [1, 7, text.length]) {
      const parts = Array.from({ length: Math.ceil(text.length / size) }, (_, at) =>
        text.slice(at * size, at * size + size),
      );
      const { answers, counts } = await serve(lengthScorer(), chunks(...parts));
      expect(answers.map(({ id, reward }) => [id, reward])).toEqual([
        ['a', 0.2],
        ['line 2', undefined],
        ['b', 0.4],
      ]);
      expect(answers[1]!.error).toMatch(/line 2: expected JSON/);
      expect(counts).toMatchObject({ lines: 4, texts: 2, errors: 1 });
    }
  });

  it('answers before more comes, and takes together what came while it scored', async () => {
    const scorer = lengthScorer(20);
    const answered: string[] = [];
    async function* loop() {
      yield line('a', 'a');
      while (answered.length === 0) await sleep(1);
      for (const id of ['b', 'c', 'd']) yield line(id, 'a');
    }
    await serveLines(scorer, loop(), (text) => answered.push(text));
    expect(answered).toHaveLength(4);
    expect(scorer.calls.reduce((a, b) => a + b)).toBe(4);
    expect(scorer.calls.length).toBeLessThan(4);
  });

  it('reads no further ahead than it can score', async () => {
    let read = 0;
    async function* endless() {
      for (; read < 20_000; read++) yield line(String(read), 'a');
    }
    let ahead = 0;
    let written = 0;
    await serveLines(lengthScorer(1), endless(), () => {
      ahead = Math.max(ahead, read - written++);
    });
    expect(written).toBe(20_000);
    expect(ahead).toBeLessThan(9000);
  });

  it('stops when asked to, and passes on what reading failed with', async () => {
    const controller = new AbortController();
    async function* hanging() {
      yield line('a', 'a');
      controller.abort();
      await sleep(60_000, undefined, { ref: false });
    }
    await expect(serve(lengthScorer(), hanging(), controller.signal)).rejects.toThrow(/abort/i);
    async function* failing(): AsyncGenerator<string> {
      yield line('a', 'a');
      throw new Error('cut');
    }
    await expect(serve(lengthScorer(), failing())).rejects.toThrow('cut');
  });
});
