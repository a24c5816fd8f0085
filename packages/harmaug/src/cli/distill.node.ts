/** `harmaug distill`: a student from labelled files. */
import { type DistillEvent, distill } from '../distill/distill.node.ts';
import { type DistillSettings, distillDefaults as defaults } from '../distill/settings.ts';
import { readRecipe, sectionOf } from '../recipe/recipe.node.ts';
import { type CommandIo, defineCommand } from './command.node.ts';
import { dataFlags, readOptions } from './data-flags.node.ts';
import { UsageError } from './flags.node.ts';
import { hubOptions } from './hub-options.node.ts';
import { timeLeft } from './reporter.ts';
import { formatTable } from './table.ts';
import { checkTransforms, transformFlags } from './transform-flags.node.ts';

const settingFlags = {
  epochs: { kind: 'number', help: `passes over the data; ${defaults.epochs}` },
  batchSize: { kind: 'number', help: `rows of a step; ${defaults.batchSize}` },
  maxLength: { kind: 'number', help: `tokens of a text or pair; ${defaults.maxLength}` },
  learningRate: { kind: 'number', help: `peak rate of AdamW; ${defaults.learningRate}` },
  warmupSteps: { kind: 'number', help: `steps to the peak, at most a tenth of all; ${defaults.warmupSteps}` },
  weightDecay: { kind: 'number', help: `but none on biases and norms; ${defaults.weightDecay}` },
  clipNorm: { kind: 'number', help: `largest norm of the gradients; ${defaults.clipNorm}` },
  lambda: { kind: 'number', help: `weight of soft against hard labels, 0 to 1; ${defaults.lambda}` },
  temperature: { kind: 'number', help: `of the soft labels; ${defaults.temperature}` },
  categoryWeight: { kind: 'number', help: `of a head for hazard categories; ${defaults.categoryWeight}, none` },
  sampling: { kind: 'text', choices: ['balanced', 'plain'], help: `how rows are drawn; ${defaults.sampling}` },
  batching: { kind: 'text', choices: ['by-length', 'mixed'], help: `which rows share a step; ${defaults.batching}` },
  dropout: {
    kind: 'text',
    choices: ['model', 'none'],
    help: `as the model’s config says, or none; ${defaults.dropout}`,
  },
  precision: {
    kind: 'text',
    choices: ['float32', 'int8'],
    help: `of the layers’ products; ${defaults.precision}`,
  },
  syntheticShare: { kind: 'number', help: 'share of synthetic rows in an epoch, 0 to 1; as there are' },
  missingSoftLabel: {
    kind: 'text',
    choices: ['error', 'hard'],
    help: `of a row without one; ${defaults.missingSoftLabel}`,
  },
  validationShare: { kind: 'number', help: `of prompts, held out; ${defaults.validationShare}` },
  keep: { kind: 'text', choices: ['last', 'best'], help: `which epoch’s weights; ${defaults.keep}` },
  patience: { kind: 'number', help: 'epochs without a better validation after which it stops; never' },
  maxSteps: { kind: 'number', help: 'steps after which it ends; none' },
} as const;

