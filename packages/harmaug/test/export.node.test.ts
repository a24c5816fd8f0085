/** `harmaug export` as a user runs it, on a tiny guard with matrices large enough to be quantised. */
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { buildModel, initialize } from '@harmaug/models';
import { saveModel } from '@harmaug/models/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder, tinyRows, writeTinyStudent } from '../src/distill/tiny.testing.node.ts';
import { harmaug } from './harmaug.node.ts';

let folder: string;
const at = (name: string) => path.join(folder, name);

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeTinyStudent(at('small'));
  const config = JSON.parse(await readFile(at('small/config.json'), 'utf8'));
  const json = { ...config, hidden_size: 64, intermediate_size: 128, num_attention_heads: 4 };
  const model = buildModel(json, { head: 'sequence-classification' });
  const weights = new Map([...model.scope.parameters].map(([name, spec]) => [name, initialize(spec, 0.2, 7)]));
  weights.get('bert.encoder.layer.0.output.dense.weight')!.fill(40, 0, 1); // an outlier, which costs its matrix bits
  const tokenizerFiles = new Map([['vocab.txt', new Uint8Array(await readFile(at('small/vocab.txt')))]]);
  await saveModel(at('guard'), { json, model, weights, tokenizerFiles });
  await writeFile(
    at('texts.jsonl'),
    tinyRows(80)
      .map((row) => `${JSON.stringify(row)}\n`)
      .join(''),
  );
});
afterAll(() => rm(folder, { recursive: true }));

const LOOSE = ['--max-difference', '1', '--max-flips', '1', '--max-auprc-drop', '1'];

describe('harmaug export', () => {
  test('writes the files that transformers.js looks for, each measured like the guard itself', async () => {
    const argv = ['--dtype', 'fp32,int8,q4', '--data', at('texts.jsonl'), '--out', at('out'), ...LOOSE, '--json'];
    const { exitCode, stdout, stderr } = await harmaug('export', at('guard'), ...argv);
    expect([exitCode, stderr]).toEqual([0, expect.any(String)]);
    const { files } = JSON.parse(stdout);
    expect(await readdir(at('out/onnx'))).toEqual(['model.onnx', 'model_q4.onnx', 'model_quantized.onnx']);
    expect((await readdir(at('out'))).sort()).toEqual(['config.json', 'onnx', 'vocab.txt']);
    expect(files.map(({ gate }: { gate: unknown }) => gate !== null)).toEqual([false, true, true]);
    expect(files[1].gate.max_difference).toBeGreaterThan(0);
    expect(files[1].bytes).toBeLessThan(files[0].bytes / 2);
    const scores = async (guard: string) => {
      const saved = at(`${path.basename(guard)}.jsonl`);
      const data = ['--data', at('texts.jsonl'), '--save-scores', saved, '--resamples', '10'];
      expect(await harmaug('evaluate', '--guard', guard, ...data)).toMatchObject({ exitCode: 0 });
      return (await readFile(saved, 'utf8'))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).score as number);
    };
    const [trained, exported, small] = [
      await scores(at('guard')),
      await scores(at('out/onnx/model.onnx')),
      await scores(at('out/onnx/model_quantized.onnx')),
    ];
    const furthest = (other: number[]) => Math.max(...trained.map((score, row) => Math.abs(score - other[row]!)));
    expect(furthest(exported)).toBeLessThan(1e-6);
    expect(furthest(small)).toBeCloseTo(files[1].gate.max_difference, 6);
  });

  test('keeps the weights that cost most in float32 until the answers are near enough', async () => {
    const argv = ['--data', at('texts.jsonl'), '--out', at('near'), '--json', '--dtype', 'q4'];
    const loose = JSON.parse((await harmaug('export', at('guard'), ...argv, ...LOOSE)).stdout).files[0];
    const limit = loose.gate.max_difference * 0.8;
    const tight = ['--max-difference', String(limit), '--max-flips', '1', '--max-auprc-drop', '1'];
    const near = JSON.parse((await harmaug('export', at('guard'), ...argv, ...tight)).stdout).files[0];
    expect(near.kept_float32.length).toBeGreaterThan(0);
    expect(near.gate.max_difference).toBeLessThanOrEqual(limit);
    expect(near.bytes).toBeGreaterThan(loose.bytes);
  });

  test('writes nothing that stays over the limits, unless forced', async () => {
    const argv = ['--data', at('texts.jsonl'), '--out', at('far'), '--dtype', 'q4', '--max-difference', '0'];
    const refused = await harmaug('export', at('guard'), ...argv);
    expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
    expect(refused.stderr).toMatch(/q4 of .*: largest \|Δp\| .*, at most 0.*Nothing was written.*--force/);
    expect(await readdir(at('far/onnx'))).toEqual([]);
    const forced = await harmaug('export', at('guard'), ...argv, '--force');
    expect(forced).toMatchObject({ exitCode: 0 });
    expect(forced.stdout).toMatch(/q4: largest \|Δp\|/);
    expect((await stat(at('far/onnx/model_q4.onnx'))).size).toBeGreaterThan(1000);
  });

  test.each([
    [['--dtype', 'int4', '--force'], 2, /--dtype: "int4" is not one of fp32, int8, q4\. Did you mean/],
    [['--dtype', 'int8'], 2, /--data is missing/],
    [['--data', 'no-such.jsonl'], 1, /no-such\.jsonl/],
  ])('%o is told what is wrong', async (argv, exitCode, message) => {
    const result = await harmaug('export', at('guard'), ...argv);
    expect(result).toMatchObject({ exitCode, stdout: '' });
    expect(result.stderr).toMatch(message);
  });
});
