/** Saved results as the product itself writes them, of tiny students on mild rows; a sweep and an adaptation by their contract. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { tinyRows, writeTinyStudent } from '../../src/distill/tiny.testing.node.ts';
import { Ledger } from '../../src/ledger/ledger.node.ts';
import { hashOfSet, InstructionDraft, LabelDraft, publishPairs } from '../../src/ledger/sets.node.ts';
import { harmaug } from '../harmaug.node.ts';

/** In a name of every kind: were it not escaped, a script would run or the page break. */
export const HOSTILE = '</script><img src=x onerror=alert(1)>"\'&';

export interface Results {
  readonly folder: string;
  readonly at: (name: string) => string;
  /** Every text of a row that went in. */
  readonly texts: readonly string[];
}

/** @param folder an empty one */
export async function makeResults(folder: string): Promise<Results> {
  const at = (name: string) => path.join(folder, name);
  await mkdir(at('results'));
  const texts = new Set<string>();
  const lines = (rows: ReturnType<typeof tinyRows>) => {
    for (const { prompt, response } of rows) for (const text of [prompt, response ?? '']) if (text) texts.add(text);
    return rows.map(({ softLabel, ...row }) => `${JSON.stringify({ ...row, soft_label: softLabel })}\n`).join('');
  };
  const noisy = (count: number, seed: number) =>
    tinyRows(count, seed).map((row, index) => (index % 9 === 0 ? { ...row, label: (1 - row.label!) as 0 | 1 } : row));
  await writeTinyStudent(at('student'));
  await writeFile(at('train.jsonl'), lines(tinyRows(300, 1)));
  await writeFile(at('manners.jsonl'), lines(noisy(400, 2)));
  await writeFile(at('gardens.jsonl'), lines(noisy(150, 3)));
  await writeFile(at('polite.jsonl'), lines(tinyRows(120, 4).filter(({ label }) => label === 0)));

  const told = async (...argv: string[]) => {
    const { exitCode, stdout, stderr } = await harmaug(...argv);
    if (exitCode !== 0) throw new Error(`${argv[0]} ended with ${exitCode}: ${stderr}`);
    return stdout;
  };
  const save = async (name: string, ...argv: string[]) =>
    writeFile(at(`results/${name}.json`), await told(...argv, '--json'));
  const settings = ['--epochs', '5', '--batch-size', '16', '--learning-rate', '0.004', '--warmup-steps', '2'];
  await told(
    'distill',
    '--student',
    at('student'),
    '--train',
    at('train.jsonl'),
    '--out',
    at('guards'),
    '--seed',
    '1',
    '2',
    ...settings,
  );
  const guards = [at('guards/seed-1'), at('guards/seed-2')];
  const sets = ['manners', 'gardens', 'polite'].map((name) => at(`${name}.jsonl`));
  const scores = at('results/scores.jsonl');
  await save(
    'evaluation',
    'evaluate',
    '--guard',
    ...guards,
    '--data',
    ...sets,
    '--resamples',
    '50',
    '--save-scores',
    scores,
  );
  await save('calibration', 'calibrate', guards[0]!, '--data', at('manners.jsonl'), '--fpr', '0.1');
  await save('export', 'export', guards[0]!, '--dtype', 'fp32,int8', '--data', at('gardens.jsonl'), '--force');
  const shape = path.join(import.meta.dirname, '../../src/cost/fixtures/Llama-Guard-3-8B/config.json');
  await save('cost', 'cost', guards[0]!, '--against', shape, '--lengths', '8,32', '--no-run');
  await makeRun(at, texts);
  await save(
    'measure',
    'measure',
    at('recipe.yaml'),
    '--out',
    at('run'),
    '--encoder',
    at('student'),
    '--epsilon',
    '0.02',
  );
  await writeFile(at('results/sweep.json'), JSON.stringify(sweep(), null, 2));
  await writeFile(at('results/adapt.json'), JSON.stringify(adapt(), null, 2));
  return { folder, at, texts: [...texts] };
}

