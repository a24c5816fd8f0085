import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { FormatError } from 'onnx-grad';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../../test/tokenizer-fixtures.node.ts';
import { loadWeights } from '../load.node.ts';
import { readSafetensors, writeSafetensors } from './safetensors.node.ts';
import { findFolder, replaceFolder } from './swap.node.ts';
import { loadTraining } from './training.node.ts';
import { run } from './training-run.testing.node.ts';

const script = path.join(import.meta.dirname, 'training-run.testing.node.ts');
const startChild = (...args: string[]) =>
  spawn(process.execPath, ['--conditions=source', script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });

async function outputOf(...args: string[]): Promise<string> {
  const child = startChild(...args);
  let output = '';
  for await (const chunk of child.stdout) output += chunk;
  return output;
}

describe('a run that is broken off', () => {
  it('goes on in a new process with the losses of the unbroken one, bit for bit', async () => {
    const folder = path.join(await temporaryFolder(), 'checkpoint');
    const unbroken = await run(12);
    const first = await run(6, { to: folder });
    const second = JSON.parse(await outputOf('steps', '6', folder)) as number[];
    expect([...first, ...second]).toEqual(unbroken);
    expect(new Set(unbroken).size).toBe(12);
  });

  it('says where it stood, and is a folder that loads as a model', async () => {
    const folder = path.join(await temporaryFolder(), 'checkpoint');
    await run(7, { to: folder });
    const saved = await loadTraining(folder);
    expect(saved).toMatchObject({ step: 7, seed: 5, position: { epoch: 1, index: 2 }, options: { batchSize: 4 } });
    expect(saved.versions).toMatchObject({
      node: process.versions.node,
      'onnxruntime-node': expect.stringMatching(/^1\./),
    });
    const { weights } = await loadWeights(folder, { head: 'sequence-classification' });
    expect(weights).toEqual(new Map(saved.state.parameters));
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect(await readdir(path.dirname(folder))).toEqual(['checkpoint']);
  });

  it('has a whole checkpoint whenever it is killed while saving', async () => {
    const folder = path.join(await temporaryFolder(), 'checkpoint');
    await run(1, { to: folder });
    const steps: number[] = [];
    for (let kill = 0; kill < 8; kill++) {
      const before = (await loadTraining(folder)).step;
      const child = startChild('save', folder);
      const exited = new Promise((resolve) => child.once('exit', resolve));
      while (!existsSync(`${folder}.writing`)) await pause(1);
      await pause(kill * 3.7); // ms, into one save or another
      child.kill('SIGKILL');
      await exited;
      const { step, state } = await loadTraining(folder);
      expect(step).toBeGreaterThanOrEqual(before);
      expect(state.secondMoments.size).toBe(state.parameters.size);
      steps.push(step);
    }
    expect((await run(2, { from: folder })).length).toBe(2);
  }, 60_000);
});

describe('replacing a folder', () => {
  const write = (text: string) => (aside: string) => writeFile(path.join(aside, 'file'), text);
  const read = async (folder: string) => readFile(path.join(findFolder(folder), 'file'), 'utf8');

  it('reads the old one when it was stopped between the two renames, and goes on from there', async () => {
    const folder = path.join(await temporaryFolder(), 'a');
    await replaceFolder(folder, write('old'));
    await rename(folder, `${folder}.previous`); // as if killed here
    expect(await read(folder)).toBe('old');
    await expect(replaceFolder(folder, async () => Promise.reject(new Error('disk full')))).rejects.toThrow(
      'disk full',
    );
    expect(await read(folder)).toBe('old');
    await replaceFolder(folder, write('new'));
    expect(await read(folder)).toBe('new');
    expect(await readdir(path.dirname(folder))).toEqual(['a']);
  });

  it('prefers the new one when the old one was not yet removed', async () => {
    const folder = path.join(await temporaryFolder(), 'a');
    await replaceFolder(folder, write('new'));
    await mkdir(`${folder}.previous`);
    await write('old')(`${folder}.previous`);
    expect(await read(folder)).toBe('new');
    await replaceFolder(folder, write('newer'));
    expect(await readdir(path.dirname(folder))).toEqual(['a']);
  });
});

describe('a damaged checkpoint', () => {
  const editRecord = (change: Record<string, unknown>) => async (folder: string) => {
    const file = path.join(folder, 'training.json');
    const record = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
    await writeFile(file, JSON.stringify({ ...record, ...change }));
  };
  const editOptimizer =
    (change: (tensors: Awaited<ReturnType<typeof readSafetensors>>) => void) => async (folder: string) => {
      const file = path.join(folder, 'optimizer.safetensors');
      const tensors = await readSafetensors(file);
      change(tensors);
      await writeSafetensors(file, tensors);
    };

  it.each([
    ['no training', (folder: string) => rm(path.join(folder, 'training.json')), 'no training to resume'],
    ['another format', editRecord({ formatVersion: 2 }), '"formatVersion": expected 1'],
    ['a negative step', editRecord({ step: -1 }), '"step": expected a whole number from 0, got -1'],
    ['a position without an epoch', editRecord({ position: { index: 1 } }), '"position.epoch"'],
    ['options that are a list', editRecord({ options: [] }), '"options": expected an object'],
    ['a hash of another kind', editRecord({ dataHash: 'md5:00' }), '"dataHash"'],
    ['a version that is a number', editRecord({ versions: { node: 24 } }), '"versions.node"'],
    ['an unknown key', editRecord({ extra: 1 }), 'unknown key "extra"'],
    ['a missing moment', editOptimizer((tensors) => tensors.delete('exp_avg.classifier.bias')), 'got nothing'],
    [
      'a moment of another shape',
      editOptimizer((tensors) => tensors.set('exp_avg_sq.classifier.bias', tensors.get('exp_avg.classifier.weight')!)),
      'expected float32 (2) as in model.safetensors, got float32 (2,16)',
    ],
    [
      'a moment of no parameter',
      editOptimizer((tensors) => tensors.set('exp_avg.x', tensors.get('exp_avg.classifier.bias')!)),
      'tensors, expected',
    ],
  ])('with %s is refused', async (_, damage, problem) => {
    const folder = path.join(await temporaryFolder(), 'checkpoint');
    await run(1, { to: folder });
    await damage(folder);
    const load = loadTraining(folder);
    await expect(load).rejects.toThrow(FormatError);
    await expect(load).rejects.toThrow(problem);
  });
});