export const distillCommand = defineCommand({
  summary: 'train a small guard on labelled data',
  flags: {
    recipe: { kind: 'text', value: '<yaml>', help: 'settings from its section "distill"; flags come first' },
    student: {
      kind: 'text',
      value: '<folder|id>',
      help: 'Hugging Face folder or hub id to start from',
      isRequired: true,
    },
    train: { kind: 'texts', value: '<file>', help: 'labelled rows', isRequired: true },
    synthetic: { kind: 'texts', value: '<file>', help: 'synthetic rows' },
    out: {
      kind: 'text',
      value: '<folder>',
      help: 'where the student goes; started again, a run goes on',
      isRequired: true,
    },
    seed: { kind: 'numbers', help: 'one student for each; 42' },
    ...settingFlags,
    teacher: { kind: 'text', value: '<name>', help: 'who gave the soft labels, for the model card' },
    device: { kind: 'text', choices: ['cpu', 'webgpu'], help: 'cpu' },
    threads: { kind: 'number', help: 'of the CPU; all cores' },
    ...dataFlags,
    ...transformFlags,
  },
  notes: `Rows are JSONL, JSON, CSV or Parquet with prompt, response?, label (0 or 1) and/or soft_label = p(unsafe).
The defaults are those of the paper (arXiv:2410.01524).

  harmaug distill --student MiniLM-L6 --train prompts.jsonl pairs.jsonl --missing-soft-label hard --out guard
  harmaug distill --recipe recipes/paper.yaml --student microsoft/deberta-v3-large --train seeds.parquet --synthetic made.parquet --seed 42 123 456 --out guards`,

  async run(values, io) {
    const { student, train, synthetic, out, seed, teacher, device, threads } = values;
    const given = Object.fromEntries(
      Object.keys(settingFlags).flatMap((name) => {
        const value = values[name as keyof typeof settingFlags];
        return value === undefined ? [] : [[name, value]];
      }),
    ) as Partial<DistillSettings>;
    const names = Object.keys(settingFlags);
    const recipe =
      values.recipe === undefined
        ? {}
        : sectionOf(await readRecipe(values.recipe), 'distill', [...names, 'seeds', 'transforms']);
    const { seeds = [42], transforms, ...fromRecipe } = recipe as Partial<DistillSettings> & OtherKeys;
    const disguises = checkTransforms(values.transform ?? textsOf(transforms));
    const settings = { ...fromRecipe, ...given };
    const result = await distill({
      ...{ student, train, out, settings, read: readOptions(values), seeds: seed ?? seeds, transforms: disguises },
      ...(synthetic ? { synthetic } : {}),
      ...(teacher ? { teacher } : {}),
      ...(device ? { device: device as 'cpu' } : {}),
      ...(threads ? { threads } : {}),
      hub: hubOptions(io),
      signal: io.signal,
      onEvent: (event) => report(event, io),
    });
    if (!result.isFinished) {
      return { json: result, text: 'Stopped, with a checkpoint. The same command goes on from there.\n', exitCode: 1 };
    }
    const rows = result.students.map(({ seed: of, folder, steps, validation }) => {
      return [String(of), steps, validation?.auprc ?? null, validation?.f1 ?? null, folder];
    });
    const text = formatTable(['seed', 'steps', 'validation AUPRC', 'F1 at 0.5', 'folder'], rows);
    return { json: result, text };
  },
});

/** Keys of the recipe's section that are no settings of the loss or its steps. */
interface OtherKeys {
  readonly seeds?: readonly number[];
  readonly transforms?: unknown;
}

function textsOf(value: unknown): readonly string[] {
  if (value === undefined) return [];
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value;
  throw new UsageError('transforms: expected a list such as [caesar:3, base64].');
}

function report(event: DistillEvent, { say, progress }: CommandIo): void {
  if (event.kind === 'data') {
    const { training, validation, unsafe, truncated, skipped } = event;
    say(`${training} rows to learn from, ${validation} held out, ${unsafe} of them all unsafe`);
    if (truncated > 0) say(`${truncated} rows are longer than --max-length and were cut`);
    for (const [reason, count] of Object.entries(skipped)) say(`${count} records were left out: ${reason}`);
  } else if (event.kind === 'step') {
    const { seed, step, totalSteps, epoch, loss, rowsPerSecond, leftMs } = event;
    const speed = `${rowsPerSecond.toFixed(1)} rows/s`;
    progress(
      `seed ${seed}, epoch ${epoch + 1}, step ${step}/${totalSteps}, loss ${loss.toFixed(3)}, ${speed}, ${timeLeft(leftMs)}`,
    );
  } else if (event.kind === 'validation') {
    const [auprc, f1] = [event.auprc, event.f1].map((figure) => figure?.toFixed(3) ?? '—');
    say(`seed ${event.seed}, epoch ${event.epoch + 1}: validation AUPRC ${auprc}, F1 ${f1}`);
  } else if (event.kind === 'resumed') {
    say(`seed ${event.seed}: goes on from step ${event.step}`);
  }
}
