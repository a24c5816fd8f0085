/** `harmaug evaluate`: a guard, or scores that one gave, against labelled sets. */
import path from 'node:path';
import { FormatError } from 'onnx-grad';
import { benchmarkIds } from '../evaluate/benchmarks.ts';
import { compare } from '../evaluate/bootstrap.ts';
import { type Evaluation, type EvaluationSet, evaluate } from '../evaluate/evaluate.ts';
import { type Measured, measure } from '../evaluate/measure.node.ts';
import type { MetricName } from '../evaluate/metrics.ts';
import { rank } from '../evaluate/ranking.ts';
import { readScores, type ScoredRow, writeScores } from '../evaluate/scores-file.node.ts';
import { summarize } from '../evaluate/summary.ts';
import { openScorer } from '../scoring/open-scorer.node.ts';
import type { Scorer } from '../scoring/scorer.ts';
import { teacherScorer } from '../teachers/teacher-scorer.ts';
import { disguiseSet } from '../transforms/disguise-set.ts';
import { type CommandIo, type CommandResult, defineCommand } from './command.node.ts';
import { dataFlags } from './data-flags.node.ts';
import { formatEvaluations, formatSummary } from './evaluation-table.ts';
import { UsageError } from './flags.node.ts';
import { hubOptions } from './hub-options.node.ts';
import { openSet } from './open-set.node.ts';
import { formatTable } from './table.ts';
import { findTeacher, namesTeacher, teacherFlags } from './teacher-flags.node.ts';
import { checkTransforms, transformFlags } from './transform-flags.node.ts';

export const evaluateCommand = defineCommand({
  summary: 'measure a guard on labelled data',
  flags: {
    guard: {
      kind: 'texts',
      value: '<folder|id|onnx|family|recipe>',
      help: 'the guard to measure, a student or a teacher; several: mean and deviation',
    },
    scores: { kind: 'text', value: '<jsonl>', help: 'or scores it gave: id, score, label' },
    against: { kind: 'text', value: '<jsonl>', help: 'scores of another guard on the same rows: a paired test' },
    data: { kind: 'texts', value: '<file|benchmark>', help: 'files of labelled rows, or benchmarks by name' },
    saveScores: { kind: 'text', value: '<jsonl>', help: 'where the scores of every row go' },
    threshold: { kind: 'number', help: 'score from which a row counts as unsafe; the guard’s own' },
    maxLength: { kind: 'number', help: 'tokens of a text or pair; what the model has positions for' },
    resamples: { kind: 'number', help: 'of the bootstrap behind the intervals; 1000' },
    threads: { kind: 'number', help: 'of the CPU; all cores' },
    ...dataFlags,
    ...transformFlags,
    ...teacherFlags,
  },
  notes: `Benchmarks, fetched from their home: ${benchmarkIds.join(', ')}.
Each file is a set of its own, named after it, and so is each in a disguise. Intervals hold 95% of the resamples.
A teacher is named as for "harmaug score"; rows for which it gives no verdict are left out and counted.

  harmaug evaluate --guard guard --data xstest openai_moderation my-test.jsonl --save-scores scores.jsonl
  harmaug evaluate --guard guards/seed-42 guards/seed-123 guards/seed-456 --data xstest
  harmaug evaluate --guard guard --data xstest --transform caesar:3 base64
  harmaug evaluate --guard wildguard --endpoint http://localhost:8000/v1 --model allenai/wildguard --data xstest
  harmaug evaluate --scores one.jsonl --against other.jsonl`,

  async run(values, io) {
    if ((values.guard === undefined) === (values.scores === undefined)) {
      throw new UsageError('Give either --guard or --scores.');
    }
    if (values.scores === undefined && values.against !== undefined) throw new UsageError('--against needs --scores.');
    if (values.scores !== undefined) {
      return values.against === undefined
        ? evaluateScores(values.scores, values)
        : compareScores(values.scores, values.against, values);
    }
    if (values.data === undefined) throw new UsageError('--data is missing: files of labelled rows, or benchmarks.');
    const sets: EvaluationSet[] = [];
    const transforms = checkTransforms(values.transform);
    for (const name of values.data) {
      const set = await openSet(name, values, io);
      sets.push(set);
      for (const spec of transforms) sets.push(await disguiseSet(set, spec));
    }
    const guards: GuardEvaluation[] = [];
    for (const [index, name] of values.guard!.entries()) {
      const scorer = namesTeacher(name)
        ? teacherScorer(await findTeacher(name, values, io, '--guard'))
        : await openScorer(name, {
            ...(values.maxLength ? { maxLength: values.maxLength } : {}),
            ...(values.threads ? { threads: values.threads } : {}),
            hub: hubOptions(io),
          });
      const saveScores = values.saveScores && numbered(values.saveScores, index, values.guard!.length);
      try {
        guards.push({
          guard: name,
          about: scorer.about,
          sets: await evaluateSets(scorer, sets, { ...values, saveScores }, io),
        });
      } finally {
        await scorer.dispose();
      }
    }
    const [only] = guards;
    if (guards.length === 1) return { json: only, text: formatEvaluations(only!.sets) };
    const summary = summarize(guards.map(({ sets: evaluations }) => evaluations));
    return { json: { guards, summary }, text: formatSummary(summary) };
  },
});

