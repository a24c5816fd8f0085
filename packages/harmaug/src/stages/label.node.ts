/** Label: every teacher's verdict on every row, and from them p(unsafe) and marks. */
import { hasCall, saidOf } from '../ledger/calls.node.ts';
import type { Said } from '../ledger/records.ts';
import { currentPairs, type Judgeable, LabelDraft, type LabelRow } from '../ledger/sets.node.ts';
import { openTeacher } from '../teachers/create.node.ts';
import type { Teacher } from '../teachers/teacher.ts';
import { incompleteNote, labelSettings, requirePairs } from './chain.node.ts';
import { type StageContext, type StageOptions, withContext } from './context.node.ts';
import { type Judges, type Judging, judgesOf, verdictKey } from './judging.node.ts';
import { markRow } from './marks.ts';
import { need } from './pipeline.node.ts';
import { mostTokens } from './prices.ts';
import { type Job, type Lane, runCalls } from './run-calls.node.ts';
import { type StageResult, Tally } from './stage.ts';

const POLICY_TOKENS = 4096; // of a guard's own prompt, at most
const VERDICT_TOKENS = 64;
const BATCH_ROWS = 500; // of a transaction

/**
 * Makes the calls that are missing and publishes the labels of all rows that have them.
 * @throws ConfigError without pairs, or with those of other instructions; else as generate
 */
export function label(options: StageOptions): Promise<StageResult> {
  return withContext(options, async (context) => {
    const { pipeline, ledger, writer, spending, signal, onProgress } = context;
    const input = requirePairs(pipeline, ledger);
    const note = incompleteNote(ledger, 'respond');
    if (note !== null) context.onNote?.(note);
    const judges = await judgesOf(pipeline);
    const tally = new Tally();
    const opened: Teacher[] = [];
    let [reused, total] = [0, 0];
    try {
      const lanes: Lane[] = [];
      for (const judging of judges.teachers) {
        const missing = countMissing(context, judging);
        reused += missing.rows - missing.all;
        total += missing.mine;
        if (missing.mine === 0) continue;
        const teacher = await open(context, judging);
        opened.push(teacher);
        lanes.push({ concurrency: teacher.concurrency, jobs: jobsOf(context, judging, teacher) });
      }
      const calls = await runCalls(lanes, {
        ...{ stage: 'label', writer, budget: spending, signal },
        ...tally.watch({ stage: 'label', round: 1, total }, onProgress, ({ answer }) => {
          return answer !== null && 'reason' in answer ? answer.reason : null;
        }),
      });
      const labels = await publish(context, judges, input);
      const isComplete = labels.missing === 0;
      const isForOthers = context.shard !== undefined && !isComplete && calls.failed === 0;
      return {
        ...{ stage: 'label', made: calls.made, reused, failed: calls.failed, lastFailure: calls.lastFailure },
        ...tally.taken,
        isComplete,
        stopped: calls.stopped ?? (isForOthers ? 'shard' : null),
        ...{ kept: labels.labelled, wanted: labels.rows, reasons: labels.reasons },
        facts: { unsafe: labels.unsafe, boundary: labels.boundary, disputed: labels.disputed },
      };
    } finally {
      for (const teacher of opened) await teacher.dispose();
    }
  });
}

function open({ pipeline, env }: StageContext, { name, config }: Judging): Promise<Teacher> {
  return openTeacher(config, { name, env, models: pipeline.models, folder: pipeline.folder });
}

/** Rows to be judged, in order. */
export function* rowsToJudge({
  ledger,
  limit = Number.POSITIVE_INFINITY,
}: Pick<StageOptions, 'ledger' | 'limit'>): Generator<Judgeable> {
  let count = 0;
  for (const row of currentPairs(ledger)) {
    if (count++ >= limit) return;
    yield row;
  }
}

function countMissing(context: StageContext, judging: Judging) {
  let [rows, all, mine] = [0, 0, 0];
  for (const row of rowsToJudge(context)) {
    rows += 1;
    const key = verdictKey(row, judging);
    if (hasCall(context.ledger, key)) continue;
    all += 1;
    if (context.isMine(key)) mine += 1;
  }
  return { rows, all, mine };
}

function* jobsOf(context: StageContext, judging: Judging, teacher: Teacher): Generator<Job> {
  for (const row of rowsToJudge(context)) {
    const key = verdictKey(row, judging);
    if (!context.isMine(key) || hasCall(context.ledger, key)) continue;
    const { prompt, response } = row;
    const texts = [prompt, response ?? ''];
    yield {
      key,
      model: judging.name,
      price: judging.price,
      most: {
        promptTokens: judging.questions * mostTokens(texts, POLICY_TOKENS),
        completionTokens: judging.questions * VERDICT_TOKENS,
      },
      call: async (signal) => {
        const verdict = await teacher.judge({ id: row.id, prompt, ...(response === null ? {} : { response }) }, signal);
        const { usage } = verdict;
        if (verdict.kind === 'abstained') return { answer: { reason: verdict.reason }, usage };
        const { score, logOdds, category } = verdict;
        return { answer: { score, logOdds, category }, usage };
      },
    };
  }
}

/** Labels of the rows that every teacher has judged. A shard decides nothing. */
async function publish(context: StageContext, { name, teachers, minimum }: Judges, input: string) {
  const { ledger, pipeline, shard } = context;
  const marks = need(pipeline, 'label');
  const draft = shard === undefined ? new LabelDraft(ledger) : null;
  const reasons: Record<string, number> = {};
  let [rows, missing, labelled, unsafe, boundary, disputed] = [0, 0, 0, 0, 0, 0];
  let batch: LabelRow[] = [];
  for (const row of rowsToJudge(context)) {
    rows += 1;
    const said = teachers.map((judging) => saidOf(ledger, verdictKey(row, judging)));
    if (!isWhole(said)) {
      missing += 1;
      continue;
    }
    const marked = await markRow(said, minimum, marks);
    if (marked.reason !== null) reasons[marked.reason] = (reasons[marked.reason] ?? 0) + 1;
    else labelled += 1;
    if ((marked.softLabel ?? 0) > 0.5) unsafe += 1;
    if (marked.isBoundary) boundary += 1;
    if (marked.isDisputed) disputed += 1;
    batch.push({ pair: row.id, ...marked, teacher: name });
    if (batch.length < BATCH_ROWS) continue;
    draft?.add(batch);
    batch = [];
  }
  draft?.add(batch);
  const facts = { rows, labelled, unsafe, boundary, disputed, reasons, teacher: name };
  draft?.publish({ settings: await labelSettings(pipeline), input, isComplete: missing === 0, facts });
  return { ...facts, missing };
}

function isWhole(said: readonly (Said | null)[]): said is readonly Said[] {
  return !said.includes(null);
}
