import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadModel, readRanges } from '@harmaug/models/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lockFolder } from '../lock.node.ts';
import { openEncoderScorer } from '../scoring/encoder-scorer.node.ts';
import { readCurve, writeCurve } from './curve.node.ts';
import { prepareData } from './prepare.node.ts';
import { type RunEvent, type RunOptions, runDistillation, runFiles } from './run.node.ts';
import { checkSettings, type DistillSettings } from './settings.ts';
import { temporaryFolder, tinyRows, writeTinyStudent } from './tiny.testing.node.ts';

let folder: string;
let student: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  student = await writeTinyStudent(path.join(folder, 'student'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const settings = (changes: Partial<DistillSettings> = {}) =>
  checkSettings({ epochs: 4, batchSize: 16, maxLength: 32, learningRate: 5e-3, warmupSteps: 4, ...changes });

async function run(out: string, changes: Partial<DistillSettings> = {}, options: Partial<RunOptions> = {}) {
  const chosen = settings(changes);
  const data = await prepareData(student, { seedRows: tinyRows(160), syntheticRows: tinyRows(60, 2) }, chosen);
  return runDistillation(data, chosen, { student, out: path.join(folder, out), seed: 42, threads: 1, ...options });
}

const weightsHash = (out: string) =>
  createHash('sha256')
    .update(readFileSync(path.join(folder, out, 'model.safetensors')))
    .digest('hex');

describe('a run', () => {
  it('learns, shows how, and leaves a folder that loads, with its record and curve alone beside it', async () => {
    const events: RunEvent[] = [];
    const { isFinished, steps, curve } = await run('learns', { epochs: 6 }, { onEvent: (event) => events.push(event) });
    expect([isFinished, steps]).toEqual([true, 6 * Math.ceil(198 / 16)]);
    const losses = curve.filter((point) => point.kind === 'step').map(({ loss }) => loss);
    expect(Math.min(...losses.slice(-5))).toBeLessThan(losses[0]! / 2);
    const validations = curve.filter((point) => point.kind === 'validation');
    expect(validations).toHaveLength(6);
    expect(validations.at(-1)!.auprc!).toBeGreaterThan(0.9);
    const last = events.findLast((event) => event.kind === 'step')!;
    expect(last.leftMs).toBe(0);
    const files = readdirSync(path.join(folder, 'learns')).sort();
    expect(files).toEqual([
      'config.json',
      'curve.jsonl',
      'distillation.json',
      'model.safetensors',
      'training-prompts.bin',
      'vocab.txt',
    ]);
    const { json } = await loadModel(path.join(folder, 'learns'), { head: 'sequence-classification' });
    expect(json.id2label).toEqual({ 0: 'safe', 1: 'unsafe' });
  });

  it('stopped at any step goes on to the same weights, bit for bit', async () => {
    await run('unbroken');
    for (const stopAt of [1, 13, 30]) {
      const out = `stopped-${stopAt}`;
      const stop = new AbortController();
      const first = await run(
        out,
        {},
        {
          signal: stop.signal,
          onEvent: (event) => event.kind === 'step' && event.step === stopAt && stop.abort(),
        },
      );
      expect(first).toMatchObject({ isFinished: false, steps: stopAt });
      const events: RunEvent[] = [];
      const { curve } = await run(out, {}, { onEvent: (event) => events.push(event) });
      expect(events[0]).toEqual({ kind: 'resumed', step: stopAt });
      expect(curve.filter(({ kind }) => kind === 'step').map(({ step }) => step)).toEqual(
        Array.from({ length: 52 }, (_, n) => n + 1),
      );
      expect(weightsHash(out)).toBe(weightsHash('unbroken'));
    }
  });

  it('in int8 learns, goes on to the same weights, and leaves the ranges of its activations', async () => {
    const int8 = { precision: 'int8', epochs: 6 } as const;
    const { curve } = await run('bytes', int8);
    expect(curve.findLast((point) => point.kind === 'validation')!.auprc!).toBeGreaterThan(0.9);
    const stop = new AbortController();
    const stopAt = (event: RunEvent) => event.kind === 'step' && event.step === 20 && stop.abort();
    await run('bytes-stopped', int8, { signal: stop.signal, onEvent: stopAt });
    await run('bytes-stopped', int8);
    expect(weightsHash('bytes-stopped')).toBe(weightsHash('bytes'));
    const ranges = await readRanges(path.join(folder, 'bytes'));
    expect([...ranges!.keys()].filter((name) => name.includes('layer.0'))).toEqual([
      'bert.encoder.layer.0.attention.self.query.weight',
      'bert.encoder.layer.0.attention.output.dense.weight',
      'bert.encoder.layer.0.intermediate.dense.weight',
      'bert.encoder.layer.0.output.dense.weight',
    ]);
    expect(await readRanges(path.join(folder, 'bytes-stopped'))).toEqual(ranges);
    await run('unbroken');
    expect(await readRanges(path.join(folder, 'unbroken'))).toBeNull();
    await expect(run('bytes', { ...int8, precision: 'float32' })).rejects.toThrow(/precision int8, not float32/);
  });

  it('that diverges stops, and says what to do', async () => {
    const wild = { epochs: 12, learningRate: 1, lambda: 0, validationShare: 0 } as const;
    const stop = new AbortController();
    const stopAt = (event: RunEvent) => event.kind === 'step' && event.step === 12 && stop.abort();
    await run('wild', wild, { signal: stop.signal, onEvent: stopAt });
    const { curve } = runFiles(path.join(folder, 'wild'));
    const points = readCurve(curve, 12).map((point) => (point.kind === 'step' ? { ...point, loss: 0 } : point));
    await writeCurve(curve, points); // as if it had begun well
    await expect(run('wild', wild)).rejects.toThrow(
      /^Training diverges: up to step 1\d\d the loss is \d.\d+ on average/,
    );
  });

  it('has its folder to itself', async () => {
    await mkdir(path.join(folder, 'alone'));
    const unlock = lockFolder(path.join(folder, 'alone'), 'distillation');
    await expect(run('alone')).rejects.toThrow(/alone is in use by another distillation/);
    unlock();
    expect(await run('alone', { maxSteps: 1 })).toMatchObject({ isFinished: true });
    expect(existsSync(path.join(folder, 'alone', 'distillation.lock'))).toBe(false);
  });

  it('killed at any moment goes on to the same weights', async () => {
    const out = path.join(folder, 'killed');
    const script = `
      const { prepareData } = await import(${JSON.stringify(new URL('./prepare.node.ts', import.meta.url).href)});
      const { runDistillation } = await import(${JSON.stringify(new URL('./run.node.ts', import.meta.url).href)});
      const { tinyRows } = await import(${JSON.stringify(new URL('./tiny.testing.node.ts', import.meta.url).href)});
      const settings = ${JSON.stringify(settings())};
      const data = await prepareData(${JSON.stringify(student)}, { seedRows: tinyRows(160), syntheticRows: tinyRows(60, 2) }, settings);
      await runDistillation(data, settings, { student: ${JSON.stringify(student)}, out: ${JSON.stringify(out)}, seed: 42, threads: 1, checkpointEveryMs: 0 });
    `;
    for (let kill = 0; kill < 3; kill++) {
      const child = spawn(process.execPath, [
        '--conditions=source',
        '--no-warnings',
        '--input-type=module',
        '--eval',
        script,
      ]);
      const ended = new Promise((resolve) => child.once('exit', resolve));
      while (!existsSync(runFiles(out).training) && child.exitCode === null) await sleep(5);
      await sleep(40 * (kill + 1) + 13);
      child.kill('SIGKILL');
      await ended;
    }
    expect(await run('killed')).toMatchObject({ isFinished: true });
    await run('unbroken');
    expect(weightsHash('killed')).toBe(weightsHash('unbroken'));
  });

  it('that is finished is left as it is', async () => {
    await run('unbroken');
    const before = weightsHash('unbroken');
    const events: RunEvent[] = [];
    const again = await run('unbroken', {}, { onEvent: (event) => events.push(event) });
    expect(again).toMatchObject({ isFinished: true, steps: 52 });
    expect(events).toEqual([]);
    expect(weightsHash('unbroken')).toBe(before);
  });

  it('is not gone on with under other settings or on other data', async () => {
    await run('unbroken');
    await expect(run('unbroken', { learningRate: 1e-3 })).rejects.toThrow(
      /holds a run with learningRate 0.005, not 0.001/,
    );
    const chosen = settings();
    const data = await prepareData(student, { seedRows: tinyRows(100), syntheticRows: [] }, chosen);
    const options = { student, out: path.join(folder, 'unbroken'), seed: 42 };
    await expect(runDistillation(data, chosen, options)).rejects.toThrow(/holds a run on other data/);
  });

  it('keeps the epoch that did best, and stops when patience runs out', async () => {
    const { curve } = await run('patient', { epochs: 40, keep: 'best', patience: 2 });
    const points = curve.filter((point) => point.kind === 'validation');
    const best = points.reduce((a, b) => (b.auprc! > a.auprc! ? b : a));
    expect(points.length).toBeLessThan(40);
    expect(points.at(-1)!.epoch - best.epoch).toBe(2);
    expect(existsSync(runFiles(path.join(folder, 'patient')).best)).toBe(false);
  });

  it('goes on from a record that was written before a setting was there', async () => {
    await run('earlier', { epochs: 1 });
    const { record } = runFiles(path.join(folder, 'earlier'));
    const { options, ...rest } = JSON.parse(readFileSync(record, 'utf8'));
    const { batching: _, dropout: __, precision: ___, newWeights: ____, ...earlier } = options;
    writeFileSync(record, JSON.stringify({ ...rest, options: earlier }));
    expect(await run('earlier', { epochs: 1 })).toMatchObject({ isFinished: true });
    await expect(run('earlier', { epochs: 1, batching: 'mixed' })).rejects.toThrow(/batching by-length, not mixed/);
  });

  it('starts another student from another seed', async () => {
    await run('unbroken');
    await run('other-seed', {}, { seed: 123 });
    expect(weightsHash('other-seed')).not.toBe(weightsHash('unbroken'));
  });

  it('leaves a mean of the weights before and after where one is asked for, resumed too', async () => {
    const weightsOf = async (name: string) =>
      (await loadModel(path.join(folder, name), { head: 'sequence-classification' })).weights;
    await run('whole', { epochs: 2 });
    await run('start', { epochs: 2 }, { newWeights: 0 });
    const stop = new AbortController();
    const stopAt7 = (event: RunEvent) => event.kind === 'step' && event.step === 7 && stop.abort();
    await run('mean', { epochs: 2 }, { newWeights: 0.75, signal: stop.signal, onEvent: stopAt7 });
    expect(await run('mean', { epochs: 2 }, { newWeights: 0.75 })).toMatchObject({ isFinished: true });
    const [before, after, mean] = [await weightsOf('start'), await weightsOf('whole'), await weightsOf('mean')];
    for (const [name, values] of mean) {
      const wanted = values.map((_, at) => 0.75 * after.get(name)![at]! + 0.25 * before.get(name)![at]!);
      expect(values).toEqual(wanted);
    }
    await expect(run('mean', { epochs: 2 })).rejects.toThrow(/newWeights 0.75, not 1/);
  });

  it('ends after the steps asked for', async () => {
    expect(await run('short', { maxSteps: 5 })).toMatchObject({ isFinished: true, steps: 5 });
  });
});

describe('a student with a head for categories', () => {
  const words = ['rude', 'kind'];
  const rows = (count: number, seed?: number) =>
    tinyRows(count, seed).map((row, index) =>
      index % 4 === 0 ? row : { ...row, category: words[row.label === 1 ? 0 : 1]! },
    );

  it('learns them beside its verdict, keeps them in its folder, and gives them with its scores', async () => {
    const chosen = settings({ epochs: 8, categoryWeight: 0.5 });
    const data = await prepareData(student, { seedRows: rows(160), syntheticRows: rows(60, 2) }, chosen);
    const out = path.join(folder, 'categories');
    await runDistillation(data, chosen, { student, out, seed: 42, threads: 1 });
    const guard = await openEncoderScorer(out);
    const test = rows(60, 3);
    const scores = await guard.score(test);
    await guard.dispose();
    const right = scores.filter(({ category }, row) => category === words[test[row]!.label === 1 ? 0 : 1]);
    expect(right.length).toBeGreaterThan(50);
    expect(scores.filter(({ score }, row) => score >= 0.5 === (test[row]!.label === 1)).length).toBeGreaterThan(50);
  });

  it('needs rows of at least two', async () => {
    const chosen = settings({ categoryWeight: 1 });
    const prepare = prepareData(student, { seedRows: tinyRows(60), syntheticRows: [] }, chosen);
    await expect(prepare).rejects.toThrow(/at least two categories, these have 0/);
  });
});

describe('preparing data', () => {
  const prepare = (seedRows: ReturnType<typeof tinyRows>) =>
    prepareData(student, { seedRows, syntheticRows: [] }, settings());

  it('refuses a single class, saying which', async () => {
    await expect(prepare(tinyRows(50).filter(({ label }) => label === 0))).rejects.toThrow(
      /All \d+ rows are labelled safe/,
    );
    await expect(prepare([])).rejects.toThrow(/no rows/);
  });

  it('counts the rows that were cut', async () => {
    const long = { ...tinyRows(1)[0]!, id: 'long', prompt: 'what a lovely plan '.repeat(40) };
    expect((await prepare([...tinyRows(20), long])).truncated).toBe(1);
  });
});
