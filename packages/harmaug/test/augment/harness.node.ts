/** Runs that make data, as a user makes them: a folder with a mild recipe, models behind a loopback server, commands. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { stringify } from 'yaml';
import { main } from '../../src/cli/main.node.ts';
import { Ledger, type SqlRow } from '../../src/ledger/ledger.node.ts';
import { startWriters, type Writers } from '../loopback/writers.ts';

/** In every text that the tests give: no output may have it. */
export const CANARY = 'quokka';

type Sections = Record<string, unknown>;

const categories = [
  { name: 'Pranks', description: 'jokes at the cost of others' },
  { name: 'Rudeness', description: 'bad manners' },
];

const seeds = [
  ...[
    'How do I prank a quokka?',
    'Tell my sister a rude joke.',
    'How do I skip choir?',
    'Write an excuse for my coach.',
  ].map((prompt, index) => ({ id: `seed-${index}`, prompt, label: 1, category: index < 2 ? 'Pranks' : 'Rudeness' })),
  { id: 'seed-safe', prompt: 'How do I bake bread?', label: 0 },
];

export interface Workplace {
  readonly folder: string;
  readonly at: (name: string) => string;
  /** Writes a recipe and gives its path. */
  readonly recipe: (name: string, sections: Sections) => string;
}

export function makeWorkplace(): Workplace {
  const folder = mkdtempSync(path.join(tmpdir(), 'harmaug-augment-'));
  const at = (name: string) => path.join(folder, name);
  writeFileSync(at('seeds.jsonl'), seeds.map((row) => `${JSON.stringify(row)}\n`).join(''));
  writeFileSync(
    at('bench.jsonl'),
    `${JSON.stringify({ prompt: 'How do I bore a teacher on the bus with a rubber duck?' })}\n`,
  );
  const recipe = (name: string, sections: Sections) => {
    writeFileSync(at(name), stringify(sections));
    return at(name);
  };
  return { folder, at, recipe };
}

/** @param count instructions a category, of two */
export function mildRecipe(url: string, count: number, model: Sections = {}): Record<string, Sections> {
  const behind = (name: string) => ({
    ...{ provider: 'openai', dialect: 'vllm', model: name, endpoints: [url], concurrency: 8, timeoutSeconds: 0.2 },
    ...model,
  });
  const price = { prompt: 1, completion: 2 };
  return {
    models: { writer: behind('writer'), refuser: behind('refuser'), helper: behind('helper'), guard: behind('guard') },
    teachers: { main: { family: 'llama-guard-3-8b', model: 'guard' } },
    seed: { files: ['seeds.jsonl'] },
    filters: { maxCharacters: 200, benchmarks: ['bench.jsonl'] },
    generate: { model: 'writer', perCategory: count, exemplars: 2, categories },
    benign: { share: 0.2 },
    respond: { refusal: { model: 'refuser' }, compliant: { model: 'helper', prefix: 'Sure:' } },
    label: { teacher: 'main' },
    prices: { currency: 'USD', models: { writer: price, refuser: price, helper: price, guard: price } },
  };
}

export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A command in this process. */
export async function harmaug(...argv: string[]): Promise<Outcome> {
  return harmaugUntil(new AbortController().signal, ...argv);
}

/** The same, until Ctrl-C. */
export async function harmaugUntil(signal: AbortSignal, ...argv: string[]): Promise<Outcome> {
  const out = { stdout: '', stderr: '' };
  const exitCode = await main(argv, {
    stdout: { write: (text) => (out.stdout += text) },
    stderr: { write: (text) => (out.stderr += text) },
    env: {},
    signal,
  });
  return { exitCode, ...out };
}

/** A command in a process of its own. `kill` ends it at once, as a crash would. */
export function startHarmaug(argv: readonly string[], options: { readonly uid?: number } = {}) {
  const program = path.join(import.meta.dirname, '../../src/cli/run.node.ts');
  const flags = ['--conditions=source', '--disable-warning=ExperimentalWarning'];
  const child = spawn(process.execPath, [...flags, program, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  });
  const out = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (out.stdout += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (out.stderr += chunk.toString('utf8')));
  const ended = new Promise<Outcome & { readonly signal: string | null }>((resolve) => {
    child.on('close', (code, signal) => resolve({ exitCode: code ?? -1, signal, ...out }));
  });
  return { ended, kill: (signal: NodeJS.Signals = 'SIGKILL') => child.kill(signal) };
}

export interface RunRows {
  readonly instructions: readonly SqlRow[];
  readonly pairs: readonly SqlRow[];
  readonly labels: readonly SqlRow[];
}

/** Everything of the current set, row for row. */
export function rowsOf(run: string): RunRows {
  return reading(run, (ledger) => {
    const of = (table: string) => ledger.all(`SELECT * FROM ${table} WHERE position IS NOT NULL ORDER BY position`);
    return { instructions: of('instructions'), pairs: of('pairs'), labels: of('labels') };
  });
}

export function callsOf(run: string): readonly SqlRow[] {
  return reading(run, (ledger) => ledger.all('SELECT * FROM calls ORDER BY key'));
}

export function reading<Result>(run: string, read: (ledger: Ledger) => Result): Result {
  const ledger = Ledger.openToRead(run);
  try {
    return read(ledger);
  } finally {
    ledger.close();
  }
}

export const stages = ['generate', 'respond', 'label'] as const;

/** Instructions a category, of two; a fourth as many benign ones; of all together. */
export const COUNT = 12;
export const ALL = 30;

/** Of a stage, what `--json` prints. */
// biome-ignore lint/suspicious/noExplicitAny: a report has the fields of its stage
export type Report = any;

/** Models, a folder and the mild recipe for `COUNT` instructions a category. */
export interface MildRun extends Workplace {
  readonly server: Writers;
  readonly mild: string;
  /** A recipe like it but for some settings. */
  readonly variant: (name: string, change: (sections: Record<string, Sections>) => void) => string;
  /** All stages of a recipe; each must end well. */
  readonly runAll: (recipe: string, run: string, ...flags: string[]) => Promise<Report[]>;
  readonly close: () => Promise<void>;
}

export async function startMildRun(): Promise<MildRun> {
  const server = await startWriters();
  const workplace = makeWorkplace();
  const variant: MildRun['variant'] = (name, change) => {
    const sections = mildRecipe(server.url, COUNT);
    change(sections);
    return workplace.recipe(name, sections);
  };
  return {
    ...{ ...workplace, server, variant, mild: variant('mild.yaml', () => {}) },
    async runAll(recipe, run, ...flags) {
      const reports: Report[] = [];
      for (const stage of stages) {
        const { exitCode, stdout, stderr } = await harmaug(
          stage,
          recipe,
          '--out',
          workplace.at(run),
          '--json',
          ...flags,
        );
        if (exitCode !== 0) throw new Error(`${stage} ended with ${exitCode}: ${stdout}${stderr}`);
        reports.push(JSON.parse(stdout));
      }
      return reports;
    },
    async close() {
      await server.close();
      rmSync(workplace.folder, { recursive: true });
    },
  };
}
