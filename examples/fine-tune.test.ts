import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { loadModel } from '@harmaug/models/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'harmaug-example-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const run = (...flags: string[]) => {
  const file = path.join(import.meta.dirname, 'fine-tune.ts');
  return promisify(execFile)(process.execPath, ['--conditions=source', '--no-warnings', file, ...flags]);
};

describe('the fine-tuning example', () => {
  it('learns a text file, prints its curve and saves a folder that loads', async () => {
    const saved = path.join(folder, 'saved');
    const { stdout } = await run('--out', saved);
    const epochs = [...stdout.matchAll(/held out +(\d+)% right {2}loss (\S+)/g)];
    expect(epochs).toHaveLength(12);
    const [accuracy, loss] = epochs.at(-1)!.slice(1).map(Number) as [number, number];
    expect(accuracy).toBeGreaterThan(75);
    expect(loss).toBeLessThan(Number(epochs[0]![2]) / 4);
    const { model, tokenizer } = await loadModel(saved, { head: 'sequence-classification' });
    expect(model.config.labels).toBe(2);
    expect(tokenizer.encode('Thank you!').ids.length).toBeGreaterThan(3);
  });

  it('goes on from a saved folder', async () => {
    const { stdout } = await run('--model', path.join(folder, 'saved'), '--epochs', '1');
    expect(stdout).toMatch(/held out +(7|8|9|10)\d*% right/);
  });

  it('says in one line what is wrong with a file', async () => {
    const data = path.join(folder, 'broken.tsv');
    await writeFile(data, 'kind\tThank you\nno tab here\n');
    const failure = await run('--data', data).catch((error: { code: number; stderr: string }) => error);
    expect(failure).toMatchObject({
      code: 1,
      stderr: `${data} line 2: expected a label, a tab and a text.\n`,
    });
  });
});
