/** What settings of a sweep may differ in: any setting of distill, and what the student and its data are. */
import { ConfigError } from 'onnx-grad';
import { z } from 'zod';
import { checkSettings, type DistillSettings, distillDefaults } from '../distill/settings.ts';
import type { EdaSettings } from '../eda/augment.ts';
import { parseConfig, strictObject } from '../text/schema.ts';
import { unknownName } from '../text/suggest.ts';
import { parseTransform } from '../transforms/spec.ts';

/** Whatever YAML may say. */
export type AxisValue = string | number | boolean | null | readonly AxisValue[] | { readonly [key: string]: AxisValue };

/** One student with its data, but for the seed. */
export interface Subject {
  /** Folder or hub id. */
  readonly student: string;
  /** The first so many layers alone; `null`: all. */
  readonly layers: number | null;
  readonly train: readonly string[];
  /** None: plain distillation. */
  readonly synthetic: readonly string[];
  /** How many of the synthetic rows, the same ones in every larger number; `null`: all. */
  readonly syntheticRows: number | null;
  /** Whether harmless look-alikes of the synthetic set are learned from. */
  readonly hasBenign: boolean;
  /** EDA's copies of the labelled rows, as synthetic ones; `null` for none. Without values, those of its paper. */
  readonly eda: Partial<EdaSettings> | null;
  /** Disguises in which every row is learned from too. */
  readonly transforms: readonly string[];
  readonly distill: DistillSettings;
}

const texts = z.union([z.string().transform((text) => [text]), z.array(z.string()).min(1)], {
  error: 'is wrong: expected a file, or a list of files',
});
const COUNT = 'is wrong: expected a whole number from 1, or all';
const all = z.union([z.literal('all'), z.null()]).transform(() => null);

const edaValues = strictObject({
  alpha: z.number().gt(0).max(1).optional(),
  copies: z.int().min(1).max(64).optional(),
}).transform(({ alpha, copies }) => ({
  ...(alpha === undefined ? {} : { alpha }),
  ...(copies === undefined ? {} : { copies }),
}));

/** Each reads a value and says what of the subject it sets. */
export const subjectAxes = {
  student: z.string().transform((student) => ({ student })),
  layers: z.union([z.int().min(1), all], { error: COUNT }).transform((layers) => ({ layers })),
  train: texts.transform((train) => ({ train })),
  synthetic: z
    .union([z.literal('none').transform(() => []), z.null().transform(() => []), texts], {
      error: 'is wrong: expected a file, a list of files, or none',
    })
    .transform((synthetic) => ({ synthetic })),
  syntheticRows: z.union([z.int().min(1), all], { error: COUNT }).transform((syntheticRows) => ({ syntheticRows })),
  benign: z
    .union([z.boolean(), z.enum(['on', 'off']).transform((word) => word === 'on')], {
      error: 'is wrong: expected on or off',
    })
    .transform((hasBenign) => ({ hasBenign })),
  augment: z
    .union(
      [
        z.enum(['none', 'eda']).transform((name) => (name === 'none' ? null : {})),
        strictObject({ eda: edaValues }).transform(({ eda }) => eda),
      ],
      { error: 'is wrong: expected none, eda, or { eda: { alpha, copies } }' },
    )
    .transform((eda) => ({ eda })),
  transforms: z.array(z.string()).transform((transforms) => ({ transforms })),
} satisfies Record<string, z.ZodType<Partial<Subject>>>;

type SubjectAxis = keyof typeof subjectAxes;

export const axisNames: readonly string[] = [...Object.keys(subjectAxes), ...Object.keys(distillDefaults)];

/** @throws ConfigError with the closest of the axes there are */
export function expectAxis(name: string, where: string): void {
  if (!axisNames.includes(name)) throw new ConfigError(`${where}: ${unknownName('axis', name, axisNames)}`);
}

/**
 * The subject with other values.
 * @param where the place in the recipe, for errors
 * @throws ConfigError for an unknown axis, a value out of its range
 */
export function withValues(subject: Subject, values: Readonly<Record<string, unknown>>, where: string): Subject {
  const distill: Record<string, unknown> = {};
  let changed = subject;
  for (const [name, value] of Object.entries(values)) {
    expectAxis(name, where);
    const schema = subjectAxes[name as SubjectAxis];
    if (schema === undefined) distill[name] = value;
    else changed = { ...changed, ...parseConfig(z.object({ [name]: schema }), { [name]: value }, where)[name] };
  }
  for (const spec of changed.transforms) {
    if (parseTransform(spec, `${where}: transforms`).needsModel)
      throw new ConfigError(
        `${where}: transforms: ${spec}: translate first, into a file of its own: harmaug transform.`,
      );
  }
  return { ...changed, distill: checkDistill({ ...subject.distill, ...distill }, where) };
}

/** As distill checks them, and the words among them too. @throws ConfigError */
function checkDistill(settings: DistillSettings, where: string): DistillSettings {
  for (const [name, words] of Object.entries(choices)) {
    const value = String(settings[name as keyof DistillSettings]);
    if (!words.includes(value)) throw new ConfigError(`${where}: ${unknownName(name, value, words)}`);
  }
  try {
    return checkSettings(settings);
  } catch (error) {
    throw error instanceof ConfigError ? new ConfigError(`${where}: ${error.message}`) : error;
  }
}

const choices: Readonly<Record<string, readonly string[]>> = {
  sampling: ['balanced', 'plain'],
  missingSoftLabel: ['error', 'hard'],
  keep: ['last', 'best'],
};
