/** A guard's folder as ONNX files that transformers.js, optimum and our own runtime read, each checked on real texts. */
import { existsSync } from 'node:fs';
import { copyFile, mkdir, stat } from 'node:fs/promises';
import path from 'node:path';
import {
  type EncodedArrays,
  inferenceModel,
  loadWeights,
  readRanges,
  TokenizerPool,
  tokenizerFileNames,
  unsafeIndex,
} from '@harmaug/models/node';
import {
  type ChannelRanges,
  ConfigError,
  type ModelRecord,
  type Quantization,
  quantizeModel,
  trainedBytes,
} from 'onnx-grad';
import { createSession, writeModelFile } from 'onnx-grad/node';
import type { Row } from '../data/row.ts';
import { SETTINGS_FILE } from '../scoring/classifier.node.ts';
import { classifyWith } from '../scoring/onnx-session.node.ts';
import { scoreEncoded } from '../scoring/score-encoded.ts';
import { compareMargins, failures, type Gate, type GateLimits } from './gate.ts';
import { type Precision, precisions } from './precisions.ts';
import { withProjectedTables } from './projected.node.ts';
import { measureRanges } from './ranges.node.ts';

export interface ExportOptions {
  readonly precisions: readonly Precision[];
  /** Folder that gets `onnx/`; the guard's own by default. */
  readonly out?: string;
  /** Texts that the smaller models are fitted to and checked on. */
  readonly rows: readonly Row[];
  readonly limits: GateLimits;
  readonly threshold?: number;
  /** Whether a model over the limits is written all the same. */
  readonly isForced?: boolean;
  readonly threads?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (what: string) => void;
}

export interface Exported {
  readonly precision: Precision;
  readonly file: string;
  readonly bytes: number;
  /** `null` for float32, which the others are held against. */
  readonly gate: Gate | null;
  /** Weights that stayed float32 because they cost too much. */
  readonly kept: readonly string[];
  /** What lies over its limit, where the file was forced. */
  readonly failures: readonly string[];
}

/** What `harmaug export --json` prints of a file. */
export function exportedAsJson({ precision, file, bytes, gate, kept, failures: over }: Exported) {
  const checked = gate && { max_difference: gate.difference, flips: gate.flips, auprc_drop: gate.auprcDrop };
  return { dtype: precision, file, bytes, gate: checked, kept_float32: kept, over_limits: over };
}

const MOST_TOKENS = 512; // of a text that is checked
const SENSITIVITY_TEXTS = 64;

/** @throws ConfigError where a model stays over the limits whatever is kept, and it is not forced */
export async function exportGuard(folder: string, options: ExportOptions): Promise<Exported[]> {
  const { out = folder, onProgress = () => {}, limits, threshold = 0.5 } = options;
  const { json, model, weights, tokenizerFiles } = await loadWeights(folder, { head: 'sequence-classification' });
  const sign = unsafeIndex(json, model.config.labels, folder) === 1 ? 1 : -1;
  const record = await withProjectedTables(inferenceModel(model, weights), options);
  const encoded = await encode(folder, options.rows, model.config.maxLength);
  const labels = options.rows.map(
    ({ label, softLabel }) => label ?? (softLabel === undefined ? null : softLabel > 0.5 ? 1 : 0),
  );
  const measure = async (candidate: ModelRecord, texts = encoded): Promise<Float64Array> => {
    options.signal?.throwIfAborted();
    const session = await createSession(candidate, options.threads === undefined ? {} : { threads: options.threads });
    const { classify, release } = classifyWith(session);
    try {
      const { margins } = await scoreEncoded(
        classify,
        texts,
        model.config,
        options.signal ? { signal: options.signal } : {},
      );
      return margins.map((margin) => sign * margin);
    } finally {
      await release();
    }
  };
  await mkdir(path.join(out, 'onnx'), { recursive: true });
  const isElsewhere = path.resolve(out) !== path.resolve(folder);
  if (isElsewhere) await copySettings(folder, out, tokenizerFiles.keys());
  const needsReference = options.precisions.some((name) => precisions[name].quantization !== null);
  if (needsReference) onProgress('float32');
  const reference = needsReference ? await measure(record) : new Float64Array(0);
  const trained = await readRanges(folder);
  const needsRanges = !trained && encoded.length > 0 && options.precisions.includes('int8');
  if (needsRanges) onProgress('ranges of activations');
  const measured = needsRanges ? await measureRanges(record, encoded, model.config, options) : new Map();
  const { ranges, floats } = trained ? trainedBytes(record, trained) : { ranges: measured, floats: [] };
  const exported: Exported[] = [];
  for (const precision of options.precisions) {
    const { file, quantization } = precisions[precision];
    const target = path.join(out, 'onnx', file);
    const check = (margins: Float64Array) => compareMargins(reference, margins, labels, threshold);
    const made =
      quantization === null
        ? { model: record, gate: null, kept: [], failures: [] }
        : await shrink(record, quantization, {
            ...{ encoded, ranges, limits, measure, check, onProgress, name: precision },
            floats: quantization === 'int8' ? floats : [],
          });
    if (made.failures.length > 0 && !options.isForced) {
      throw new ConfigError(
        `${precision} of ${folder}: ${made.failures.join('; ')}, with half of the weights in float32. ` +
          'Nothing was written. Raise the limit, or write it all the same with --force.',
      );
    }
    onProgress(`writing ${file}`);
    await writeModelFile(target, made.model);
    const { gate, kept, failures: over } = made;
    exported.push({ precision, file: target, bytes: (await stat(target)).size, gate, kept, failures: over });
  }
  return exported;
}