/** A run folder with its ledger, as the stages leave it. */
async function makeRun(at: Results['at'], texts: Set<string>): Promise<void> {
  const made = tinyRows(240, 5);
  for (const { prompt } of made) texts.add(prompt);
  const seeds = tinyRows(60, 6);
  await writeFile(
    at('run-seeds.jsonl'),
    seeds.map(({ prompt, label }) => `${JSON.stringify({ prompt, label })}\n`).join(''),
  );
  await writeFile(at('recipe.yaml'), 'seed: { files: [run-seeds.jsonl] }\n');
  const ledger = Ledger.open(at('run'));
  const reasons = ['refusal', 'near-duplicate', 'too-long'];
  const draft = new InstructionDraft(ledger);
  draft.add(
    made.map(({ prompt, label }, row) => {
      const reason = row % 5 === 4 ? reasons[row % 3]! : null;
      return {
        id: `i${row}`,
        kind: label === 1 ? 'harmful' : 'benign',
        category: row % 2 === 0 ? 'Rudeness' : HOSTILE,
        text: prompt,
        state: reason === null ? 'kept' : 'rejected',
        reason,
        duplicateOf: null,
        model: 'writer',
        about: {},
      };
    }),
  );
  const set = { settings: '', input: '', isComplete: true };
  draft.publish({ ...set, facts: { prefix: 'What a lovely idea:' } });
  const kept = made.flatMap((row, index) => (index % 5 === 4 ? [] : [{ ...row, index }]));
  const none = { response: null, reason: null, model: null, call: null, isRefusal: null, isCut: null };
  const pairs = kept.map(({ index }) => {
    return { ...none, id: `p${index}`, instruction: `i${index}`, responseKind: 'prompt', state: 'kept' } as const;
  });
  publishPairs(ledger, pairs, { ...set, input: hashOfSet(ledger, 'instructions'), facts: {} });
  const labels = new LabelDraft(ledger);
  const blank = { category: null, spread: null, isBoundary: false, isDisputed: false, reason: null };
  labels.add(
    kept.map(({ index, softLabel }) => ({
      ...blank,
      pair: `p${index}`,
      softLabel: softLabel!,
      logOdds: 0,
      teacher: 'tiny-guard',
    })),
  );
  labels.publish({ ...set, facts: {} });
  ledger.close();
  await writeFile(
    at('run/recipe.yaml'),
    '# recipe.yaml\ngenerate:\n  prefix: "What a lovely idea:"\n  temperature: 1\n  perCategory: 120\nlabel: { teacher: main }\n',
  );
}

const SEEDS = [1, 2, 3];
const SETS = ['manners', 'gardens'];

/** Four settings, of which one run is missing. */
function sweep() {
  const settings = [
    { name: 'plain', values: { syntheticRows: 0, prefix: true } },
    { name: '1000 rows', values: { syntheticRows: 1000, prefix: true } },
    { name: '4000 rows', values: { syntheticRows: 4000, prefix: true } },
    { name: HOSTILE, values: { syntheticRows: 4000, prefix: false } },
  ];
  const auprc = (setting: number, seed: number, set: number) =>
    Number((0.7 + 0.06 * setting - 0.02 * set + 0.01 * Math.sin(7 * seed + setting)).toFixed(4));
  const cells = settings.flatMap(({ name }, setting) =>
    SEEDS.map((seed) => {
      const isMissing = setting === 2 && seed === 3;
      const figures = Object.fromEntries(SETS.map((set, at) => [set, { auprc: auprc(setting, seed, at), f1: null }]));
      return {
        setting: name,
        seed,
        state: isMissing ? 'missing' : 'done',
        figures: isMissing ? {} : figures,
        seconds: 60,
        folder: 'x',
      };
    }),
  );
  const summary = settings.flatMap(({ name }, setting) =>
    SETS.map((set, at) => {
      const values = SEEDS.filter((seed) => !(setting === 2 && seed === 3)).map((seed) => auprc(setting, seed, at));
      const mean = values.reduce((a, b) => a + b, 0) / values.length;
      return { setting: name, set, metric: 'auprc', mean, std: 0.01, n: values.length };
    }),
  );
  const comparisons = settings.slice(1).map(({ name }, at) => {
    return {
      setting: name,
      baseline: 'plain',
      set: 'manners',
      metric: 'auprc',
      difference: 0.06 * (at + 1),
      interval: [0.01, 0.14],
      p: 0.012,
      pAdjusted: 0.036,
    };
  });
  const sets = SETS.map((name) => ({ name, version: null, rows: 100, unsafe: 30 }));
  return {
    ...{ kind: 'sweep', version: 1, recipe: 'sweep.yaml', createdAt: '2026-11-30', versions: { harmaug: '0.1.0' } },
    ...{ baseline: 'plain', seeds: SEEDS, settings, sets, cells, summary, comparisons },
  };
}

function adapt() {
  const sets = SETS.flatMap((name, at) =>
    (['attacked', 'plain'] as const).map((group) => {
      const before = group === 'attacked' ? 0.42 + 0.05 * at : 0.81;
      const after = group === 'attacked' ? 0.66 + 0.04 * at : 0.8;
      const figures = (auprc: number) => ({
        auprc: { value: auprc, low: auprc - 0.03, high: auprc + 0.03 },
        f1: { value: null, low: null, high: null },
      });
      return { name, group, rows: 100, unsafe: 30, before: figures(before), after: figures(after) };
    }),
  );
  return {
    ...{ kind: 'adapt', version: 1, createdAt: '2026-11-30', versions: { harmaug: '0.1.0' }, guard: 'guards/seed-1' },
    ...{ transform: 'caesar:3', settings: { epochs: 3, learningRate: 0.0002 }, sets },
  };
}
