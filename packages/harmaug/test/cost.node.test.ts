/** `harmaug cost` as a user runs it, on a tiny guard in every precision and a teacher that answers from a script. */
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ModelCost } from '../src/cost/cost.ts';
import { temporaryFolder, tinyRows, writeTinyStudent } from '../src/distill/tiny.testing.node.ts';
import { harmaug } from './harmaug.node.ts';

let folder: string;
const at = (name: string) => path.join(folder, name);
const shapes = path.join(import.meta.dirname, '../src/cost/fixtures');
const brief = ['--lengths', '8,32', '--seconds', '0.1', '--json'];

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeTinyStudent(at('guard'));
  await harmaug('export', at('guard'), '--dtype', 'fp32,int8', '--force');
  await writeFile(
    at('rows.jsonl'),
    tinyRows(20)
      .map((row) => `${JSON.stringify(row)}\n`)
      .join(''),
  );
  await writeFile(
    at('recipe.yaml'),
    'models:\n  scripted: { provider: scripted, probabilities: { safe: 0.9, unsafe: 0.1 } }\n' +
      'teachers:\n  main: { family: llama-guard-3-8b, model: scripted }\n',
  );
  await writeFile(at('prices.yaml'), 'currency: EUR\nmachines:\n  laptop: { hour: 3.6 }\n  server: { hour: 36 }\n');
});
afterAll(() => rm(folder, { recursive: true }));

describe('harmaug cost', () => {
  test('measures each precision of a guard in a process of its own, beside a teacher’s shape', async () => {
    const argv = ['--against', path.join(shapes, 'Llama-Guard-3-8B/config.json'), '--data', at('rows.jsonl')];
    const { exitCode, stdout, stderr } = await harmaug(
      'cost',
      at('guard'),
      ...argv,
      '--prices',
      at('prices.yaml'),
      ...brief,
    );
    expect([exitCode, stderr]).toEqual([0, expect.any(String)]);
    const { models, against, ratios } = JSON.parse(stdout) as Record<string, ModelCost[]> & { against: ModelCost };
    expect(models!.map(({ precision }) => precision)).toEqual(['fp32', 'fp32 onnx', 'int8 onnx']);
    for (const { parameters, peakMemoryBytes, diskBytes, checks } of models!) {
      expect(checks.map(({ length }) => length)).toEqual([8, 32, 'data']);
      expect(parameters).toBeGreaterThan(5000);
      expect(diskBytes).toBeGreaterThan(5000);
      expect(peakMemoryBytes! / 2 ** 20).toBeGreaterThan(30);
      for (const check of checks) {
        expect(check.p95Ms).toBeGreaterThanOrEqual(check.p50Ms!);
        expect(check.perMillionChecks! * check.textsPerSecond!).toBeCloseTo(1000, 5); // 3.6 an hour
        expect(check.tokensPerSecond).toBeCloseTo(check.textsPerSecond! * check.tokens!, 5);
      }
      expect(checks[1]!.flops).toBeGreaterThan(3 * checks[0]!.flops!);
    }
    expect(against).toMatchObject({ name: 'Llama-Guard-3-8B', parameters: 8_030_261_248, peakMemoryBytes: null });
    expect(against.checks[0]).toMatchObject({ tokens: 208, p50Ms: null, textsPerSecond: null });
    expect(ratios!.length).toBe(9);
    const [own, its] = [models![0]!, against].map(({ checks }) => checks[2]!.tokens!);
    expect(its).toBeCloseTo(own! + 200, 5); // its own tokenizer is not there
  }, 60_000);

  test('measures a teacher by what its calls say they took', async () => {
    const argv = [at('recipe.yaml'), '--shape', path.join(shapes, 'Llama-Guard-3-8B/config.json')];
    const { stdout } = await harmaug('cost', ...argv, ...brief);
    const [teacher] = JSON.parse(stdout).models;
    expect(teacher.checks[0]).toMatchObject({ p50Ms: expect.any(Number), textsPerSecond: expect.any(Number) });
    expect(teacher.peakMemoryBytes).toBeGreaterThan(0);
  }, 60_000);

  test('counts without running, and prints no text', async () => {
    const { stdout } = await harmaug(
      'cost',
      at('guard'),
      path.join(shapes, 'Llama-Guard-3-8B'),
      '--no-run',
      '--template-tokens',
      '0',
    );
    expect(stdout).toMatch(/Llama-Guard-3-8B +— +8\.03B +7\.50B +— +—/);
    expect(stdout).toMatch(/Llama-Guard-3-8B +— +512 +512 +7,285 +14\.2 +—/);
    expect(stdout).toMatch(/prices of 2026-11: 2-cpu/);
    expect(stdout).not.toMatch(/lovely|dinner/);
  });

  test.each([
    [['--lengths', '8,x'], 2, /--lengths: expected whole numbers/],
    [['--machine', 'laptop', '--no-run'], 2, /--machine: Unknown machine "laptop"\. Available: 2-cpu/],
    [['--prices', 'none.yaml'], 1, /none\.yaml cannot be read \(ENOENT\)/],
    [['--data', 'none.jsonl'], 1, /none\.jsonl does not exist/],
  ])('%o is told what is wrong', async (argv, exitCode, message) => {
    const ran = await harmaug('cost', at('guard'), ...argv);
    expect([ran.exitCode, ran.stderr]).toEqual([exitCode, expect.stringMatching(message)]);
  });

  test('says what a model lacks, also from the other process', async () => {
    expect((await harmaug('cost')).stderr).toMatch(/<model> … is missing/);
    expect((await harmaug('cost', at('none.json'))).stderr).toMatch(/none\.json cannot be read/);
    const three = await writeTinyStudent(at('three'), { labels: ['joy', 'fear', 'anger'] });
    const ran = await harmaug('cost', three, ...brief);
    expect([ran.exitCode, ran.stderr]).toEqual([1, expect.stringMatching(/a guard has two labels, safe and unsafe/)]);
  });
});
