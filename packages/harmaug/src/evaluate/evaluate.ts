/** One guard on one set: figures with intervals, slices, and what they were measured on. */
import { ConfigError } from 'onnx-grad';
import type { Row } from '../data/row.ts';
import { hashText } from '../dedup/hash.ts';
import type { Score } from '../scoring/scorer.ts';
import { type BootstrapOptions, type Estimate, estimate } from './bootstrap.ts';
import { type MetricName, metricNames, metrics, type ReliabilityBin, reliability } from './metrics.ts';
import { curveOf, rank } from './ranking.ts';

export interface EvaluationSet {
  readonly id: string;
  /** Of a public benchmark; `null` for a file of one's own. */
  readonly version: number | null;
  readonly rows: readonly Row[];
  /** Records left out in reading, by reason. */
  readonly skipped: Readonly<Record<string, number>>;
}

export interface Slice {
  readonly by: 'source' | 'category' | 'length';
  readonly name: string;
  readonly rows: number;
  readonly unsafe: number;
  readonly f1: number | null;
  readonly auprc: number | null;
  readonly recall: number | null;
  readonly fpr: number | null;
}

export interface Evaluation {
  readonly set: string;
  readonly version: number | null;
  /** Of the rows judged: figures compare only where it is the same. */
  readonly hash: string;
  readonly rows: number;
  readonly unsafe: number;
  readonly skipped: Readonly<Record<string, number>>;
  readonly truncated: number;
  /** Rows whose prompt the guard learned from; `null` where that is not known. */
  readonly seenInTraining: number | null;
  readonly threshold: number;
  readonly metrics: Readonly<Record<MetricName, Estimate>>;
  readonly reliability: readonly ReliabilityBin[];
  readonly slices: readonly Slice[];
}

const SMALLEST_SLICE = 20; // rows; a share of fewer says little
const LENGTHS = [100, 500, 2000]; // characters of prompt and response

/** @param scores one a row. @throws ConfigError for a row without a label, named by its id */
export function evaluate(
  { id, version, rows, skipped }: EvaluationSet,
  scores: readonly Score[],
  threshold: number,
  { seenInTraining = null, ...options }: BootstrapOptions & { seenInTraining?: number | null } = {},
): Evaluation {
  const labels = rows.map(labelOf);
  const values = scores.map(({ score }) => score);
  const ranking = rank(values, labels);
  return {
    set: id,
    version,
    hash: hashOfRows(rows, labels),
    rows: rows.length,
    unsafe: labels.filter((label) => label === 1).length,
    skipped,
    truncated: scores.filter(({ isTruncated }) => isTruncated).length,
    seenInTraining,
    threshold,
    metrics: estimate(ranking, metricNames, { threshold }, options),
    reliability: reliability(curveOf(ranking)),
    slices: slicesOf(rows, values, labels, threshold),
  };
}

/** 64 bits over prompts, responses and labels, whatever their order, ids and sources. */
function hashOfRows(rows: readonly Row[], labels: readonly (0 | 1)[]): string {
  const halves = [1, 2].map((seed) =>
    rows.reduce((sum, { prompt, response }, row) => {
      const ofPrompt = hashText(prompt, 0, prompt.length, seed + 2 * labels[row]!);
      const hash = response === undefined ? ofPrompt : hashText(response, 0, response.length, ofPrompt);
      return (sum + hash) >>> 0;
    }, 0),
  );
  return halves.map((half) => half.toString(16).padStart(8, '0')).join('');
}

/** The hard label, or the soft one's side of a half. */
function labelOf({ id, label, softLabel }: Row): 0 | 1 {
  if (label !== undefined) return label;
  if (softLabel === undefined) throw new ConfigError(`Row "${id}" has no label to evaluate against.`);
  return softLabel > 0.5 ? 1 : 0;
}

function slicesOf(
  rows: readonly Row[],
  scores: readonly number[],
  labels: readonly (0 | 1)[],
  threshold: number,
): Slice[] {
  const groupings: [Slice['by'], (row: Row) => string | undefined][] = [
    ['source', ({ source }) => source],
    ['category', ({ category }) => category],
    ['length', lengthBand],
  ];
  return groupings.flatMap(([by, nameOf]) => {
    const groups = new Map<string, number[]>();
    rows.forEach((row, index) => {
      const name = nameOf(row);
      if (name === undefined) return;
      const members = groups.get(name);
      if (members) members.push(index);
      else groups.set(name, [index]);
    });
    if (groups.size < 2) return []; // the set itself
    return [...groups]
      .filter(([, members]) => members.length >= SMALLEST_SLICE)
      .map(([name, members]) => {
        const ofSlice = members.map((index) => labels[index]!);
        const curve = curveOf(
          rank(
            members.map((index) => scores[index]!),
            ofSlice,
          ),
        );
        const figure = (metric: MetricName) => metrics[metric](curve, { threshold });
        const unsafe = ofSlice.filter((label) => label === 1).length;
        const [f1, auprc, recall, fpr] = [figure('f1'), figure('auprc'), figure('recall'), figure('fpr')];
        return { by, name, rows: members.length, unsafe, f1, auprc, recall, fpr };
      });
  });
}

function lengthBand({ prompt, response = '' }: Row): string {
  const length = prompt.length + response.length;
  const most = LENGTHS.find((limit) => length <= limit);
  return most === undefined ? `over ${LENGTHS.at(-1)} characters` : `up to ${most} characters`;
}
