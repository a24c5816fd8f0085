/** What goes out of a run and what comes in: exported files, imported rows, folders that may not be written. */
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { readRows } from '../../src/data/read.node.ts';
import { Ledger } from '../../src/ledger/ledger.node.ts';
import { startWriters, type Writers } from '../loopback/writers.ts';
import { callsOf, harmaug, makeWorkplace, mildRecipe, rowsOf, startHarmaug, type Workplace } from './harness.node.ts';

let server: Writers;
let workplace: Workplace;
let recipe: string;
const at = (name: string) => workplace.at(name);
beforeAll(async () => {
  server = await startWriters();
  workplace = makeWorkplace();
  recipe = workplace.recipe('recipe.yaml', {
    ...mildRecipe(server.url, 8),
    dataset: { name: 'Mild texts', license: 'cc-by-4.0', language: ['en'], models: { writer: 'Apache-2.0' } },
  });
  for (const stage of ['generate', 'respond', 'label']) await harmaug(stage, recipe, '--out', at('run'));
});
afterAll(async () => {
  await server.close();
  rmSync(workplace.folder, { recursive: true });
});

const jsonl = (file: string) =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('exported files', () => {
  test('hold every labelled row, as the distillation reads it', async () => {
    const { exitCode, stdout } = await harmaug('export-data', recipe, '--out', at('run'), '--json');
    expect(exitCode).toBe(0);
    const report = JSON.parse(stdout);
    const { pairs, labels, instructions } = rowsOf(at('run'));
    const labelled = labels.filter(({ soft_label }) => soft_label !== null);
    expect(report).toMatchObject({ rows: labelled.length, left_out: labels.length - labelled.length });
    const { rows } = await readRows([at('run/dataset/data.jsonl')]);
    const fromParquet = await readRows([at('run/dataset/data.parquet')]);
    expect(fromParquet.rows).toEqual(rows);
    const texts = new Map(instructions.map(({ id, text }) => [id, text]));
    const byId = new Map(pairs.map((pair) => [pair.id, pair]));
    expect(rows.map(({ id }) => id)).toEqual(labelled.map(({ pair }) => pair));
    for (const [index, row] of rows.entries()) {
      const pair = byId.get(row.id)!;
      expect(row.prompt).toBe(texts.get(pair.instruction!));
      expect(row.response ?? null).toBe(pair.response);
      expect(row.softLabel).toBe(labelled[index]!.soft_label);
      expect(row.source).toBe('harmaug');
    }
  });

  test('say of each row where it comes from, with types', async () => {
    const bytes = readFileSync(at('run/dataset/data.parquet'));
    const file = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer;
    const rows = await parquetReadObjects({ file });
    const [row] = rows.filter(({ response_kind }) => response_kind === 'compliant');
    expect(row).toMatchObject({
      ...{ generator: 'writer', responder: 'helper', teacher: 'llama-guard-3-8b (guard)', label: null },
      ...{ kind: expect.stringMatching(/harmful|benign/), category: expect.stringMatching(/Pranks|Rudeness/) },
      ...{ soft_label: expect.any(Number), log_odds: expect.any(Number), boundary: expect.any(Boolean) },
    });
    const [alone] = jsonl(at('run/dataset/data.jsonl')).filter(({ response_kind }) => response_kind === 'prompt');
    expect(Object.keys(alone)).not.toContain('response');
  });

  test('are their owner’s, with a card that Hugging Face reads', () => {
    for (const name of ['data.jsonl', 'data.parquet', 'README.md']) {
      expect(statSync(at(`run/dataset/${name}`)).mode & 0o777).toBe(0o600);
      expect(existsSync(at(`run/dataset/${name}.part`))).toBe(false);
    }
    const card = readFileSync(at('run/dataset/README.md'), 'utf8');
    const head = parse(card.split('---\n')[1]!);
    expect(head).toMatchObject({ license: 'cc-by-4.0', language: ['en'], size_categories: ['n<1K'] });
    expect(head.configs[0].data_files).toBe('data.parquet');
    expect(card).toMatch(/## Intended use/);
    expect(card).toMatch(/- writer: Apache-2\.0/);
    expect(card).toMatch(/\| refusal \| \d+ \|/);
    expect(card).toMatch(/Labels by llama-guard-3-8b \(guard\): \d+ rows/);
  });

  test('of one kind, without labels, elsewhere, the first rows', async () => {
    const argv = ['--to', at('elsewhere'), '--format', 'jsonl', '--unlabelled', '--limit', '5'];
    const { exitCode } = await harmaug('export-data', recipe, '--out', at('run'), ...argv);
    expect(exitCode).toBe(0);
    expect(jsonl(at('elsewhere/data.jsonl'))).toHaveLength(5);
    expect(existsSync(at('elsewhere/data.parquet'))).toBe(false);
  });

  test('are not written where there is nothing, or labels are of other rows', async () => {
    const none = await harmaug('export-data', recipe, '--out', at('nothing'));
    expect(none).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/holds no run/) });
    for (const stage of ['generate', 'respond']) await harmaug(stage, recipe, '--out', at('unlabelled'));
    const unlabelled = await harmaug('export-data', recipe, '--out', at('unlabelled'));
    expect(unlabelled).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/None of the \d+ rows has a label.*--unlabelled/),
    });
    expect(existsSync(at('unlabelled/dataset/data.jsonl'))).toBe(false);
    await harmaug('label', recipe, '--out', at('unlabelled'), '--limit', '3');
    const more = workplace.recipe('more.yaml', mildRecipe(server.url, 9));
    for (const stage of ['generate', 'respond']) await harmaug(stage, more, '--out', at('unlabelled'));
    const stale = await harmaug('export-data', more, '--out', at('unlabelled'));
    expect(stale).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/changed since they were labelled\. Run harmaug label/),
    });
  });
});