async function encode(folder: string, rows: readonly Row[], longest: number | null): Promise<EncodedArrays[]> {
  if (rows.length === 0) return [];
  const pool = await TokenizerPool.open(folder);
  try {
    const texts = rows.map(({ prompt, response }) => (response === undefined ? prompt : ([prompt, response] as const)));
    return await pool.encodeBatch(texts, { maxLength: Math.min(longest ?? MOST_TOKENS, MOST_TOKENS) });
  } finally {
    await pool.dispose();
  }
}

async function copySettings(folder: string, out: string, tokenizerFiles: Iterable<string>): Promise<void> {
  const names = [...tokenizerFiles].filter((name) => (tokenizerFileNames as readonly string[]).includes(name));
  if (existsSync(path.join(folder, SETTINGS_FILE))) names.push(SETTINGS_FILE);
  for (const name of [...names, 'config.json']) await copyFile(path.join(folder, name), path.join(out, name));
}

interface ShrinkContext {
  readonly name: string;
  readonly encoded: readonly EncodedArrays[];
  readonly ranges: ReadonlyMap<string, ChannelRanges>;
  /** Weights that were floats while the others were trained in bytes. */
  readonly floats: readonly string[];
  readonly limits: GateLimits;
  readonly measure: (model: ModelRecord, texts?: EncodedArrays[]) => Promise<Float64Array>;
  readonly check: (margins: Float64Array) => Gate;
  readonly onProgress: (what: string) => void;
}

/**
 * The smaller model; where it lies over the limits, the weights that cost most stay float32: one, two, four and so on up
 * to half of them.
 */
async function shrink(record: ModelRecord, kind: Quantization, context: ShrinkContext) {
  const { name, ranges, floats, limits, measure, check, onProgress } = context;
  let kept: string[] = [];
  let ranking: string[] | null = null;
  for (;;) {
    const { model, quantized } = quantizeModel(record, { kind, kept: new Set([...floats, ...kept]), ranges });
    onProgress(kept.length === 0 ? name : `${name}, ${kept.length} weights in float32`);
    const gate = check(await measure(model));
    const over = failures(gate, limits);
    const most = Math.floor((quantized.length + kept.length) / 2);
    if (over.length === 0 || kept.length >= most) return { model, gate, kept, failures: over };
    ranking ??= await rankByCost(record, kind, quantized, context);
    kept = ranking.slice(0, Math.min(most, Math.max(1, 2 * kept.length)));
  }
}

/** Weights by what each alone does to the log-odds of some texts, the costliest first. */
async function rankByCost(
  record: ModelRecord,
  kind: Quantization,
  names: readonly string[],
  { name, encoded, ranges, floats, measure, onProgress }: ShrinkContext,
): Promise<string[]> {
  const step = Math.max(1, Math.floor(encoded.length / SENSITIVITY_TEXTS));
  const texts = encoded.filter((_, index) => index % step === 0).slice(0, SENSITIVITY_TEXTS);
  const reference = await measure(record, texts);
  const costs: { weight: string; cost: number }[] = [];
  for (const [index, weight] of names.entries()) {
    onProgress(`${name}: what weight ${index + 1} of ${names.length} costs`);
    const kept = new Set([...floats, ...names.filter((other) => other !== weight)]);
    const margins = await measure(quantizeModel(record, { kind, kept, ranges }).model, texts);
    const cost = margins.reduce((sum, margin, row) => sum + (margin - reference[row]!) ** 2, 0);
    costs.push({ weight, cost });
  }
  return costs.sort((a, b) => b.cost - a.cost).map(({ weight }) => weight);
}
