/** `harmaug adapt`: a guard learns a new attack, and is measured before and after. */
import path from 'node:path';
import { type AdaptEvent, type AdaptedSet, type AdaptResult, adapt } from '../adapt/adapt.node.ts';
import { type AdaptSettings, adaptDefaults as defaults } from '../adapt/settings.ts';
import { readRows } from '../data/read.node.ts';
import type { EvaluationSet } from '../evaluate/evaluate.ts';
import { readRecipe, sectionOf } from '../recipe/recipe.node.ts';
import { type CommandIo, defineCommand } from './command.node.ts';
import { dataFlags, readOptions } from './data-flags.node.ts';
import { UsageError } from './flags.node.ts';
import { hubOptions } from './hub-options.node.ts';
import { openSet } from './open-set.node.ts';
import { timeLeft } from './reporter.ts';
import { formatTable } from './table.ts';
import { checkTransforms } from './transform-flags.node.ts';

const settingFlags = {
  examples: { kind: 'number', help: `most rows of the new attack, half of each class; ${defaults.examples}` },
  replay: { kind: 'number', help: `most old rows of an epoch; ${defaults.replay}` },
  trust: { kind: 'number', help: `weight of the guard’s own scores against labels, 0 to 1; ${defaults.trust}` },
  newWeights: {
    kind: 'number',
    help: `share of the trained weights against those before, 0 to 1; ${defaults.newWeights}`,
  },
  epochs: { kind: 'number', help: `passes over the rows of the attack; ${defaults.epochs}` },
  batchSize: { kind: 'number', help: `rows of a step; ${defaults.batchSize}` },
  maxLength: { kind: 'number', help: `tokens of a text or pair in training; ${defaults.maxLength}` },
  learningRate: { kind: 'number', help: `peak rate of AdamW; ${defaults.learningRate}` },
  warmupSteps: { kind: 'number', help: `steps to the peak, at most a tenth of all; ${defaults.warmupSteps}` },
  weightDecay: { kind: 'number', help: `but none on biases and norms; ${defaults.weightDecay}` },
} as const;

export const adaptCommand = defineCommand({
  summary: 'teach a guard a new attack, without it forgetting the old ones',
  positional: ['<folder|id>'],
  flags: {
    recipe: { kind: 'text', value: '<yaml>', help: 'settings from its section "adapt"; flags come first' },
    train: { kind: 'texts', value: '<file>', help: 'old labelled rows: some are learned again', isRequired: true },
    attack: { kind: 'texts', value: '<file>', help: 'labelled rows of the new attack' },
    transform: {
      kind: 'texts',
      value: '<name:value>',
      help: 'or what it does to a text, caesar:3 (harmaug transform): rows of --train are so changed',
    },
    data: { kind: 'texts', value: '<file|benchmark>', help: 'ordinary sets to measure on, and their disguises' },
    attacked: { kind: 'texts', value: '<file>', help: 'sets of the new attack to measure on' },
    out: {
      kind: 'text',
      value: '<folder>',
      help: 'where the new guard goes; started again, it goes on',
      isRequired: true,
    },
    seed: { kind: 'number', help: 'of what is drawn; 42' },
    ...settingFlags,
    resamples: { kind: 'number', help: 'of the bootstrap behind the intervals; 1000' },
    device: { kind: 'text', choices: ['cpu', 'webgpu'], help: 'cpu' },
    threads: { kind: 'number', help: 'of the CPU; all cores' },
    ...dataFlags,
  },
  notes: `The guard itself stays as it is. The new one has no threshold of its own yet: calibrate it.

  harmaug adapt guard --train prompts.jsonl --transform caesar:3 --data xstest jbb_behaviors --out adapted
  harmaug adapt guard --train prompts.jsonl --attack seen-today.jsonl --attacked more-of-it.jsonl --data xstest --out adapted`,

  async run(values, io, [guard]) {
    const { train, attack, data = [], attacked = [], out, device, threads, resamples } = values;
    const names = Object.keys(settingFlags) as (keyof AdaptSettings)[];
    const recipe =
      values.recipe === undefined
        ? {}
        : sectionOf(await readRecipe(values.recipe), 'adapt', [...names, 'transforms', 'seed']);
    const { transforms: named, seed: fromRecipe, ...rest } = recipe as Partial<AdaptSettings> & OtherKeys;
    const given = Object.fromEntries(
      names.flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]]])),
    );
    const transforms = checkTransforms(values.transform ?? textsOf(named));
    if (attack === undefined && transforms.length === 0) throw new UsageError('Give --attack or --transform, or both.');
    const read = readOptions(values);
    const openAll = async (names: readonly string[]) => {
      const opened: EvaluationSet[] = [];
      for (const name of names) opened.push(await openSet(name, { ...values, limit: undefined }, io));
      return opened;
    };
    const [sets, attackedSets] = [await openAll(data), await openAll(attacked)];
    const seed = values.seed ?? fromRecipe;
    const result = await adapt({
      ...{ guard: guard!, out, transforms, sets, attackedSets },
      train: (await readRows(train, read)).rows,
      ...(attack ? { attack: (await readRows(attack, read)).rows } : {}),
      files: [...train, ...(attack ?? [])].map((file) => path.basename(file)),
      settings: { ...rest, ...given },
      ...(seed === undefined ? {} : { seed }),
      ...(resamples === undefined ? {} : { resamples }),
      ...(device ? { device: device as 'cpu' } : {}),
      ...(threads ? { threads } : {}),
      hub: hubOptions(io),
      signal: io.signal,
      onEvent: (event) => report(event, io),
    });
    if (result === null) {
      const json = { isFinished: false, out };
      return { json, text: 'Stopped, with a checkpoint. The same command goes on from there.\n', exitCode: 1 };
    }
    return { json: { out, ...result }, text: present(result, out) };
  },
});

