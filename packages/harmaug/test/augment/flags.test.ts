/** --limit, --seed, --plan and --budget. */
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ALL, harmaug, type MildRun, reading, rowsOf, stages, startMildRun } from './harness.node.ts';

let mild: MildRun;
beforeAll(async () => {
  mild = await startMildRun();
  await mild.runAll(mild.mild, 'whole');
});
afterAll(() => mild.close());

describe('--limit, --seed, --plan', () => {
  test('a limit takes the first rows, and what it made is there for the rest', async () => {
    const [generate, respond, label] = await mild.runAll(mild.mild, 'limited', '--limit', '6');
    expect([generate.wanted, respond.wanted]).toEqual([6, 18]);
    expect(label.wanted).toBe(6);
    const all = await mild.runAll(mild.mild, 'limited');
    expect(all[0].calls.reused).toBeGreaterThan(0);
    expect(rowsOf(mild.at('limited'))).toEqual(rowsOf(mild.at('whole')));
  });

  test('another seed makes another set; the stages after it need the same', async () => {
    const [generate] = await mild.runAll(mild.mild, 'seeded', '--seed', '7');
    expect(generate.kept).toBe(ALL);
    const texts = (run: string) => rowsOf(mild.at(run)).instructions.map(({ text }) => text);
    expect(texts('seeded')).not.toEqual(texts('whole'));
    const respond = await harmaug('respond', mild.mild, '--out', mild.at('seeded'));
    expect(respond).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/with the same flags/) });
  });

  test('a plan calls nothing and makes no folder', async () => {
    const from = mild.server.requests.length;
    for (const stage of stages) {
      const { exitCode, stdout } = await harmaug(stage, mild.mild, '--out', mild.at('planned'), '--plan', '--json');
      expect(exitCode).toBe(0);
      const { calls } = JSON.parse(stdout);
      for (const one of calls) {
        expect(one).toMatchObject({ basis: stage === 'generate' ? 'texts' : 'expected' });
        expect(one.calls).toBeGreaterThan(0);
        expect(one.cost).toBeCloseTo((one.prompt_tokens + 2 * one.completion_tokens) / 1e6);
      }
    }
    expect(mild.server.requests.length).toBe(from);
    expect(readdirSync(mild.folder)).not.toContain('planned');
  });

  test('a plan counts what is missing', async () => {
    const plan = async (stage: string, run: string) => {
      const { stdout } = await harmaug(stage, mild.mild, '--out', mild.at(run), '--plan', '--json');
      return (JSON.parse(stdout).calls as { calls: number; basis: string }[]).map(({ calls, basis }) => [calls, basis]);
    };
    expect(await plan('generate', 'whole')).toEqual([
      [0, 'calls'],
      [0, 'calls'],
    ]);
    expect(await plan('respond', 'whole')).toEqual([
      [0, 'calls'],
      [0, 'calls'],
    ]);
    await harmaug('generate', mild.mild, '--out', mild.at('half'));
    await harmaug('respond', mild.mild, '--out', mild.at('half'), '--limit', '10');
    expect(await plan('respond', 'half')).toEqual([
      [20, 'calls'],
      [20, 'calls'],
    ]);
    expect(await plan('label', 'half')).toEqual([
      [30 - rowsOf(mild.at('half')).pairs.filter(({ state }) => state !== 'kept').length, 'texts'],
    ]);
  });
});

describe('--budget', () => {
  const spent = (run: string) =>
    reading(
      mild.at(run),
      (ledger) => ledger.get('SELECT sum(prompt_tokens + completion_tokens) AS tokens, sum(cost) AS cost FROM calls')!,
    );

  test('stops before it is passed, says how to go on, and goes on', async () => {
    const small = ['generate', mild.mild, '--out', mild.at('budget'), '--budget', '3k tokens'];
    const stopped = await harmaug(...small);
    expect(stopped.exitCode).toBe(1);
    expect(stopped.stdout).toMatch(
      /Stopped at the budget of 3k tokens\. What was answered is recorded; the same command goes on with a higher --budget/,
    );
    const { tokens } = spent('budget');
    expect(tokens).toBeGreaterThan(1000);
    expect(tokens).toBeLessThanOrEqual(3000);
    const onward = await harmaug('respond', mild.mild, '--out', mild.at('budget'), '--plan');
    expect(onward.exitCode).toBe(0);
    const respond = await harmaug('respond', mild.mild, '--out', mild.at('budget'), '--limit', '1');
    expect(respond.stderr).toMatch(
      /harmaug generate is not complete: this goes on with the \d+ rows of 30 that are there\./,
    );
    const again = await harmaug(...small);
    expect(again.exitCode).toBe(1);
    expect(spent('budget').tokens).toBeLessThanOrEqual(3000);
    await mild.runAll(mild.mild, 'budget', '--budget', '5 USD');
    expect(rowsOf(mild.at('budget'))).toEqual(rowsOf(mild.at('whole')));
  });

  test('in money counts by the recipe’s prices', async () => {
    const { exitCode } = await harmaug('generate', mild.mild, '--out', mild.at('money'), '--budget', '0.003 USD');
    expect(exitCode).toBe(1);
    expect(spent('money').cost).toBeLessThanOrEqual(0.003);
    const unpriced = mild.variant('unpriced.yaml', (s) => delete s.prices);
    const refused = await harmaug('generate', unpriced, '--out', mild.at('money-2'), '--budget', '5 USD');
    expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/money needs a section "prices"/) });
  });
});
