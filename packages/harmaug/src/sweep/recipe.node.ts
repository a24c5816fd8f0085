/** The recipe's section "sweep" as it is meant: what all cells share, and the settings they differ in. */
import path from 'node:path';
import { ConfigError } from 'onnx-grad';
import { z } from 'zod';
import { type FormatName, formatNames } from '../data/formats.ts';
import { distillDefaults } from '../distill/settings.ts';
import type { Section } from '../recipe/recipe.node.ts';
import { parseConfig, strictObject } from '../text/schema.ts';
import { unknownName } from '../text/suggest.ts';
import { type AxisValue, type Subject, subjectAxes, withValues } from './axes.ts';
import { expandSettings, type Setting } from './settings.ts';

export interface Sweep {
  readonly settings: readonly Setting[];
  readonly seeds: readonly number[];
  /** The setting that the others are compared to; `null`: none. */
  readonly baseline: string | null;
  /** Files of labelled rows, or benchmarks by name. */
  readonly evaluate: readonly string[];
  readonly budgetMinutes: number | null;
  /** How columns of the training files are read. */
  readonly format: FormatName;
  /** Rows to read of each set. */
  readonly limit: number | null;
  /** Tokens of a text in evaluations; `null`: what the model has positions for. */
  readonly evaluateMaxLength: number | null;
  /** Of the bootstrap. */
  readonly resamples: number;
}

const axisValue: z.ZodType<AxisValue> = z.lazy(() =>
  z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(axisValue), z.record(z.string(), axisValue)]),
);

const files = z.union([z.string().transform((text) => [text]), z.array(z.string()).min(1)], {
  error: 'is wrong: expected a file or a benchmark, or a list of them',
});

const schema = strictObject({
  ...Object.fromEntries(Object.keys(subjectAxes).map((name) => [name, axisValue.optional()])),
  evaluate: files,
  seeds: z
    .array(
      z
        .int()
        .min(0)
        .max(2 ** 32 - 1),
    )
    .min(1)
    .optional(),
  baseline: z.string().optional(),
  budgetMinutes: z.number().gt(0).optional(),
  format: z.enum(formatNames as [FormatName]).optional(),
  limit: z.int().min(1).optional(),
  evaluateMaxLength: z.int().min(4).optional(),
  resamples: z.int().min(1).max(100_000).optional(),
  settings: z.record(z.string(), z.union([z.record(z.string(), axisValue), z.null()])).optional(),
  grid: z.record(z.string(), z.array(axisValue).min(1)).optional(),
});

const distillKeys = [...Object.keys(distillDefaults), 'seeds', 'transforms'];

export interface SweepInput {
  /** Of the recipe, for errors. */
  readonly file: string;
  /** Where relative paths begin. */
  readonly folder: string;
  readonly distill: Section;
  readonly sweep: Section | undefined;
  /** Whether a path is there: a student that is no folder is a hub id, an evaluation set that is no file a benchmark. */
  readonly exists: (path: string) => boolean;
}

/** What flags set. */
export interface SweepOverrides {
  readonly seeds?: readonly number[] | undefined;
  readonly limit?: number | undefined;
  readonly budgetMinutes?: number | undefined;
}

/** @throws ConfigError naming file, section and key: unknown ones with the closest there is */
export function readSweep({ file, folder, distill, sweep, exists }: SweepInput, flags: SweepOverrides = {}): Sweep {
  const where = `${file}: sweep`;
  if (sweep === undefined)
    throw new ConfigError(`${file} has no section "sweep". It needs one with student, train and evaluate.`);
  const given = parseConfig(schema, sweep, where);
  const unknown = Object.keys(distill).find((key) => !distillKeys.includes(key));
  if (unknown !== undefined) throw new ConfigError(`${file}: distill: ${unknownName('key', unknown, distillKeys)}`);
  const { seeds: distillSeeds, transforms = [], ...distillSettings } = distill;
  const shared = Object.fromEntries(
    Object.keys(subjectAxes).flatMap((axis) => {
      const value = (given as Record<string, unknown>)[axis];
      return value === undefined ? [] : [[axis, value]];
    }),
  );
  const base = withValues(emptySubject, { transforms, ...distillSettings, ...shared }, where);
  const settings = expandSettings(base, given, where).map((setting) => {
    return { ...setting, subject: placed(setting.subject) };
  });
  for (const { name, subject } of settings) {
    const missing = (['student', 'train'] as const).find((axis) => subject[axis].length === 0);
    if (missing) throw new ConfigError(`${where}: "${missing}" is missing, for the setting "${name}".`);
  }
  const { baseline = null, evaluate } = given;
  if (baseline !== null && !settings.some(({ name }) => name === baseline)) {
    throw new ConfigError(
      `${where}: baseline: ${unknownName(
        'setting',
        baseline,
        settings.map(({ name }) => name),
      )}`,
    );
  }
  const seeds = flags.seeds ?? given.seeds ?? (distillSeeds as readonly number[] | undefined) ?? [42];
  if (new Set(seeds).size < seeds.length)
    throw new ConfigError(`${where}: seeds: expected each once, got ${seeds.join(', ')}.`);
  return {
    settings,
    seeds,
    baseline,
    evaluate: evaluate.map((name) => (exists(path.resolve(folder, name)) ? path.resolve(folder, name) : name)),
    budgetMinutes: flags.budgetMinutes ?? given.budgetMinutes ?? null,
    format: given.format ?? 'harmaug',
    limit: flags.limit ?? given.limit ?? null,
    evaluateMaxLength: given.evaluateMaxLength ?? null,
    resamples: given.resamples ?? 1000,
  };

  function placed(subject: Subject): Subject {
    const { student, train, synthetic } = subject;
    const at = (name: string) => path.resolve(folder, name);
    return {
      ...subject,
      student: student !== '' && exists(at(student)) ? at(student) : student,
      train: train.map(at),
      synthetic: synthetic.map(at),
    };
  }
}

const emptySubject: Subject = {
  student: '',
  layers: null,
  train: [],
  synthetic: [],
  syntheticRows: null,
  hasBenign: true,
  eda: null,
  transforms: [],
  distill: distillDefaults,
};