interface OtherKeys {
  readonly transforms?: unknown;
  readonly seed?: number;
}

function textsOf(value: unknown): readonly string[] {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value;
  throw new UsageError('adapt: transforms: expected a list such as [caesar:3, base64].');
}

function report(event: AdaptEvent, { say, progress }: CommandIo): void {
  if (event.kind === 'rows') say(describeRows(event));
  else if (event.kind === 'scoring') progress(`${event.what}: ${event.done} of ${event.rows} rows`);
  else if (event.kind === 'step') {
    const { step, totalSteps, loss, rowsPerSecond, leftMs } = event;
    progress(
      `step ${step}/${totalSteps}, loss ${loss.toFixed(3)}, ${rowsPerSecond.toFixed(1)} rows/s, ${timeLeft(leftMs)}`,
    );
  } else if (event.kind === 'resumed') say(`goes on from step ${event.step}`);
}

function describeRows({ examples, replay, switched }: Extract<AdaptEvent, { kind: 'rows' }>): string {
  const own = `${examples} rows of the attack, ${replay} old ones beside them`;
  return switched === 0 ? own : `${own}, and ${switched} in the attack’s words`;
}

function present({ sets, trainingSeconds }: AdaptResult, out: string): string {
  const figures = ['auprc', 'recall', 'fpr'] as const;
  const rows = sets.map(({ name, group, rows: count, before, after }) => [
    ...[name, group, count],
    ...figures.flatMap((metric) => [before[metric].value, after[metric].value]),
  ]);
  const groups = (['attacked', 'plain'] as const).flatMap((group) => meansOf(sets, group, figures));
  const header = [
    'set',
    'group',
    'rows',
    ...['AUPRC', 'recall', 'FPR'].flatMap((title) => [`${title} before`, 'after']),
  ];
  return [
    ...(rows.length === 0 ? [] : [formatTable(header, [...rows, ...groups]), '\n']),
    `trained in ${(trainingSeconds / 60).toFixed(1)} min; the adapted guard is in ${out}\n`,
  ].join('');
}

/** Over the sets of a group in which a figure has a meaning. */
function meansOf(
  sets: readonly AdaptedSet[],
  group: AdaptedSet['group'],
  figures: readonly ('auprc' | 'recall' | 'fpr')[],
): (string | number | null)[][] {
  const own = sets.filter((set) => set.group === group);
  if (own.length < 2) return [];
  const mean = (values: readonly (number | null)[]) => {
    const known = values.filter((value) => value !== null);
    return known.length === 0 ? null : known.reduce((a, b) => a + b, 0) / known.length;
  };
  const cells = figures.flatMap((metric) =>
    (['before', 'after'] as const).map((when) => mean(own.map((set) => set[when][metric].value))),
  );
  return [['mean', group, own.reduce((sum, { rows }) => sum + rows, 0), ...cells]];
}
