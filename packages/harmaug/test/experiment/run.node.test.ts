/** `harmaug run`: a whole experiment made once, gone on with after Ctrl-C and SIGKILL, made anew where something changed. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { Guard } from '@harmaug/guard/node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../../src/cli/main.node.ts';
import type { Summary } from '../../src/experiment/summary.node.ts';
import { harmaug } from '../harmaug.node.ts';
import { lasting, type Scene, startScene } from './scene.node.ts';

let scene: Scene;
let recipe: string;
let whole: Summary;
const all = [
  ...['generate', 'respond', 'label', 'dataset', 'no-prefix', 'seed'],
  ...['sweep', 'guard', 'measure', 'cost', 'report'],
];

beforeAll(async () => {
  scene = await startScene();
  recipe = scene.recipe('recipe.yaml');
  const { summary, made } = await scene.run(recipe, 'whole');
  expect(made).toEqual(all);
  whole = summary!;
}, 60_000);
afterAll(() => scene.close());

const savedSummary = (out: string): Summary => JSON.parse(readFileSync(scene.at(out, 'summary.json'), 'utf8'));

describe('a whole run', { timeout: 60_000 }, () => {
  test('gives a guard, data, figures and a report, in a private folder', async () => {
    for (const place of ['report.html', 'summary.json', 'recipe.yaml', 'dataset/data.parquet', 'dataset/README.md'])
      expect(existsSync(scene.at('whole', place)), place).toBe(true);
    expect(statSync(scene.at('whole')).mode & 0o077).toBe(0);
    expect(savedSummary('whole')).toEqual(whole);
    const { attack, diversity, students, guard, cost, rows } = whole;
    expect(rows).toMatchObject({ seed: expect.any(Number), synthetic: expect.any(Number) });
    expect(attack!.with).toMatchObject({ prefix: expect.any(String), success: expect.any(Number) });
    expect(attack!.without).toMatchObject({ prefix: null, replies: 4 });
    expect(diversity!.together).toMatchObject({ clusters: expect.any(Number), selfBleu: expect.any(Number) });
    expect(students!.settings.map(({ name, n }) => [name, n])).toEqual([
      ['plain', 1],
      ['harmaug', 1],
    ]);
    expect(students!.settings[1]!.lookAlikesFpr!.mean).toEqual(expect.any(Number));
    expect(guard).toMatchObject({ setting: 'harmaug', files: [{ precision: 'fp32' }, { precision: 'int8' }] });
    expect(cost!.guard.parameters).toBeGreaterThan(1000);
    const loaded = await Guard.load(scene.at('whole', 'guard'));
    expect((await loaded.check({ prompt: 'your hat is lovely' })).score).toBeGreaterThan(0);
    await loaded.dispose();
  });

  test('the students learn from the seed set with the teacher’s labels, and the synthetic set', () => {
    const lines = readFileSync(scene.at('whole', 'seed', 'dataset', 'data.jsonl'), 'utf8')
      .trim()
      .split('\n');
    const rows = lines.map((line) => JSON.parse(line));
    expect(rows.length).toBe(whole.rows.seed);
    for (const { label } of rows) expect([0, 1]).toContain(label);
    // this teacher says nothing of one row in fifteen
    expect(rows.filter(({ soft_label }) => typeof soft_label === 'number').length).toBeGreaterThan(0.8 * rows.length);
    const cell = (setting: string) =>
      JSON.parse(readFileSync(scene.at('whole/sweep/cells', setting, 'seed-1/guard/distillation.json'), 'utf8'));
    expect(cell('plain').dataHash).not.toBe(cell('harmaug').dataHash);
  });

  test('that is finished is not made again, asks nobody, and says the same', async () => {
    const asked = scene.server.requests.length;
    const { summary, made, kept } = await scene.run(recipe, 'whole');
    expect(made).toEqual([]);
    expect(kept).toEqual(all);
    expect(summary).toEqual(whole);
    expect(scene.server.requests.length).toBe(asked);
  });

  test('that is stopped at every step goes on to the same', async () => {
    for (const step of all.slice(0, -1)) expect((await scene.run(recipe, 'stopped', step)).summary, step).toBeNull();
    const { summary } = await scene.run(recipe, 'stopped');
    expect(lasting(summary!)).toEqual(lasting(whole));
  });

  test('says how to go on after Ctrl-C', async () => {
    const stop = new AbortController();
    const [out, err]: string[][] = [[], []];
    const exitCode = await main(['run', recipe, '--out', scene.at('interrupted')], {
      stdout: { write: (text) => out!.push(text) },
      stderr: {
        write: (text) => {
          err!.push(text);
          if (text.startsWith('2/11 respond')) stop.abort(new Error('stopped'));
        },
      },
      env: {},
      signal: stop.signal,
    });
    expect(exitCode).toBe(1);
    expect(out!.join('')).toBe(
      'Stopped in respond. What is made is kept; this goes on from there:\n' +
        `  npx harmaug run ${recipe} --out ${scene.at('interrupted')}\n`,
    );
    expect(err!.join('')).not.toMatch(/3\/11/);
  });

  test('makes anew what a changed setting or file concerns, and nothing else', async () => {
    const changed = async (change: Parameters<Scene['recipe']>[1]) =>
      (await scene.run(scene.recipe('changed.yaml', change), 'stopped')).made;
    expect(await changed((s) => (s.report!.title = 'Another'))).toEqual(['report']);
    expect(await changed((s) => (s.measure!.epsilon = 0.1))).toEqual(['measure', 'report']);
    expect(await changed((s) => (s.export!.dtype = ['fp32']))).toEqual(['guard', 'measure', 'cost', 'report']);
  });

  test('says what it would make', async () => {
    const { exitCode, stdout } = await harmaug('run', recipe, '--out', scene.at('planned'), '--plan');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^generate +to make +instructions by the writer$/m);
    const again = await harmaug('run', recipe, '--out', scene.at('whole'), '--plan', '--json');
    expect(JSON.parse(again.stdout).steps.map(({ made }: { made: boolean }) => made)).toEqual(all.map(() => true));
  });

  test('prints a table within 80 columns and what to do next', async () => {
    const { exitCode, stdout, stderr } = await harmaug('run', recipe, '--out', scene.at('whole'));
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^11\/11 report: made before$/m);
    for (const line of stdout.split('\n').filter((one) => !one.includes(scene.at())))
      expect(line.length).toBeLessThanOrEqual(80);
    expect(stdout).toMatch(/^plain +1 +\d\.\d{3} +\d\.\d{3} +\d\.\d{3}$/m);
    expect(stdout).toMatch(/npx harmaug check .*guard --prompt/);
    const json = await harmaug('run', recipe, '--out', scene.at('whole'), '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ kind: 'run', places: { guard: scene.at('whole', 'guard') } });
  });
});

/** The command in a process of its own, killed as a line matches. @returns whether it was killed */
function killedAt(line: RegExp | null, out: string): Promise<{ wasKilled: boolean; exitCode: number | null }> {
  const program = path.join(import.meta.dirname, '../../src/cli/run.node.ts');
  const flags = ['--conditions=source', '--disable-warning=ExperimentalWarning'];
  const argv = [...flags, program, 'run', recipe, '--out', scene.at(out), '--threads', '1'];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'ignore', 'pipe'] });
  child.stderr.on('data', (chunk: Buffer) => {
    if (line?.test(chunk.toString('utf8'))) child.kill('SIGKILL');
  });
  return new Promise((resolve) => {
    child.on('close', (exitCode, signal) => resolve({ wasKilled: signal === 'SIGKILL', exitCode }));
  });
}

