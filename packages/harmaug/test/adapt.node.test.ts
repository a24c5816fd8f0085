/** `harmaug adapt` as a user runs it, on a tiny guard and a mild cipher. */
import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { loadWeights } from '@harmaug/models/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type AdaptRequest, adapt } from '../src/adapt/adapt.node.ts';
import { temporaryFolder, tinyRows, writeTinyStudent } from '../src/distill/tiny.testing.node.ts';
import { harmaug } from './harmaug.node.ts';

let folder: string;
const at = (name: string) => path.join(folder, name);
const lines = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
/** An attack of its own: kind words said of what is meant rudely, marked by one word. */
const attackRows = (count: number, seed: number) =>
  tinyRows(count, seed).map(({ id, label, prompt }) => ({ id, label: 1 - label!, prompt: `no no no ${prompt}` }));
const plainRows = (count: number, seed: number) =>
  tinyRows(count, seed).map(({ id, label, prompt }) => ({ id: `${seed}-${id}`, label, prompt }));

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeTinyStudent(at('student'));
  await writeFile(at('train.jsonl'), lines(plainRows(300, 1)));
  await writeFile(at('attack.jsonl'), lines(attackRows(200, 2)));
  await writeFile(at('attack-test.jsonl'), lines(attackRows(120, 3)));
  await writeFile(at('test.jsonl'), lines(plainRows(120, 4)));
  const settings = ['--epochs', '4', '--batch-size', '16', '--learning-rate', '0.01', '--validation-share', '0'];
  const files = ['--student', at('student'), '--train', at('train.jsonl'), '--out', at('guard'), '--lambda', '0'];
  expect((await harmaug('distill', ...files, ...settings, '--warmup-steps', '2')).exitCode).toBe(0);
});
afterAll(() => rm(folder, { recursive: true }));

const settings = [
  '--epochs',
  '4',
  '--learning-rate',
  '0.01',
  '--batch-size',
  '16',
  '--resamples',
  '20',
  '--trust',
  '0.3',
];
const given = () => ['--train', at('train.jsonl'), '--attack', at('attack.jsonl')];
const measured = () => ['--data', at('test.jsonl'), '--attacked', at('attack-test.jsonl')];

interface SetFigures {
  readonly name: string;
  readonly before: { readonly auprc: { readonly value: number } };
  readonly after: { readonly auprc: { readonly value: number } };
}

