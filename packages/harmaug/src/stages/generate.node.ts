/**
 * Generate: instructions of every cell until it is full. Rounds of calls, then a decision on each candidate in the order
 * of the plan. The set follows from the recorded calls alone, so a run that was stopped and resumed any number of times
 * comes to the same.
 */
import path from 'node:path';
import { hasCall } from '../ledger/calls.node.ts';
import { seedOf } from '../ledger/key.node.ts';
import type { Written } from '../ledger/records.ts';
import { InstructionDraft } from '../ledger/sets.node.ts';
import type { Provider } from '../providers/provider.ts';
import { candidateOf } from './candidates.node.ts';
import { generateSettings } from './chain.node.ts';
import { type StageContext, type StageOptions, withContext } from './context.node.ts';
import { Decisions } from './decisions.node.ts';
import type { Embedder } from './embedder.node.ts';
import { answerRules, openSelection, readSeedRows } from './filters.node.ts';
import { callsAtOnce, requirePrefix } from './models.node.ts';
import { type GeneratePlan, nextRound, planGenerate, type Round, type Writer } from './plan-generate.node.ts';
import { mostTokens } from './prices.ts';
import { type CallsResult, type Job, type Lane, runCalls } from './run-calls.node.ts';
import { samplingFields } from './sampling.ts';
import { type AnswerRules, readInstruction } from './selection.ts';
import { type StageResult, Tally } from './stage.ts';

/**
 * Makes the calls that are missing and publishes the set as far as it is decided. A shard makes its part of the calls of
 * the round at hand and decides nothing.
 * @throws ConfigError, FormatError, ProviderError or LedgerError; what was answered before is recorded
 */
export function generate(options: StageOptions): Promise<StageResult> {
  return withContext(options, async (context) => {
    const { pipeline, ledger } = context;
    const seedRows = await readSeedRows(pipeline);
    const plan = planGenerate(pipeline, seedRows, options.limit);
    const embedder = await openEmbedderOf(context);
    try {
      const rules = await answerRules(pipeline);
      const selection = await openSelection(context, seedRows, embedder);
      const draft = options.shard === undefined ? new InstructionDraft(ledger) : null;
      const decisions = new Decisions({ plan, selection, rules, embedder, ledger, draft });
      const result = await makeRounds(context, plan, decisions);
      const { isComplete } = result;
      draft?.publish({ settings: generateSettings(pipeline), input: '', isComplete, facts: decisions.facts });
      return result;
    } finally {
      await embedder?.dispose();
    }
  });
}

/** `null` where the recipe compares no meanings; the engine for it is loaded only then. */
async function openEmbedderOf({ pipeline: { filters, folder }, ledger }: StageContext): Promise<Embedder | null> {
  if (filters.embeddings === undefined) return null;
  const { encoder, maxLength } = filters.embeddings;
  const { openEmbedder } = await import('./embedder.node.ts');
  return openEmbedder(path.resolve(folder, encoder), { maxLength, ledger });
}

async function makeRounds(context: StageContext, plan: GeneratePlan, decisions: Decisions): Promise<StageResult> {
  const tally = new Tally();
  let [made, reused] = [0, 0];
  let calls = NO_CALLS;
  let end: 'complete' | 'short' | 'others' = 'short';
  for (let number = 1; end === 'short' && calls.failed === 0 && calls.stopped === null; number++) {
    const round = nextRound(plan, decisions.progress, number);
    if (round === null) {
      end = 'complete';
      break;
    }
    const missing = [...round.keys.keys()].filter((at) => !hasCall(context.ledger, round.keys[at]!));
    const mine = missing.filter((at) => context.isMine(round.keys[at]!));
    reused += round.keys.length - missing.length;
    calls = mine.length === 0 ? NO_CALLS : await callRound(context, plan, round, mine, tally, decisions.rules);
    made += calls.made;
    const areAllThere = await decisions.decide(round);
    if (!areAllThere && mine.length < missing.length) end = 'others'; // the rest is not for us to ask
  }
  return {
    ...{ stage: 'generate', made, reused, failed: calls.failed, lastFailure: calls.lastFailure },
    ...tally.taken,
    isComplete: end === 'complete',
    stopped: calls.stopped ?? (end === 'others' && context.shard ? 'shard' : null),
    ...{ kept: decisions.kept, wanted: plan.wanted, reasons: decisions.reasons, facts: decisions.facts },
  };
}

const NO_CALLS: CallsResult = { made: 0, failed: 0, stopped: null, lastFailure: null };

async function callRound(
  context: StageContext,
  plan: GeneratePlan,
  round: Round,
  missing: readonly number[],
  tally: Tally,
  rules: AnswerRules,
): Promise<CallsResult> {
  const { models, writer, spending, signal, onProgress } = context;
  const lanes: Lane[] = [];
  for (const writing of [plan.writers.harmful, plan.writers.benign]) {
    if (writing === null) continue;
    const own = missing.filter((at) => plan.writers[plan.cells[round.cells[at]!]!.kind] === writing);
    if (own.length === 0) continue;
    const provider = await models.open(writing.named);
    if (writing.prefix !== null) await requirePrefix(writing.named, provider, writer, signal);
    lanes.push({ concurrency: callsAtOnce(writing.named.config), jobs: jobsOf(plan, round, own, writing, provider) });
  }
  const of = { stage: 'generate', round: round.number, total: missing.length } as const;
  return runCalls(lanes, {
    ...{ stage: 'generate', writer, budget: spending, signal },
    ...tally.watch(of, onProgress, ({ answer }) => readInstruction(answer as Written, rules).reason),
  });
}

function* jobsOf(
  { cells }: GeneratePlan,
  round: Round,
  places: readonly number[],
  writing: Writer,
  provider: Provider,
): Generator<Job> {
  const { named, prefix, sampling } = writing;
  for (const at of places) {
    const { key, messages } = candidateOf(cells[round.cells[at]!]!, writing, round.numbers[at]!);
    const texts = [...messages.map(({ content }) => content), prefix ?? ''];
    yield {
      key,
      model: named.name,
      price: named.price,
      most: { promptTokens: mostTokens(texts), completionTokens: sampling.maxTokens },
      call: async (signal) => {
        const { text, finishReason, usage } = await provider.generate({
          ...{ id: key, input: { kind: 'chat', messages }, seed: seedOf(key), signal },
          ...(prefix === null ? {} : { prefix }),
          ...samplingFields(sampling),
        });
        return { answer: { text, finish: finishReason }, usage };
      },
    };
  }
}
