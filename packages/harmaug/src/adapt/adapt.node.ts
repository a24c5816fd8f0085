/** A guard learns a new attack from a few examples, and old rows again beside them so that it stays what it is. */
import { existsSync } from 'node:fs';
import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { backboneFor, type HubOptions, openModelFolder, parseJsonObject, unsafeIndex } from '@harmaug/models/node';
import { ConfigError, FormatError } from 'onnx-grad';
import type { Device } from 'onnx-grad/node';
import { decodePromptHashes, encodeHashes, hashPrompt } from '../data/prompt-hashes.node.ts';
import type { Row } from '../data/row.ts';
import { modelCard } from '../distill/card.ts';
import { readCurve } from '../distill/curve.node.ts';
import { nameOf } from '../distill/distill.node.ts';
import { prepareData } from '../distill/prepare.node.ts';
import { type RunEvent, runDistillation, runFiles } from '../distill/run.node.ts';
import type { Estimate } from '../evaluate/bootstrap.ts';
import type { Evaluation, EvaluationSet } from '../evaluate/evaluate.ts';
import { measure } from '../evaluate/measure.node.ts';
import type { MetricName } from '../evaluate/metrics.ts';
import { SEEN_PROMPTS_FILE } from '../scoring/classifier.node.ts';
import { openEncoderScorer } from '../scoring/encoder-scorer.node.ts';
import type { Score, Scorer } from '../scoring/scorer.ts';
import { disguiseSet } from '../transforms/disguise-set.ts';
import { versions } from '../versions.node.ts';
import { type LearnedRows, rowsToLearn } from './rows.ts';
import { type AdaptSettings, checkAdaptSettings, distillSettingsOf } from './settings.ts';

export interface AdaptRequest {
  /** Hugging Face folder or hub id of the guard. */
  readonly guard: string;
  readonly hub?: HubOptions;
  readonly out: string;
  /** Old data: what is learned again, and what transforms are applied to. */
  readonly train: readonly Row[];
  /** Labelled rows of the new attack. */
  readonly attack?: readonly Row[];
  /** Or disguises, `caesar:3`, of rows of `train`; at least one of the two. */
  readonly transforms?: readonly string[];
  /** Of all these rows, for the model card. */
  readonly files?: readonly string[];
  /** Sets of ordinary rows, measured before and after; each in every disguise too. */
  readonly sets?: readonly EvaluationSet[];
  /** Sets of the new attack. */
  readonly attackedSets?: readonly EvaluationSet[];
  readonly settings?: Partial<AdaptSettings>;
  readonly seed?: number;
  readonly resamples?: number;
  readonly device?: Device;
  readonly threads?: number;
  readonly signal?: AbortSignal;
  readonly onEvent?: (event: AdaptEvent) => void;
}

export type AdaptEvent =
  | RunEvent
  | { readonly kind: 'rows'; readonly examples: number; readonly replay: number; readonly switched: number }
  | { readonly kind: 'scoring'; readonly what: string; readonly done: number; readonly rows: number };

export interface AdaptedSet {
  readonly name: string;
  readonly group: 'attacked' | 'plain';
  readonly rows: number;
  readonly unsafe: number;
  readonly before: Readonly<Record<MetricName, Estimate>>;
  readonly after: Readonly<Record<MetricName, Estimate>>;
}

/** adapt.json of the new guard's folder. */
export interface AdaptResult {
  readonly kind: 'adapt';
  readonly version: 1;
  readonly createdAt: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly guard: string;
  readonly transform: string | null;
  readonly settings: AdaptSettings & { readonly seed: number };
  readonly rows: { readonly examples: number; readonly replay: number; readonly switched: number };
  /** Of training alone. */
  readonly trainingSeconds: number;
  readonly sets: readonly AdaptedSet[];
}

export const ADAPT_FILE = 'adapt.json';
const UNSAFE = 1; // where distillation has its unsafe label

/**
 * Started again after a stop, it goes on; the guard that is adapted stays as it is.
 * @returns `null` where the signal stopped the training, with a checkpoint in `out`
 * @throws ConfigError for rows, settings or a guard that will not do, before any training
 */