interface GuardEvaluation {
  readonly guard: string;
  readonly about: Scorer['about'];
  readonly sets: readonly Evaluation[];
}

/** scores.jsonl, or with several guards scores-1.jsonl, scores-2.jsonl. */
function numbered(file: string, index: number, count: number): string {
  const { dir, name, ext } = path.parse(file);
  return count === 1 ? file : path.join(dir, `${name}-${index + 1}${ext}`);
}

interface Options {
  readonly threshold: number | undefined;
  readonly resamples: number | undefined;
  readonly saveScores: string | undefined;
}

const bootstrapOf = ({ resamples }: Options) => (resamples === undefined ? {} : { resamples });

async function evaluateScores(file: string, options: Options): Promise<CommandResult> {
  const rows = await readScores(file);
  const set: EvaluationSet = {
    id: path.basename(file, '.jsonl'),
    version: null,
    rows: rows.map(({ id, label }) => ({ id, prompt: id, label })),
    skipped: {},
  };
  const evaluation = evaluate(set, rows, options.threshold ?? 0.5, bootstrapOf(options));
  const sets = [{ ...evaluation, slices: [] }];
  return { json: { scores: file, sets }, text: formatEvaluations(sets) };
}

/** The first guard's figures less the second's, where both have a meaning. */
async function compareScores(file: string, otherFile: string, options: Options): Promise<CommandResult> {
  const [rows, others] = [await readScores(file), await readScores(otherFile)];
  const byId = new Map(others.map((row) => [row.id, row]));
  const missing = rows.find(({ id }) => !byId.has(id));
  if (missing || rows.length !== others.length) {
    const problem = missing ? `has no row "${missing.id}"` : `has ${others.length} rows, not ${rows.length}`;
    throw new FormatError(`${otherFile} ${problem}. A paired test needs the same rows.`, { file: otherFile });
  }
  const ranked = (list: readonly Pick<ScoredRow, 'score' | 'label'>[]) =>
    rank(
      list.map(({ score }) => score),
      list.map(({ label }) => label),
    );
  const [first, second] = [ranked(rows), ranked(rows.map(({ id }) => byId.get(id)!))];
  const at = { threshold: options.threshold ?? 0.5 };
  const differences = compared.map((metric) => {
    return { metric, ...compare(first, second, metric, [at, at], bootstrapOf(options)) };
  });
  const table = differences.map(({ metric, value, low, high, pValue }) => [metric, value, low, high, pValue]);
  const text = formatTable(['metric', 'difference', 'low', 'high', 'p'], table);
  return { json: { scores: file, against: otherFile, rows: rows.length, differences }, text };
}

const compared: readonly MetricName[] = ['auprc', 'auroc', 'f1', 'recall', 'fpr'];

async function evaluateSets(
  scorer: Scorer,
  sets: readonly EvaluationSet[],
  options: Options,
  io: CommandIo,
): Promise<Evaluation[]> {
  const found: Measured[] = [];
  for (const set of sets) {
    found.push(
      await measure(scorer, set, {
        ...bootstrapOf(options),
        ...(options.threshold === undefined ? {} : { threshold: options.threshold }),
        signal: io.signal,
        onProgress: (done) => io.progress(`${set.id}: ${done} of ${set.rows.length} rows`),
        onScored: () => io.progress(`${set.id}: resampling`),
      }),
    );
  }
  if (options.saveScores) {
    const named = found.flatMap(({ evaluation: { set }, scored }) =>
      scored.map((row) => (sets.length === 1 ? row : { ...row, id: `${set}/${row.id}` })),
    );
    await writeScores(options.saveScores, named);
  }
  return found.map(({ evaluation }) => evaluation);
}