test('a run that is killed at its steps goes on to the same table', { timeout: 120_000 }, async () => {
  for (const step of ['2/11 respond', '6/11 seed', '7/11 sweep', '8/11 guard']) {
    expect(await killedAt(new RegExp(`^${step}: (?!made)`, 'm'), 'killed'), step).toMatchObject({ wasKilled: true });
  }
  expect(await killedAt(null, 'killed')).toEqual({ wasKilled: false, exitCode: 0 });
  expect(lasting(savedSummary('killed'))).toEqual(lasting(whole));
});

describe('a recipe', () => {
  test.each([
    ['without what a section needs', (s) => delete s.sweep, /"export" needs "sweep", and that section is missing/],
    [
      'with an unknown key',
      (s) => (s.measure = { epsylon: 1 }),
      /measure: unknown key "epsylon"\. Did you mean "epsilon"/,
    ],
    [
      'that learns from what is not made',
      (s) => (s.sweep!.synthetic = 'run:no-prefix'),
      /run:no-prefix is not made by this recipe/,
    ],
    [
      'that exports another setting',
      (s) => (s.export!.setting = 'harmug'),
      /Unknown setting "harmug"\. Did you mean "harmaug"/,
    ],
  ] as [string, (sections: Record<string, Record<string, unknown>>) => unknown, RegExp][])(
    '%s is refused before anything is made',
    async (_, change, message) => {
      const file = scene.recipe('wrong.yaml', (sections) => void change(sections));
      const { exitCode, stderr } = await harmaug('run', file, '--out', scene.at('wrong'));
      expect([exitCode, stderr]).toEqual([1, expect.stringMatching(message)]);
      expect(existsSync(scene.at('wrong'))).toBe(false);
    },
  );

  test('may ask for the ablation as a set to learn from', { timeout: 60_000 }, async () => {
    const file = scene.recipe('bare.yaml', (sections) => {
      sections.noPrefix = { perCategory: 2, attempts: 2, responses: true };
      Object.assign(sections.sweep!, {
        seeds: [1],
        settings: { bare: { synthetic: 'run:no-prefix' } },
        baseline: 'bare',
      });
      delete sections.cost;
      delete sections.export;
    });
    const { summary } = await scene.run(file, 'bare');
    expect(summary!.students!.settings).toMatchObject([{ name: 'bare', n: 1 }]);
  });
});
