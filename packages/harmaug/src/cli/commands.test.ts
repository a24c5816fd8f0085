/** The commands as a user runs them, on a tiny student: flags in, files and text out. */
import { readdirSync, readFileSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder, tinyRows, writeTinyStudent } from '../distill/tiny.testing.node.ts';
import { main } from './main.node.ts';

let folder: string;
const at = (name: string) => path.join(folder, name);
const jsonl = (rows: ReturnType<typeof tinyRows>) =>
  rows.map(({ softLabel, ...row }) => `${JSON.stringify({ ...row, soft_label: softLabel })}\n`).join('');

beforeAll(async () => {
  folder = await temporaryFolder();
  await writeTinyStudent(at('student'));
  await writeFile(at('train.jsonl'), jsonl(tinyRows(160)));
  await writeFile(at('synthetic.jsonl'), jsonl(tinyRows(60, 2)));
  await writeFile(at('test.jsonl'), jsonl(tinyRows(80, 3)));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function harmaug(...argv: string[]) {
  const [out, err]: string[][] = [[], []];
  const exitCode = await main(argv, {
    stdout: { write: (text) => out!.push(text) },
    stderr: { write: (text) => err!.push(text) },
    env: {},
    signal: new AbortController().signal,
  });
  return { exitCode, stdout: out!.join(''), stderr: err!.join('') };
}

const train = (out: string, ...more: string[]) =>
  harmaug(
    ...['distill', '--student', at('student'), '--train', at('train.jsonl'), '--synthetic', at('synthetic.jsonl')],
    ...[
      '--batch-size',
      '16',
      '--epochs',
      '6',
      '--learning-rate',
      '5e-3',
      '--max-length',
      '32',
      '--out',
      at(out),
      ...more,
    ],
  );

describe('harmaug distill and evaluate', () => {
  it('make guards from files and measure them', async () => {
    const made = await train('guards', '--seed', '1', '2', '--json', '--teacher', 'Llama-Guard-3-8B');
    expect(made).toMatchObject({ exitCode: 0 });
    const result = JSON.parse(made.stdout);
    expect(result).toMatchObject({
      isFinished: true,
      students: [{ seed: 1 }, { seed: 2, folder: at('guards/seed-2') }],
    });
    expect(made.stderr).toMatch(/198 rows to learn from, 22 held out/);
    const card = readFileSync(at('guards/seed-1/README.md'), 'utf8');
    expect(card).toMatch(/Teacher: Llama-Guard-3-8B/);
    expect(card).toMatch(/Built with Llama/);

    const measured = await harmaug(
      ...['evaluate', '--guard', at('guards/seed-1'), '--data', at('test.jsonl'), '--json', '--resamples', '50'],
      ...['--save-scores', at('scores.jsonl')],
    );
    const { sets } = JSON.parse(measured.stdout);
    expect(sets[0]).toMatchObject({ set: 'test', rows: 80, threshold: 0.5, truncated: 0 });
    expect(sets[0].metrics.auprc.value).toBeGreaterThan(0.9);
    expect(sets[0].metrics.auprc.low).toBeLessThanOrEqual(sets[0].metrics.auprc.value);

    const again = await harmaug('evaluate', '--scores', at('scores.jsonl'), '--json', '--resamples', '50');
    expect(JSON.parse(again.stdout).sets[0].metrics).toEqual(sets[0].metrics);

    await harmaug(
      ...['evaluate', '--guard', at('guards/seed-2'), '--data', at('test.jsonl'), '--resamples', '9'],
      ...['--save-scores', at('others.jsonl')],
    );
    const several = await harmaug(
      ...[
        'evaluate',
        '--guard',
        at('guards/seed-1'),
        at('guards/seed-2'),
        '--data',
        at('test.jsonl'),
        at('train.jsonl'),
      ],
      ...['--resamples', '9'],
    );
    expect(several.stdout).toMatch(/^set +f1.*\ntest +\d\.\d{3} ±.*\ntrain .*\nmean +\d\.\d{3} ±/);
    const both = await harmaug('evaluate', '--scores', at('scores.jsonl'), '--against', at('others.jsonl'), '--json');
    const { differences } = JSON.parse(both.stdout);
    expect(differences[0]).toMatchObject({ metric: 'auprc', value: expect.any(Number), pValue: expect.any(Number) });
    await writeFile(at('fewer.jsonl'), readFileSync(at('others.jsonl'), 'utf8').split('\n').slice(1).join('\n'));
    const fewer = await harmaug('evaluate', '--scores', at('scores.jsonl'), '--against', at('fewer.jsonl'));
    expect(fewer).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/has no row "tiny-0"\. A paired test/) });

    const known = await harmaug(
      'evaluate',
      '--guard',
      at('guards/seed-1'),
      '--data',
      at('train.jsonl'),
      '--resamples',
      '9',
    );
    expect(known.stdout).toMatch(/train: the guard learned from the prompts of 160 rows \(100\.0%\)/);

    const table = await harmaug(
      'evaluate',
      '--guard',
      at('guards/seed-1'),
      '--data',
      at('test.jsonl'),
      '--resamples',
      '9',
    );
    expect(table.stdout).toMatch(
      /^set +rows +unsafe +f1 +precision +recall +auprc +auroc +fpr +ece +AUPRC interval +cut\ntest +80/,
    );
  });

  it('say what is wrong, with exit code 1 for data and 2 for flags', async () => {
    const noSoft = tinyRows(20).map(({ softLabel: _, ...row }) => `${JSON.stringify(row)}\n`);
    await writeFile(at('hard.jsonl'), noSoft.join(''));
    const hard = await harmaug('distill', '--student', at('student'), '--train', at('hard.jsonl'), '--out', at('x'));
    expect(hard).toMatchObject({ exitCode: 1, stdout: '' });
    expect(hard.stderr).toMatch(/Row "tiny-0" has no soft_label.*--missing-soft-label hard/);
    expect(readdirSync(folder)).not.toContain('x');

    expect(await harmaug('distill', '--student', at('student'))).toMatchObject({ exitCode: 2, stdout: '' });
    const both = await harmaug('evaluate', '--guard', 'a', '--scores', 'b');
    expect(both).toMatchObject({ exitCode: 2 });
    expect(both.stderr).toMatch(/Give either --guard or --scores/);
    expect((await train('range', '--lambda', '2')).stderr).toMatch(/lambda: expected a number from 0 to 1, got 2\./);
    expect(await harmaug('evalute')).toMatchObject({ exitCode: 2 });
  });

  it('show their help on stdout', async () => {
    for (const command of ['distill', 'evaluate']) {
      const { exitCode, stdout, stderr } = await harmaug(command, '--help');
      expect([exitCode, stderr]).toEqual([0, '']);
      expect(stdout).toMatch(new RegExp(`^harmaug ${command}`));
    }
    expect((await harmaug('--help')).stdout).toMatch(/distill/);
  });
});
