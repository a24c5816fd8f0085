/**
 * A sweep of 4 settings and 3 seeds on real texts, its process killed by SIGKILL at random moments, beside one that nothing
 * disturbs: both end with the same table, figure for figure.
 *
 *   node --conditions=source packages/harmaug/scripts/check-sweep.ts <student folder> <data folder> [rows] [kills] [seed]
 *
 * The data folder has train/prompts.jsonl, train/pairs.jsonl, eval/xstest.jsonl, eval/jbb_behaviors.jsonl and
 * eval/oktest_safe.jsonl. Prints the table, what each kill met, and whether both are equal; exits 1 when they are not.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { mulberry32 } from '@harmaug/models';
import { stringify } from 'yaml';

const [student, data, rows = '600', kills = '3', seed = '1'] = process.argv.slice(2);
if (student === undefined || data === undefined) {
  console.error('Usage: check-sweep.ts <student folder> <data folder> [rows] [kills] [seed]');
  process.exit(2);
}
const uniform = mulberry32(Number(seed));
const folder = mkdtempSync(path.join(tmpdir(), 'harmaug-check-sweep-'));
const at = (...names: string[]) => path.join(folder, ...names);

/** A random part of a file, row by row as it is. */
function takePart(from: string, to: string, count: number): void {
  const lines = readFileSync(path.join(data!, from), 'utf8').split('\n').filter(Boolean);
  const drawn = lines.map((line) => ({ line, key: uniform() })).sort((a, b) => a.key - b.key);
  const part = drawn.slice(0, count).map(({ line }) => `${line}\n`);
  writeFileSync(at(to), part.join(''), { mode: 0o600 });
}

takePart('train/prompts.jsonl', 'prompts.jsonl', Number(rows));
takePart('train/pairs.jsonl', 'pairs.jsonl', Math.ceil(Number(rows) / 2));
const recipe = {
  distill: {
    ...{ epochs: 1, batchSize: 16, maxLength: 64, learningRate: 2e-4, warmupSteps: 10 },
    missingSoftLabel: 'hard',
  },
  sweep: {
    student: path.resolve(student),
    train: 'prompts.jsonl',
    evaluate: ['xstest', 'jbb_behaviors', 'oktest_safe'].map((name) => path.resolve(data, 'eval', `${name}.jsonl`)),
    evaluateMaxLength: 64,
    seeds: [42, 123, 456],
    baseline: 'plain',
    settings: {
      plain: null,
      eda: { augment: { eda: { copies: 1 } } },
      pairs: { synthetic: 'pairs.jsonl' },
      'three-layers': { layers: 3 },
    },
  },
};
writeFileSync(at('recipe.yaml'), stringify(recipe));

interface Ended {
  readonly wasKilled: boolean;
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

function sweep(out: string, killAfterSeconds = Number.POSITIVE_INFINITY): Promise<Ended> {
  const command = path.join(import.meta.dirname, '..', 'src', 'cli', 'run.node.ts'); // itself, not bin's child
  const startMs = performance.now();
  const argv = [
    '--conditions=source',
    command,
    'sweep',
    at('recipe.yaml'),
    '--out',
    at(out),
    '--checkpoint-seconds',
    '3',
  ];
  const child = spawn(process.execPath, argv, { stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const timer = Number.isFinite(killAfterSeconds)
    ? setTimeout(() => child.kill('SIGKILL'), 1000 * killAfterSeconds)
    : undefined;
  return new Promise((resolve) => {
    child.once('close', (exitCode, signal) => {
      clearTimeout(timer);
      const seconds = (performance.now() - startMs) / 1000;
      resolve({ wasKilled: signal === 'SIGKILL', exitCode, stdout, stderr, seconds });
    });
  });
}

const finishedCells = (out: string) =>
  recipe.sweep.seeds.flatMap((one) =>
    Object.keys(recipe.sweep.settings).filter((name) => existsSync(at(out, 'cells', name, `seed-${one}`, 'cell.json'))),
  ).length;
const isWithinCell = (out: string) =>
  existsSync(at(out, 'cells')) &&
  readdirSync(at(out, 'cells'), { recursive: true, encoding: 'utf8' }).some((name) => name.endsWith('training'));

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** What does not depend on when and how long. */
function lasting(out: string): Json {
  const { createdAt: _, cells, ...rest } = JSON.parse(readFileSync(at(out, 'sweep.json'), 'utf8'));
  return { ...rest, cells: cells.map(({ seconds: __, ...cell }: { seconds: number }) => cell) };
}

/** Places where two results differ, with both values. */
function differences(first: Json, second: Json, place = ''): string[] {
  if (typeof first !== 'object' || typeof second !== 'object' || first === null || second === null) {
    return first === second ? [] : [`${place}: ${JSON.stringify(first)}, ${JSON.stringify(second)}`];
  }
  const [a, b] = [first as Record<string, Json>, second as Record<string, Json>];
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)])];
  return keys.flatMap((key) => differences(a[key] ?? null, b[key] ?? null, `${place}/${key}`));
}

try {
  const unbroken = await sweep('unbroken');
  process.stderr.write(`${unbroken.stderr}unbroken: ${unbroken.seconds.toFixed(0)} s\n`);
  if (unbroken.exitCode !== 0) throw new Error(`The unbroken sweep ended with ${unbroken.exitCode}.`);
  let done = 0;
  let text = '';
  let last: Ended;
  for (;;) {
    const share = 0.06 + 0.24 * uniform(); // of an unbroken sweep
    last = await sweep('killed', done < Number(kills) ? share * unbroken.seconds : undefined);
    text += last.stderr;
    if (!last.wasKilled) break;
    done += 1;
    const met = isWithinCell('killed') ? 'a checkpoint of the next' : 'no checkpoint';
    process.stderr.write(
      `kill ${done} after ${last.seconds.toFixed(0)} s: ${finishedCells('killed')} cells done, ${met}\n`,
    );
  }
  process.stderr.write(last.stderr);
  const resumed = text.match(/goes on from step/g)?.length ?? 0;
  const found = last.exitCode === 0 ? differences(lasting('unbroken'), lasting('killed')) : ['exit code'];
  const isSame = found.length === 0 && last.stdout === unbroken.stdout;
  for (const line of found.slice(0, 20)) process.stderr.write(`unbroken, killed: ${line}\n`);
  const isEnough = done === Number(kills);
  process.stdout.write(
    [
      last.stdout,
      `${isSame ? 'ok  ' : 'FAIL'} the killed sweep's table and figures are those of the unbroken one`,
      `${isEnough ? 'ok  ' : 'FAIL'} ${done} kills; ${resumed} cells went on from a checkpoint within them`,
      '',
    ].join('\n'),
  );
  process.exitCode = isSame && isEnough ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