describe('harmaug adapt', () => {
  test('learns the attack, keeps what it knew, and leaves the guard as it was', async () => {
    const before = await readFile(at('guard/model.safetensors'));
    const argv = ['adapt', at('guard'), ...given(), ...measured(), ...settings, '--out', at('adapted'), '--json'];
    const { exitCode, stdout, stderr } = await harmaug(...argv);
    expect([exitCode, stderr]).toEqual([0, expect.stringMatching(/1\d\d rows of the attack, 1\d\d old ones/)]);
    const result = JSON.parse(stdout);
    const [attacked, plain] = result.sets as [SetFigures, SetFigures];
    expect([attacked.name, plain.name]).toEqual(['attack-test', 'test']);
    expect(attacked.after.auprc.value).toBeGreaterThan(attacked.before.auprc.value + 0.3);
    expect(plain.after.auprc.value).toBeGreaterThan(plain.before.auprc.value - 0.05);
    expect(await readFile(at('guard/model.safetensors'))).toEqual(before);
    expect(JSON.parse(await readFile(at('adapted/adapt.json'), 'utf8'))).toEqual({ ...result, out: undefined });
    expect(await readFile(at('adapted/README.md'), 'utf8')).toMatch(/Started from: guard/);
  });

  test('the new guard knows what both have seen', async () => {
    const argv = [
      '--guard',
      at('adapted'),
      '--data',
      at('train.jsonl'),
      at('attack.jsonl'),
      '--resamples',
      '5',
      '--json',
    ];
    const { sets } = JSON.parse((await harmaug('evaluate', ...argv)).stdout);
    expect(sets.map(({ rows, seenInTraining }: Record<string, number>) => seenInTraining! / rows!)).toEqual([1, 1]);
  });

  test('a transform of old rows is an attack too, and each set is measured in it', async () => {
    const argv = ['--train', at('train.jsonl'), '--transform', 'reversed', '--examples', '60', '--replay', '40'];
    const to = ['--data', at('test.jsonl'), '--out', at('reversed'), '--epochs', '1', '--resamples', '5'];
    const { exitCode, stdout, stderr } = await harmaug('adapt', at('guard'), ...argv, ...to);
    expect([exitCode, stderr]).toEqual([0, expect.stringMatching(/60 rows of the attack, 40 old ones/)]);
    expect(stdout).toMatch(/test~reversed +attacked +120/);
    expect(stdout).toMatch(/test +plain +120/);
  });

  test('a cipher is learned from old rows in its words too', async () => {
    const argv = ['--train', at('train.jsonl'), '--transform', 'caesar:3', '--examples', '60', '--replay', '40'];
    const { exitCode, stderr } = await harmaug('adapt', at('guard'), ...argv, '--epochs', '2', '--out', at('cipher'));
    expect([exitCode, stderr]).toEqual([0, expect.stringMatching(/60 rows of the attack, 80 old ones .* 80 in the/)]);
    expect(JSON.parse(await readFile(at('cipher/adapt.json'), 'utf8')).rows).toEqual({
      ...{ examples: 60, replay: 80, switched: 80 },
    });
  });

  test('stopped on the way, it comes to the weights of an unbroken run', async () => {
    const request: AdaptRequest = {
      ...{
        guard: at('guard'),
        train: plainRows(120, 1) as never,
        attack: attackRows(80, 2) as never,
        out: at('whole'),
      },
      settings: { epochs: 2, learningRate: 0.01, batchSize: 16 },
    };
    await adapt(request);
    const stop = new AbortController();
    const onEvent: AdaptRequest['onEvent'] = (event) => {
      if (event.kind === 'step' && event.step === 7) stop.abort();
    };
    expect(await adapt({ ...request, out: at('broken'), signal: stop.signal, onEvent })).toBeNull();
    expect(await adapt({ ...request, out: at('broken') })).toMatchObject({ kind: 'adapt', sets: [] });
    const [whole, broken] = [await weightsOf('whole'), await weightsOf('broken')];
    expect(broken).toEqual(whole);
  });

  test.each([
    [['--out', 'x', '--train', 'train.jsonl'], 2, /Give --attack or --transform/],
    [['--out', 'guard', '--train', 'train.jsonl', '--attack', 'attack.jsonl'], 1, /is the guard itself/],
    [['--out', 'x', '--train', 'train.jsonl', '--transform', 'ceasar'], 2, /caesar/],
    [['--out', 'x', '--train', 'train.jsonl', '--attack', 'attack.jsonl', '--trust', '2'], 1, /trust: expected/],
    [['--out', 'x', '--train', 'train.jsonl', '--attack', 'attack.jsonl', '--new-weights', '-1'], 1, /newWeights: exp/],
    [['--out', 'x', '--train', 'train.jsonl', '--attack', 'attack.jsonl', '--epochs', '0'], 1, /epochs: expected/],
    [['--out', 'x', '--train', 'train.jsonl', '--attack', 'attack.jsonl', '--examples', '1'], 1, /examples: expected/],
  ])('%o is told what is wrong, before any training', async (argv, exitCode, message) => {
    const args = argv.map((part) => (/^(x|guard|.*\.jsonl)$/.test(part) ? at(part) : part));
    const result = await harmaug('adapt', at('guard'), ...args);
    expect(result).toMatchObject({ exitCode, stdout: '', stderr: expect.stringMatching(message) });
  });

  test('says what a folder is that is no guard', async () => {
    const result = await harmaug('adapt', folder, ...given(), '--out', at('x'));
    expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/has no config\.json\. Expected/) });
  });

  test('refuses a guard whose labels stand the other way', async () => {
    await writeTinyStudent(at('turned'), { labels: ['unsafe', 'safe'] });
    const result = await harmaug('adapt', at('turned'), ...given(), '--out', at('x'));
    expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/its labels are unsafe, safe/) });
  });
});

async function weightsOf(name: string) {
  return (await loadWeights(at(name), { head: 'sequence-classification' })).weights;
}
