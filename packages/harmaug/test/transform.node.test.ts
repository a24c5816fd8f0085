/** Disguises as a user asks for them: as a file, in training, in evaluating. */
import { readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readRows } from '../src/data/read.node.ts';
import { prepareData } from '../src/distill/prepare.node.ts';
import { checkSettings } from '../src/distill/settings.ts';
import { temporaryFolder, tinyRows, writeTinyStudent } from '../src/distill/tiny.testing.node.ts';
import { withCopies } from '../src/transforms/together.ts';
import { harmaug } from './harmaug.node.ts';

let folder: string;
const at = (name: string) => path.join(folder, name);
const rows = tinyRows(60);

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeTinyStudent(at('student'));
  const lines = rows.map(({ softLabel, ...row }) => `${JSON.stringify({ ...row, soft_label: softLabel })}\n`);
  await writeFile(at('rows.jsonl'), lines.join(''));
  await writeFile(
    at('recipe.yaml'),
    'models:\n  silent: { provider: scripted, text: "" }\n  polite: { provider: scripted, text: "Ein schöner Plan." }\n' +
      'distill:\n  transforms: [reversed]\n  epochs: 1\n',
  );
});
afterAll(() => rm(folder, { recursive: true }));

const transform = (...argv: string[]) => harmaug('transform', '--data', at('rows.jsonl'), ...argv);

describe('harmaug transform', () => {
  test('writes the rows in every disguise, for their owner’s eyes, and prints none', async () => {
    const ran = await transform('--with', 'caesar:3', 'hex@prompt', '--plain', '--out', at('made.jsonl'));
    expect(ran).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^60 rows read, 180 written/) });
    const made = await readRows([at('made.jsonl')]);
    expect(made.rows.slice(0, 60)).toEqual(rows);
    const [{ id, label, softLabel, response }] = rows as [(typeof rows)[number]];
    expect(made.rows[120]).toMatchObject({ id: `${id}~hex@prompt`, label, softLabel, source: 'hex@prompt' });
    expect(made.rows[120]!.response).toBe(response);
    expect((await stat(at('made.jsonl'))).mode & 0o777).toBe(0o600);
    for (const shown of [ran.stdout, ran.stderr]) expect(shown).not.toMatch(/silly|lovely/);
  });

  test('has a model of a recipe translate, and counts what it does not', async () => {
    const german = ['--with', 'translate:German', '--recipe', at('recipe.yaml'), '--out', at('german.jsonl'), '--json'];
    const done = JSON.parse((await transform(...german, '--model', 'polite', '--limit', '3')).stdout);
    expect(done).toMatchObject({ rows: 3, written: 3, skipped: {} });
    expect(await readFile(at('german.jsonl'), 'utf8')).toContain('Ein schöner Plan.');
    const none = await transform(...german, '--model', 'silent', '--limit', '3');
    expect(JSON.parse(none.stdout)).toMatchObject({ written: 0, skipped: { 'no translation': 3 } });
  });

  test.each([
    [['--with', 'cesar'], 1, /--with: Unknown transform "cesar"\. Did you mean "caesar"/],
    [['--with', 'translate:German'], 2, /needs a language model: give --recipe and --model/],
    [['--with', 'hex', '--out', 'x.txt'], 2, /--out is given twice/],
  ])('%o is told what is wrong', async (argv, exitCode, message) => {
    const ran = await transform('--out', at('no.jsonl'), ...argv);
    expect([ran.exitCode, ran.stderr]).toEqual([exitCode, expect.stringMatching(message)]);
  });

  test('shows the table in its help', async () => {
    expect((await harmaug('transform', '--help')).stdout).toMatch(/ {2}caesar:<shift, 3> +letters moved on/);
  });
});

describe('a disguise', () => {
  test('in training is held out with what it was made from', async () => {
    const copies = await withCopies(rows, ['caesar:3', 'reversed']);
    const settings = checkSettings({ validationShare: 0.2 });
    const { split } = await prepareData(
      at('student'),
      { seedRows: copies.rows, syntheticRows: [], originals: copies.originals },
      settings,
    );
    const sideOf = (row: number) => split.validation.includes(row);
    expect(split.validation.length % 3).toBe(0);
    expect(split.validation.length).toBeGreaterThan(20);
    for (let row = 0; row < 60; row++) {
      expect([sideOf(row + 60), sideOf(row + 120)]).toEqual([sideOf(row), sideOf(row)]);
    }
  });

  test('is asked for by flag or recipe, and evaluated as a set of its own', async () => {
    const train = ['distill', '--student', at('student'), '--train', at('rows.jsonl'), '--epochs', '1', '--json'];
    const plain = await harmaug(...train, '--out', at('plain'));
    const byFlag = await harmaug(...train, '--out', at('guard'), '--transform', 'caesar:3', 'hex');
    const byRecipe = await harmaug(...train, '--out', at('other'), '--recipe', at('recipe.yaml'));
    const rowsOf = ({ stderr }: { stderr: string }) => {
      const [, learned, held] = stderr.match(/(\d+) rows to learn from, (\d+) held out/)!;
      return Number(learned) + Number(held);
    };
    expect([plain, byFlag, byRecipe].map(rowsOf)).toEqual([60, 180, 120]);
    expect(await readFile(at('guard/README.md'), 'utf8')).toContain('Disguised copies of the rows: caesar:3, hex');

    const data = ['--data', at('rows.jsonl'), '--resamples', '9', '--json'];
    const measured = await harmaug('evaluate', '--guard', at('guard'), ...data, '--transform', 'caesar:3');
    const { sets } = JSON.parse(measured.stdout);
    expect(sets).toMatchObject([{ set: 'rows' }, { set: 'rows~caesar:3', rows: 60 }]);
  });

  test.each([
    [['--transform', 'translate:German'], /translate first, into a file of its own/],
    [['--transform', 'cesar'], /Did you mean "caesar"/],
  ])('%o is refused before anything is read', async (argv, message) => {
    const ran = await harmaug('evaluate', '--guard', at('none'), '--data', at('rows.jsonl'), ...argv);
    expect([ran.exitCode, ran.stderr]).toEqual([2, expect.stringMatching(message)]);
  });
});
