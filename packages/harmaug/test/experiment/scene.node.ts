/** A whole run that is tiny: writers and a teacher on a loopback server, a student of two layers, mild rows. */
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { stringify } from 'yaml';
import { temporaryFolder, tinyRows, writeTinyStudent } from '../../src/distill/tiny.testing.node.ts';
import { readExperiment } from '../../src/experiment/recipe.node.ts';
import { type ExperimentEvent, runExperiment } from '../../src/experiment/run.node.ts';
import type { Summary } from '../../src/experiment/summary.node.ts';
import { mildRecipe } from '../augment/harness.node.ts';
import { startWriters, type Writers } from '../loopback/writers.ts';

type Sections = Record<string, Record<string, unknown>>;

export interface Scene {
  readonly server: Writers;
  readonly at: (...names: string[]) => string;
  /** Writes the recipe with a change, and gives its path. */
  readonly recipe: (name: string, change?: (sections: Sections) => void) => string;
  /** Runs it in this process. `stopAt`: Ctrl-C as that step begins. */
  readonly run: (recipe: string, out: string, stopAt?: string) => Promise<Ran>;
  readonly close: () => Promise<void>;
}

export interface Ran {
  readonly summary: Summary | null;
  /** Steps that were made, in order, and those that were kept. */
  readonly made: readonly string[];
  readonly kept: readonly string[];
}

export async function startScene(): Promise<Scene> {
  const server = await startWriters();
  const folder = await temporaryFolder();
  const at = (...names: string[]) => path.join(folder, ...names);
  await writeTinyStudent(at('student'));
  const rows = (name: string, count: number, seed: number, source: string) => {
    const lines = tinyRows(count, seed).map(({ softLabel: _, ...row }) => `${JSON.stringify({ ...row, source })}\n`);
    writeFileSync(at(name), lines.join(''));
  };
  rows('seeds.jsonl', 60, 1, 'ours');
  rows('test.jsonl', 60, 3, 'others');
  const alike = tinyRows(60, 4).filter(({ label }) => label === 0);
  writeFileSync(at('alike.jsonl'), alike.map(({ softLabel: _, ...row }) => `${JSON.stringify(row)}\n`).join(''));

  const recipe: Scene['recipe'] = (name, change = () => {}) => {
    const { filters: _, prices: __, ...mild } = mildRecipe(server.url, 4, { timeoutSeconds: 10 });
    const sections: Sections = {
      ...mild,
      noPrefix: { perCategory: 2 },
      distill: { epochs: 1, batchSize: 32, maxLength: 32, learningRate: 5e-3, warmupSteps: 4 },
      sweep: {
        ...{
          student: 'student',
          evaluate: ['test.jsonl', 'alike.jsonl'],
          seeds: [1],
          baseline: 'plain',
          resamples: 20,
        },
        settings: { plain: { synthetic: 'none' }, harmaug: {} },
      },
      export: { dtype: ['fp32', 'int8'], maxDifference: 1, maxFlips: 1, maxAuprcDrop: 1 },
      measure: { encoder: 'student' },
      cost: { lengths: [8], seconds: 0.05, rows: 4, run: false },
      report: { title: 'A tiny run', lookAlikes: 'alike' },
    };
    change(sections);
    writeFileSync(at(name), stringify(sections));
    return at(name);
  };

  return {
    ...{ server, at, recipe },
    async run(file, out, stopAt) {
      const stop = new AbortController();
      const [made, kept]: string[][] = [[], []];
      const onEvent = (event: ExperimentEvent) => {
        if (event.kind === 'step-start' && event.step === stopAt) stop.abort(new Error('stopped'));
        if (event.kind === 'step-end') made!.push(event.step);
        if (event.kind === 'step-kept') kept!.push(event.step);
      };
      const experiment = await readExperiment(file);
      const summary = await runExperiment({
        ...{ experiment, out: at(out), env: {}, threads: 1, signal: stop.signal, onEvent },
      });
      return { summary, made: made!, kept: kept! };
    },
    async close() {
      await server.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What does not depend on when, where and how fast. */
export function lasting({ seconds: _, places: __, cost, guard, ...rest }: Summary) {
  const { cell: ___, ...own } = (guard ?? {}) as unknown as Record<string, unknown>;
  const timeless = (one: NonNullable<typeof cost>['teacher']) => one && { ...one, p50Ms: null };
  return { ...rest, guard: own, cost: cost && [timeless(cost.guard), timeless(cost.teacher)] };
}
