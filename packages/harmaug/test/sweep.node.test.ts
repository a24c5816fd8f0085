/** `harmaug sweep` as a user runs it, on a tiny student: stopped and gone on with, failing cells, budgets, every axis. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { cp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { main } from '../src/cli/main.node.ts';
import { temporaryFolder, tinyRows, writeTinyStudent } from '../src/distill/tiny.testing.node.ts';
import { lockFolder } from '../src/lock.node.ts';
import { readRecipe } from '../src/recipe/recipe.node.ts';
import { planSweep } from '../src/sweep/plan.node.ts';
import { readSweep } from '../src/sweep/recipe.node.ts';
import type { SweepResult } from '../src/sweep/result.ts';

let folder: string;
const at = (...names: string[]) => path.join(folder, ...names);
const jsonl = (rows: readonly object[]) => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
const records = (count: number, seed: number) =>
  tinyRows(count, seed).map(({ softLabel, ...row }) => ({ ...row, soft_label: softLabel }));

const distill = { epochs: 2, batchSize: 16, maxLength: 32, learningRate: 5e-3, warmupSteps: 4 };
const shared = {
  student: 'student',
  train: 'train.jsonl',
  synthetic: 'made.jsonl',
  evaluate: ['test.jsonl', 'other.jsonl', 'safe.jsonl'],
  seeds: [1, 2],
  baseline: 'plain',
  resamples: 50,
};
const settings = { plain: { synthetic: 'none' }, soft: {}, hard: { lambda: 0 } };

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeTinyStudent(at('student'));
  await writeFile(at('train.jsonl'), jsonl(records(120, 1)));
  const made = records(60, 2).map((row, index) => ({ ...row, kind: index % 3 === 0 ? 'benign' : 'harmful' }));
  await writeFile(at('made.jsonl'), jsonl(made));
  await writeFile(at('test.jsonl'), jsonl(records(60, 3)));
  await writeFile(at('other.jsonl'), jsonl(records(60, 4)));
  await writeFile(at('safe.jsonl'), jsonl(records(60, 5).filter(({ label }) => label === 0)));
  await recipe('recipe.yaml', { distill, sweep: { ...shared, settings } });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function recipe(name: string, sections: object): Promise<string> {
  await writeFile(at(name), stringify(sections));
  return at(name);
}

interface Options {
  /** Stops the command at the first line that says this. */
  readonly stopAt?: RegExp;
}

async function harmaug(argv: readonly string[], { stopAt }: Options = {}) {
  const [out, err]: string[][] = [[], []];
  const stop = new AbortController();
  const exitCode = await main(argv, {
    stdout: { write: (text) => out!.push(text) },
    stderr: {
      write: (text) => {
        err!.push(text);
        if (stopAt?.test(text)) stop.abort(new Error('stopped'));
      },
      isTTY: true,
    },
    env: {},
    signal: stop.signal,
  });
  return { exitCode, stdout: out!.join(''), stderr: err!.join('') };
}

const sweep = (file: string, out: string, more: readonly string[] = [], options: Options = {}) =>
  harmaug(['sweep', at(file), '--out', at(out), '--threads', '1', ...more], options);

const resultIn = (out: string): SweepResult => JSON.parse(readFileSync(at(out, 'sweep.json'), 'utf8'));

/** What does not depend on when and how long. */
function lasting({ cells, createdAt: _, ...rest }: SweepResult) {
  return { ...rest, cells: cells.map(({ seconds: __, ...cell }) => cell) };
}

/** A finished sweep of `recipe.yaml` of one's own. */
async function finished(out: string): Promise<void> {
  await sweep('recipe.yaml', 'whole');
  await cp(at('whole'), at(out), { recursive: true, preserveTimestamps: true });
}

