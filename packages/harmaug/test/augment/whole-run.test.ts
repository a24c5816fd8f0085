/** Generate, respond and label as commands, on models that answer as a pure function of what they are asked. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { writeTinyStudent } from '../../src/distill/tiny.testing.node.ts';
import { startWriters } from '../loopback/writers.ts';
import { ALL, COUNT, callsOf, harmaug, type MildRun, mildRecipe, rowsOf, startMildRun } from './harness.node.ts';

let mild: MildRun;
beforeAll(async () => {
  mild = await startMildRun();
});
afterAll(() => mild.close());

const madeBy = (reports: readonly { calls: { made: number } }[]) => reports.map(({ calls }) => calls.made);

describe('a whole run', () => {
  test('makes what is wanted, and says what it took', async () => {
    const [generate, respond, label] = await mild.runAll(mild.mild, 'whole');
    expect(generate).toMatchObject({ complete: true, kept: ALL, wanted: ALL, harmful: 24, benign: 6, currency: 'USD' });
    expect(generate.calls.made).toBe(generate.asked);
    expect(generate.cost).toBeCloseTo((generate.prompt_tokens + 2 * generate.completion_tokens) / 1e6);
    expect(respond).toMatchObject({ wanted: 3 * ALL, calls: { made: 2 * ALL, failed: 0 } });
    expect(label).toMatchObject({ wanted: respond.kept, calls: { made: respond.kept } });
    expect(label.kept + label.rejected['verdict token missing']).toBe(label.wanted);
  });

  test('asks with the prefix, the examples and a seed, each candidate with its own', () => {
    const asked = mild.server.requests.filter(({ model, seed }) => model === 'writer' && seed !== undefined);
    expect(new Set(asked.map(({ seed }) => seed)).size).toBe(asked.length);
    const texts = asked.map(({ messages }) =>
      (messages as { role: string; content: string }[]).map(({ content }) => content),
    );
    expect(new Set(texts.map(([, prefix]) => prefix))).toEqual(
      new Set(['I have an idea for a prompt:', 'I have an idea for a question:']),
    );
    const harmful = texts.filter(([, prefix]) => prefix === 'I have an idea for a prompt:');
    expect(harmful.every(([text]) => /(Pranks|Rudeness).*\n\nExamples:\n1\. .+\n2\. .+$/s.test(text!))).toBe(true);
  });

  test('keeps every row with where it comes from', () => {
    const { instructions, pairs, labels } = rowsOf(mild.at('whole'));
    const ids = new Set(callsOf(mild.at('whole')).map(({ key }) => key));
    for (const row of instructions) {
      expect(ids.has(row.id!)).toBe(true);
      const about = JSON.parse(String(row.about));
      expect(about).toMatchObject({
        round: expect.any(Number),
        number: expect.any(Number),
        prompt: expect.any(Number),
      });
      if (row.kind === 'harmful') expect(about.exemplars).toHaveLength(2);
      expect(row.reason === null).toBe(row.state !== 'rejected');
    }
    for (const row of pairs.filter(({ call }) => call !== null)) expect(ids.has(row.call!)).toBe(true);
    const compliant = pairs.filter(({ response_kind, state }) => response_kind === 'compliant' && state === 'kept');
    expect(compliant.every(({ response }) => String(response).startsWith('Sure:'))).toBe(true);
    expect(labels.every(({ soft_label, reason }) => (soft_label === null) === (reason !== null))).toBe(true);
    expect(labels.filter(({ is_boundary }) => is_boundary === 1).length).toBeGreaterThan(0);
  });

  test('done again makes no call and changes nothing', async () => {
    const before = [rowsOf(mild.at('whole')), callsOf(mild.at('whole')).length];
    const from = mild.server.requests.length;
    expect(madeBy(await mild.runAll(mild.mild, 'whole'))).toEqual([0, 0, 0]);
    expect(mild.server.requests.length).toBe(from);
    expect([rowsOf(mild.at('whole')), callsOf(mild.at('whole')).length]).toEqual(before);
  });

  test('leaves a private folder with the recipe as it was resolved', () => {
    expect(statSync(mild.at('whole')).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(mild.at('whole'))) {
      if (!name.endsWith('.lock') && !/-(wal|shm)$/.test(name))
        expect(statSync(mild.at(`whole/${name}`)).mode & 0o077).toBe(0);
    }
    const resolved = parse(readFileSync(mild.at('whole/recipe.yaml'), 'utf8'));
    expect(resolved.generate).toMatchObject({
      seed: 42,
      temperature: 1,
      attempts: 4,
      prefix: 'I have an idea for a prompt:',
    });
    expect(resolved.respond.refusal.prefix).toBe('none');
  });

  test('comes to the same whatever the order in which answers come', async () => {
    const slow = await startWriters({ delayMs: () => 30 * Math.random() });
    const own = mild.recipe('slow.yaml', mildRecipe(slow.url, COUNT, { concurrency: 5, timeoutSeconds: 5 }));
    await mild.runAll(own, 'slow');
    await slow.close();
    expect(rowsOf(mild.at('slow'))).toEqual(rowsOf(mild.at('whole')));
  });
});

describe('one setting changed redoes what depends on it, and no more:', () => {
  const calls = async (own: string) => madeBy(await mild.runAll(own, 'whole'));

  test.each([
    ['the teacher’s marks: nothing', (s) => (s.label!.boundary = 0.2), [false, false, false]],
    [
      'where a model runs: nothing',
      (s) => ((s.models!.helper as { concurrency: number }).concurrency = 3),
      [false, false, false],
    ],
    [
      'a responder’s system prompt: its responses, and their labels',
      (s) => ((s.respond!.refusal as { system?: string }).system = 'Be kind.'),
      [false, true, true],
    ],
    [
      'the teacher: labels',
      (s) => ((s.teachers!.main as { family: string }).family = 'llama-guard-3-1b'),
      [false, false, true],
    ],
    ['the prefix: all', (s) => (s.generate!.prefix = 'none'), [true, true, true]],
    ['the length allowed: which candidates are kept', (s) => (s.filters!.maxCharacters = 55), [true, true, true]],
  ] as [string, (sections: Record<string, Record<string, unknown>>) => void, boolean[]][])(
    '%s',
    async (name, change, made) => {
      const own = mild.variant(`${name.replace(/\W+/g, '-')}.yaml`, change);
      const before = rowsOf(mild.at('whole'));
      const counts = await calls(own);
      expect(counts.map((count) => count > 0)).toEqual(made);
      if (made[1] && !made[0]) expect(counts[1]).toBe(ALL);
      expect(await calls(mild.mild)).toEqual([0, 0, 0]);
      expect(rowsOf(mild.at('whole'))).toEqual(before);
    },
  );

  test('more wanted: only what is added', async () => {
    const own = mild.variant('more.yaml', (s) => (s.generate!.perCategory = 16));
    const before = new Set(callsOf(mild.at('whole')).map(({ key }) => key));
    const [generate] = await mild.runAll(own, 'whole');
    expect(generate).toMatchObject({ kept: 40, complete: true });
    expect(generate.calls.made).toBeLessThan(20);
    expect(callsOf(mild.at('whole')).filter(({ key }) => before.has(key)).length).toBe(before.size);
    await mild.runAll(mild.mild, 'whole');
  });

  test('a later stage does not read rows of other settings', async () => {
    const own = mild.variant('prefix.yaml', (s) => (s.generate!.prefix = 'Another idea:'));
    const respond = await harmaug('respond', own, '--out', mild.at('whole'));
    expect(respond).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/generated with other settings.*Run harmaug generate/),
    });
    const label = await harmaug(
      'label',
      mild.variant('system.yaml', (s) => ((s.respond!.refusal as { system?: string }).system = 'No.')),
      '--out',
      mild.at('whole'),
    );
    expect(label).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/made with other settings.*Run harmaug respond/),
    });
    const empty = await harmaug('respond', mild.mild, '--out', mild.at('nothing'));
    expect(empty).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/no instructions yet\. Run harmaug generate/),
    });
  });
});

test('meanings are compared where an encoder is given, the same in a second run', async () => {
  await writeTinyStudent(mild.at('encoder'));
  const own = mild.variant('meanings.yaml', (s) => {
    s.filters!.embeddings = { encoder: 'encoder', threshold: 0.995, maxLength: 32 };
  });
  const [first] = await mild.runAll(own, 'meanings');
  expect(first.rejected['near-duplicate']).toBeGreaterThan(0);
  const before = rowsOf(mild.at('meanings'));
  expect(madeBy(await mild.runAll(own, 'meanings'))).toEqual([0, 0, 0]);
  expect(rowsOf(mild.at('meanings'))).toEqual(before);
});