export async function adapt(request: AdaptRequest): Promise<AdaptResult | null> {
  const { out, transforms = [], seed = 42, signal, onEvent, hub } = request;
  const settings = checkAdaptSettings(request.settings ?? {});
  const opened = await openModelFolder(request.guard, hub);
  if (path.resolve(opened.folder) === path.resolve(out))
    throw new ConfigError(`${out} is the guard itself. Give the adapted one a folder of its own.`);
  await expectOurLabels(opened.folder);
  const name = nameOf(opened);

  const sets = await disguisedSets(request);
  const guard = await openEncoderScorer(opened.folder, scorerOptions(request));
  let rows: LearnedRows;
  let evaluationsBefore: Evaluation[];
  try {
    const onScored = (done: number, rows: number) =>
      onEvent?.({ kind: 'scoring', what: 'rows to learn from', done, rows });
    rows = await rowsToLearn(guard, { ...request, onScored }, settings, seed);
    const { examples, replay, switched } = rows;
    onEvent?.({ kind: 'rows', examples, replay, switched });
    evaluationsBefore = await measureAll(guard, sets, request, 'before');
  } finally {
    await guard.dispose();
  }

  const distillSettings = distillSettingsOf(settings);
  const parts = { seedRows: rows.rows, syntheticRows: [], originals: rows.originals };
  const data = await prepareData(opened.folder, parts, distillSettings, signal);
  const promptHashes = await withEarlier(opened.folder, rows.rows);
  const start = performance.now();
  const { isFinished } = await runDistillation({ ...data, promptHashes }, distillSettings, {
    ...{ student: opened.folder, studentName: name, out, seed, newWeights: settings.newWeights },
    ...(request.device ? { device: request.device } : {}),
    ...(request.threads ? { threads: request.threads } : {}),
    ...(signal ? { signal } : {}),
    ...(onEvent ? { onEvent } : {}),
  });
  if (!isFinished) return null;
  const trainingSeconds = (performance.now() - start) / 1000;
  await writeWhole(
    path.join(out, 'README.md'),
    modelCard({
      ...{ student: name, baseModel: opened.source?.id ?? null, seed, transforms },
      settings: { ...distillSettings, epochs: settings.epochs },
      rows: { seed: rows.examples + rows.replay, synthetic: rows.switched, validation: 0, truncated: data.truncated },
      ...{ files: request.files ?? [], teacher: null, curve: readCurve(runFiles(out).curve, Infinity) },
    }),
  );

  const adapted = await openEncoderScorer(out, scorerOptions(request));
  let evaluationsAfter: Evaluation[];
  try {
    evaluationsAfter = await measureAll(adapted, sets, request, 'after');
  } finally {
    await adapted.dispose();
  }
  const result: AdaptResult = {
    ...{ kind: 'adapt', version: 1, createdAt: new Date().toISOString(), versions: versions() },
    ...{ guard: name, transform: transforms.length === 0 ? null : transforms.join(', ') },
    settings: { ...settings, seed },
    rows: { examples: rows.examples, replay: rows.replay, switched: rows.switched },
    trainingSeconds,
    sets: sets.map(({ group, set }, index): AdaptedSet => {
      const [old, now] = [evaluationsBefore[index]!, evaluationsAfter[index]!];
      return { name: set.id, group, rows: old.rows, unsafe: old.unsafe, before: old.metrics, after: now.metrics };
    }),
  };
  await writeWhole(path.join(out, ADAPT_FILE), `${JSON.stringify(result, null, 2)}\n`);
  return result;
}

async function writeWhole(file: string, text: string): Promise<void> {
  await writeFile(`${file}.part`, text);
  await rename(`${file}.part`, file);
}

async function expectOurLabels(folder: string): Promise<void> {
  const file = path.join(folder, 'config.json');
  const bytes = await readFile(file).catch((cause) => {
    throw new FormatError(`${folder} has no config.json. Expected the Hugging Face folder of a guard.`, {
      file,
      cause,
    });
  });
  const json = parseJsonObject(new Uint8Array(bytes), file);
  const { labels } = backboneFor(json, file).parseConfig(json, file);
  if (unsafeIndex(json, labels, folder) === UNSAFE) return;
  throw new ConfigError(`${folder}: its labels are unsafe, safe. Only a guard with safe, unsafe can be adapted.`);
}

interface GroupedSet {
  readonly group: AdaptedSet['group'];
  readonly set: EvaluationSet;
}

async function disguisedSets({ sets = [], attackedSets = [], transforms = [] }: AdaptRequest): Promise<GroupedSet[]> {
  const disguised: GroupedSet[] = [];
  for (const spec of transforms) {
    for (const set of sets) disguised.push({ group: 'attacked', set: await disguiseSet(set, spec) });
  }
  return [
    ...disguised,
    ...attackedSets.map((set) => ({ group: 'attacked' as const, set })),
    ...sets.map((set) => ({ group: 'plain' as const, set })),
  ];
}

async function measureAll(
  scorer: Scorer<Score>,
  sets: readonly GroupedSet[],
  { resamples, signal, onEvent }: AdaptRequest,
  when: string,
): Promise<Evaluation[]> {
  const evaluations: Evaluation[] = [];
  for (const { set } of sets) {
    const onProgress = (done: number) =>
      onEvent?.({ kind: 'scoring', what: `${set.id}, ${when}`, done, rows: set.rows.length });
    const options = { ...(resamples === undefined ? {} : { resamples }), ...(signal ? { signal } : {}) };
    evaluations.push((await measure(scorer, set, { ...options, onProgress })).evaluation);
  }
  return evaluations;
}

function scorerOptions({ threads }: AdaptRequest) {
  return threads === undefined ? {} : { threads };
}

/** Hashes of what the guard has seen all its life. */
async function withEarlier(folder: string, rows: readonly Row[]): Promise<Uint8Array> {
  const file = path.join(folder, SEEN_PROMPTS_FILE);
  const earlier = existsSync(file) ? decodePromptHashes(await readFile(file), file) : [];
  return encodeHashes([...earlier, ...rows.map(({ prompt }) => hashPrompt(prompt))]);
}