describe('harmaug sweep', { timeout: 120_000 }, () => {
  it('makes every cell, and a table with deviations and corrected tests', async () => {
    const { exitCode, stdout, stderr } = await sweep('recipe.yaml', 'whole');
    expect(exitCode, stderr).toBe(0);
    expect(stderr).toMatch(/6 cells to do, about \d+\.\d minutes/);
    const columns = stdout.split('\n')[1]!.trim().split(/\s+/);
    expect(columns).toEqual(['setting', 'seeds', 'test', 'other', 'mean']);
    expect(stdout).toMatch(/^plain +2\/2 +\d\.\d{3} ± \d\.\d{3}/m);
    expect(stdout).toMatch(/^FPR\nsetting +seeds +safe$/m);
    expect(stdout).toMatch(/^against plain\nsetting +set +metric +difference +low +high +p +p adjusted$/m);

    const result = resultIn('whole');
    expect(result).toMatchObject({ kind: 'sweep', version: 1, baseline: 'plain', seeds: [1, 2] });
    expect(result.sets.map(({ name, rows }) => [name, rows])).toEqual([
      ['test', 60],
      ['other', 60],
      ['safe', result.sets[2]!.rows],
    ]);
    expect(result.cells).toHaveLength(6);
    for (const { state, figures, seconds, folder: place } of result.cells) {
      expect(state).toBe('done');
      expect(seconds).toBeGreaterThan(0);
      expect(figures.test!.auprc).toBeGreaterThan(0.3);
      expect(figures.safe).toMatchObject({ auprc: null, f1: null, fpr: expect.any(Number) });
      expect(existsSync(at('whole', place, 'guard', 'model.safetensors'))).toBe(true);
    }
    expect(result.comparisons).toHaveLength(2 * 2 * 3);
    for (const { p, pAdjusted } of result.comparisons) expect(pAdjusted!).toBeGreaterThanOrEqual(p!);
    expect(statSync(at('whole')).mode & 0o077).toBe(0);

    // the figures are those of `harmaug evaluate` on the same guard
    const [cell] = result.cells;
    const guard = at('whole', cell!.folder, 'guard');
    const measured = await harmaug([
      'evaluate',
      '--guard',
      guard,
      '--data',
      at('test.jsonl'),
      '--json',
      '--resamples',
      '9',
    ]);
    expect(JSON.parse(measured.stdout).sets[0].metrics.auprc.value).toBe(cell!.figures.test!.auprc);
    const scores = at('whole', cell!.folder, 'scores', 'test.jsonl');
    const again = await harmaug(['evaluate', '--scores', scores, '--json', '--resamples', '9']);
    expect(JSON.parse(again.stdout).sets[0].metrics.f1.value).toBe(cell!.figures.test!.f1);
  });

  it('never makes a finished cell again', async () => {
    await sweep('recipe.yaml', 'whole');
    const before = lasting(resultIn('whole'));
    const stamp = () => statSync(at('whole', 'cells', 'soft', 'seed-2', 'cell.json')).mtimeMs;
    const made = stamp();
    const { exitCode, stderr } = await sweep('recipe.yaml', 'whole');
    expect(exitCode).toBe(0);
    expect(stderr).not.toMatch(/cells? to do/);
    expect(stamp()).toBe(made);
    expect(lasting(resultIn('whole'))).toEqual(before);
  });

  it('stopped within a cell, and between two, goes on to the same result', async () => {
    await sweep('recipe.yaml', 'whole');
    const first = await sweep('recipe.yaml', 'stopped', [], { stopAt: /2\/6 soft, seed 1: step 5\// });
    expect(first).toMatchObject({ exitCode: 1, stdout: 'Stopped. The same command goes on from there.\n' });
    expect(existsSync(at('stopped', 'sweep.json'))).toBe(false);
    const second = await sweep('recipe.yaml', 'stopped', [], { stopAt: /soft, seed 1: (test|done)/ });
    expect(second.stderr).toMatch(/1\/5 soft, seed 1: goes on from step 5/);
    expect(second.exitCode).toBe(1);
    const planned = await sweep('recipe.yaml', 'stopped', ['--plan', '--json']);
    expect(JSON.parse(planned.stdout).cells.map(({ state }: { state: string }) => state)[0]).toBe('done');
    const last = await sweep('recipe.yaml', 'stopped', ['--json']);
    expect(last.exitCode, last.stderr).toBe(0);
    expect(JSON.parse(last.stdout)).toEqual(resultIn('stopped'));
    expect(lasting(resultIn('stopped'))).toEqual(lasting(resultIn('whole')));
    expect(readdirSync(at('stopped')).filter((name) => name.startsWith('probe'))).toEqual([]);
  });

  it('measures anew, and trains nothing, when the sets change; a cell is of one version of them', async () => {
    await finished('sets');
    const weights = () => statSync(at('sets', 'cells', 'hard', 'seed-1', 'guard', 'model.safetensors')).mtimeMs;
    const made = weights();
    await writeFile(at('fewer.jsonl'), jsonl(records(60, 3).slice(0, 40)));
    const file = await recipe('sets.yaml', { distill, sweep: { ...shared, evaluate: ['fewer.jsonl'], settings } });
    const stopped = await sweep('sets.yaml', 'sets', [], { stopAt: /1\/6 plain, seed 1: done/ });
    expect(stopped.exitCode).toBe(1);
    const planned = await harmaug(['sweep', file, '--out', at('sets'), '--plan']);
    expect(planned.stdout).toMatch(/^plain +1 +120 +0 +done\nsoft +1 +120 +60 +trained$/m);
    const { exitCode, stderr } = await sweep('sets.yaml', 'sets');
    expect(exitCode, stderr).toBe(0);
    const { sets, cells } = resultIn('sets');
    expect(sets.map(({ name }) => name)).toEqual(['fewer']);
    for (const { figures } of cells) expect(Object.keys(figures)).toEqual(['fewer']);
    expect(weights()).toBe(made);
  });

  it('makes the cells again whose settings or data have changed, and no others', async () => {
    await finished('changed');
    const stamps = () =>
      Object.fromEntries(
        Object.keys(settings).map((name) => [
          name,
          statSync(at('changed', 'cells', name, 'seed-1', 'guard', 'model.safetensors')).mtimeMs,
        ]),
      );
    const before = stamps();
    const other = { ...settings, hard: { lambda: 0, temperature: 2 } };
    await recipe('changed.yaml', { distill, sweep: { ...shared, settings: other } });
    const { exitCode } = await sweep('changed.yaml', 'changed', ['--seed', '1']);
    expect(exitCode).toBe(0);
    const after = stamps();
    expect([after.plain, after.soft]).toEqual([before.plain, before.soft]);
    expect(after.hard).not.toBe(before.hard);
  });

  it('records a cell that fails, makes the others and shows "—" for it; the next run tries it again', async () => {
    const hardOnly = records(120, 1).map(({ soft_label: _, ...row }) => row);
    await writeFile(at('hard.jsonl'), jsonl(hardOnly));
    const failing = { plain: { synthetic: 'none' }, broken: { train: 'hard.jsonl', synthetic: 'none' } };
    await recipe('failing.yaml', { distill, sweep: { ...shared, seeds: [1], settings: failing } });
    const { exitCode, stdout, stderr } = await sweep('failing.yaml', 'failing');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/2\/2 broken, seed 1: failed\. Row "tiny-0" has no soft_label/);
    expect(stdout).toMatch(/^plain +1\/1 +\d\.\d{3} /m);
    expect(stdout).toMatch(/^broken +0\/1 +— +— +—$/m);
    expect(stdout).toMatch(/^broken +mean +AUPRC +— +— +— +— +—$/m);
    expect(stdout).toMatch(/^broken, seed 1: Row "tiny-0"/m);
    expect(resultIn('failing').cells[1]).toMatchObject({ state: 'failed', figures: {} });
    const again = await sweep('failing.yaml', 'failing');
    expect(again.stderr).toMatch(/1\/1 broken, seed 1: failed/);
  });

  it('is not begun over its budget, unless told to', async () => {
    const over = await sweep('recipe.yaml', 'budget', ['--budget-minutes', '0.0001']);
    expect(over).toMatchObject({ exitCode: 1, stdout: '' });
    expect(over.stderr).toMatch(
      /6 cells that are left would take about \d+\.\d minutes, the budget is 0\.0001\..*--force/,
    );
    expect(existsSync(at('budget', 'cells'))).toBe(false);
    await finished('forced');
    await rm(at('forced', 'cells', 'hard', 'seed-2'), { recursive: true });
    const refused = await sweep('recipe.yaml', 'forced', ['--budget-minutes', '0.0001']);
    expect([refused.exitCode, refused.stderr]).toEqual([
      1,
      expect.stringMatching(/The 1 cell that is left would take/),
    ]);
    const forced = await sweep('recipe.yaml', 'forced', ['--budget-minutes', '0.0001', '--force']);
    expect(forced.exitCode, forced.stderr).toBe(0);
    await rm(at('forced', 'cells', 'hard', 'seed-2'), { recursive: true });
    expect(await sweep('recipe.yaml', 'forced', ['--budget-minutes', '60'])).toMatchObject({ exitCode: 0 });
    expect(lasting(resultIn('forced'))).toEqual(lasting(resultIn('whole')));
  });

  it('has its folder to itself', async () => {
    await finished('locked');
    const unlock = lockFolder(at('locked'), 'sweep');
    const second = await sweep('recipe.yaml', 'locked');
    unlock();
    expect([second.exitCode, second.stderr]).toEqual([1, expect.stringMatching(/locked is in use by another sweep/)]);
    expect(await sweep('recipe.yaml', 'locked')).toMatchObject({ exitCode: 0 });
  });

  it('plans without training, and takes fewer rows where asked', async () => {
    const { exitCode, stdout } = await sweep('recipe.yaml', 'planned', ['--plan', '--limit', '30']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^soft +2 +30 +30 +missing$/m);
    expect(existsSync(at('planned', 'cells'))).toBe(false);
  });

  it('says what is wrong with a recipe before it starts', async () => {
    const cases: [object, RegExp][] = [
      [{ grid: { lamda: [0, 1] } }, /Unknown axis "lamda"\. Did you mean "lambda"\?/],
      [{ settings: { plain: { train: 'none.jsonl' } } }, /none\.jsonl does not exist/],
      [
        { settings: { plain: { syntheticRows: 100 } } },
        /plain: syntheticRows: expected at most the 60 rows there are, got 100/,
      ],
      [{ settings: { plain: { layers: 9 } } }, /layers: expected at most the 2 of student, got 9/],
      [{ settings: { plain: { synthetic: 'test.jsonl', benign: 'off' } } }, /benign: off needs the column "kind"/],
      [{ settings: { plain: null }, evaluate: ['test.jsonl', 'test.jsonl'] }, /sets of different names.*"test"/],
    ];
    for (const [sections, message] of cases) {
      await recipe('wrong.yaml', { distill, sweep: { ...shared, ...sections } });
      const { exitCode, stderr } = await sweep('wrong.yaml', 'wrong');
      expect([exitCode, stderr]).toEqual([1, expect.stringMatching(message)]);
    }
    expect(await sweep('recipe.yaml', 'wrong', ['--limit', '0'])).toMatchObject({ exitCode: 2 });
  });
});

describe('the axes', { timeout: 120_000 }, () => {
  const planned = async (values: object) => {
    const file = await recipe('axes.yaml', {
      distill,
      sweep: { ...shared, baseline: undefined, settings: { one: values } },
    });
    const openSet = async (id: string) => ({ id, version: null, rows: tinyRows(20, 3), skipped: {} });
    const { cells } = await planSweep({ recipe: file, out: at('axes'), openSet });
    return cells[0]!;
  };

  it('of the synthetic set: its size, each within the larger, and its look-alikes', async () => {
    const [few, more] = [await planned({ syntheticRows: 20 }), await planned({ syntheticRows: 40 })];
    const ids = ({ rows }: Awaited<ReturnType<typeof planned>>) => rows.synthetic.rows.map(({ prompt }) => prompt);
    expect([ids(few).length, ids(more).length]).toEqual([20, 40]);
    for (const prompt of ids(few)) expect(ids(more)).toContain(prompt);
    const without = await planned({ benign: false });
    expect(without.rows.synthetic.rows).toHaveLength(40);
    expect(without.rows.synthetic.skipped.get('benign')).toBe(20);
    expect((await planned({ benign: 'on' })).rows.synthetic.rows).toHaveLength(60);
  });

  it('of EDA: copies of the labelled rows, as synthetic ones', async () => {
    const { rows } = await planned({ synthetic: 'none', augment: { eda: { copies: 2 } } });
    expect(rows.synthetic.rows.length).toBeGreaterThan(150);
    expect(rows.synthetic.rows.length).toBeLessThanOrEqual(240);
    for (const copy of rows.synthetic.rows) expect(rows.seed.rows).toContain(rows.originals!.get(copy));
  });

  it('change the keys of what depends on them, and of nothing else', async () => {
    const base = await planned({});
    expect((await planned({ syntheticRows: 60 })).trainKey).toBe(base.trainKey);
    const others = [
      { lambda: 0.1 },
      { layers: 1 },
      { synthetic: 'none' },
      { transforms: ['caesar:3'] },
      { augment: 'eda' },
    ];
    const keys = [base.trainKey];
    for (const values of others) keys.push((await planned(values)).trainKey);
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('are all trained with', async () => {
    const all = {
      layers: { layers: 1, synthetic: 'none' },
      eda: { synthetic: 'none', augment: 'eda', epochs: 1 },
      benign: { benign: 'off', syntheticRows: 30, syntheticShare: 0.5 },
      disguised: { synthetic: ['made.jsonl', 'other.jsonl'], transforms: ['caesar:3'] },
    };
    await recipe('all.yaml', { distill, sweep: { ...shared, baseline: 'layers', seeds: [1], settings: all } });
    const { exitCode, stderr } = await sweep('all.yaml', 'all');
    expect(exitCode, stderr).toBe(0);
    const config = JSON.parse(readFileSync(at('all', 'cells', 'layers', 'seed-1', 'guard', 'config.json'), 'utf8'));
    expect(config.num_hidden_layers).toBe(1);
  });
});

it('the recipe of ablations is one', async () => {
  const file = path.join(import.meta.dirname, '../../../recipes/ablations.yaml');
  const { distill: base = {}, sweep: own } = (await readRecipe(file)).sections;
  const found = readSweep({ file, folder: path.dirname(file), distill: base, sweep: own, exists: () => false });
  expect(found.settings.map(({ name }) => name)).toContain('rows-80k');
  expect(found.settings.find(({ name }) => name === 'no-benign')!.subject.hasBenign).toBe(false);
  expect(found.settings.find(({ name }) => name === 'harmaug')!.subject.distill.lambda).toBe(0.5);
});