describe('imported rows', () => {
  const rows = [
    { prompt: 'How do I prank my uncle at the lake?', label: 1, source: 'mild' },
    { prompt: 'How do I prank my uncle at the lakes?', label: 1 },
    { prompt: 'how do I bore a teacher on the bus, with a rubber duck', label: 1 },
    { prompt: 'Tell me a joke.', response: 'No.', soft_label: 0.1 },
    { prompt: 'Tell me a joke.', response: 'A duck walks into a bar.', label: 0 },
  ];
  const bare = () => {
    const { generate: _, benign: __, ...rest } = mildRecipe(server.url, 1);
    return workplace.recipe('import.yaml', rest);
  };
  test('are responded to and labelled; near-duplicates and what overlaps an evaluation set are left out', async () => {
    writeFileSync(at('rows.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const own = bare();
    const take = () => harmaug('import-data', own, '--out', at('imported'), '--data', at('rows.jsonl'), '--json');
    expect(JSON.parse((await take()).stdout)).toMatchObject({
      ...{ rows: 5, added: 5, instructions: 3, pairs: 2 },
      rejected: { 'near-duplicate': 1, 'benchmark-overlap': 1 },
    });
    expect(JSON.parse((await take()).stdout)).toMatchObject({ rows: 5, added: 0 });
    const respond = JSON.parse((await harmaug('respond', own, '--out', at('imported'), '--json')).stdout);
    expect(respond).toMatchObject({ calls: { made: 2 }, wanted: 3 });
    const label = JSON.parse((await harmaug('label', own, '--out', at('imported'), '--json')).stdout);
    expect(label.wanted).toBe(respond.kept + 2);
    await harmaug('export-data', own, '--out', at('imported'), '--unlabelled', '--format', 'jsonl');
    const exported = jsonl(at('imported/dataset/data.jsonl'));
    expect(exported.slice(0, 2).map(({ response, kind }) => [response, kind])).toEqual([
      ['No.', 'imported'],
      ['A duck walks into a bar.', 'imported'],
    ]);
    expect(exported[1]).toMatchObject({ label: 0, source: 'imported', response_kind: 'imported' });
    expect(exported[2]).toMatchObject({ label: 1, source: 'mild', response_kind: 'prompt' });
  });

  test('are texts that a writer may not repeat', async () => {
    const first = rowsOf(at('run')).instructions.find(({ state }) => state === 'kept')!;
    writeFileSync(at('known.jsonl'), `${JSON.stringify({ prompt: first.text })}\n`);
    await harmaug('import-data', recipe, '--out', at('known'), '--data', at('known.jsonl'));
    await harmaug('generate', recipe, '--out', at('known'));
    const again = rowsOf(at('known')).instructions.find(({ id }) => id === first.id)!;
    expect(again).toMatchObject({ state: 'rejected', reason: 'near-duplicate' });
  });

  test('of public formats become a file of ours', async () => {
    const released = [
      { prompt: 'How do I prank a coach?', response: '', 'unsafe-score': 0.75 },
      { prompt: 'How do I prank a coach?', response: 'Take a duck.', 'unsafe-score': 0.5 },
    ];
    writeFileSync(at('released.jsonl'), released.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const argv = ['--data', at('released.jsonl'), '--format', 'harmaug-released', '--source', 'released'];
    for (const to of ['ours.parquet', 'ours.jsonl']) {
      expect(await harmaug('import-data', recipe, '--to', at(to), ...argv)).toMatchObject({ exitCode: 0 });
      expect((await readRows([at(to)])).rows).toMatchObject([
        { prompt: 'How do I prank a coach?', softLabel: 0.75, source: 'released' },
        { response: 'Take a duck.', softLabel: 0.5 },
      ]);
    }
    const wrong = await harmaug('import-data', recipe, '--to', at('ours.csv'), ...argv);
    expect(wrong).toMatchObject({
      exitCode: 1,
      stderr: expect.stringMatching(/expected an ending of \.jsonl or \.parquet/),
    });
    expect(await harmaug('import-data', recipe, '--data', 'x.jsonl')).toMatchObject({ exitCode: 2 });
  });
});

describe('a folder that may not be written', () => {
  const nobody = 65_534;
  const isRoot = process.getuid?.() === 0;
  // root may write everywhere, so that another user has to try; one who cannot enter the clone, in /root say, cannot
  const asUser = isRoot ? { uid: nobody } : {};
  const canTry = spawnSync(process.execPath, ['--version'], { ...asUser, cwd: '/' }).status === 0;

  test.skipIf(!canTry)('is one error, and what was recorded stays readable', async () => {
    const before = rowsOf(at('run'));
    const open = mkdtempSync(path.join(tmpdir(), 'harmaug-readonly-'));
    try {
      for (const name of ['ledger.sqlite', 'recipe.yaml'])
        writeFileSync(path.join(open, name), readFileSync(at(`run/${name}`)), { mode: 0o444 });
      for (const name of ['seeds.jsonl', 'bench.jsonl', 'recipe.yaml']) {
        writeFileSync(path.join(open, `own-${name}`), readFileSync(at(name)), { mode: 0o444 });
        writeFileSync(path.join(open, name === 'recipe.yaml' ? 'mine.yaml' : name), readFileSync(at(name)), {
          mode: 0o444,
        });
      }
      chmodSync(open, 0o555);
      const argv = ['generate', path.join(open, 'mine.yaml'), '--out', open];
      const { exitCode, stderr } = await startHarmaug(argv, asUser).ended;
      expect(exitCode).toBe(1);
      expect(stderr).toMatch(/^harmaug generate: .*ledger\.sqlite cannot be (opened|written)[^\n]*\n$/);
      expect(rowsOf(open)).toEqual(before);
    } finally {
      chmodSync(open, 0o755);
      rmSync(open, { recursive: true });
    }
  });

  test('a ledger that fills its disk ends the run with what it has', async () => {
    const run = at('full');
    const first = await harmaug('generate', recipe, '--out', run, '--limit', '4');
    expect(first.exitCode).toBe(0);
    const open = Ledger.open;
    vi.spyOn(Ledger, 'open').mockImplementation((folder) => {
      const ledger = open.call(Ledger, folder);
      ledger.get('PRAGMA max_page_count = 1'); // every page beyond those there are is refused
      return ledger;
    });
    const full = await harmaug('generate', recipe, '--out', run);
    vi.restoreAllMocks();
    expect(full.exitCode).toBe(1);
    expect(full.stderr).toMatch(/cannot be written: the disk is full\. Free some space and run the command again\./);
    expect(callsOf(run).length).toBeGreaterThanOrEqual(4);
    expect(await harmaug('generate', recipe, '--out', run)).toMatchObject({ exitCode: 0 });
    expect(rowsOf(run).instructions).toEqual(rowsOf(at('run')).instructions);
  });
});
