/** Respond: a refusal and a compliant response to every instruction, and the instruction alone. */
import { hasCall, writtenOf } from '../ledger/calls.node.ts';
import { hashKey, seedOf } from '../ledger/key.node.ts';
import type { Ledger } from '../ledger/ledger.node.ts';
import type { Written } from '../ledger/records.ts';
import { currentInstructions, type InstructionRow, type PairRow, publishPairs } from '../ledger/sets.node.ts';
import type { Provider } from '../providers/provider.ts';
import { type Answering, responders, responseKey } from './answering.node.ts';
import { incompleteNote, requireInstructions, respondSettings } from './chain.node.ts';
import { type StageContext, type StageOptions, withContext } from './context.node.ts';
import { callsAtOnce, requirePrefix } from './models.node.ts';
import { need } from './pipeline.node.ts';
import { mostTokens } from './prices.ts';
import { conversation } from './prompts.ts';
import { readResponse } from './response.ts';
import { type Job, type Lane, runCalls } from './run-calls.node.ts';
import { samplingFields } from './sampling.ts';
import { type StageResult, Tally } from './stage.ts';

/** Instructions that are responded to: all but those that were imported with a response. */
export function* instructionsToAnswer(ledger: Ledger, limit = Number.POSITIVE_INFINITY): Generator<InstructionRow> {
  let count = 0;
  for (const row of currentInstructions(ledger)) {
    if (row.about.isPaired === true) continue;
    if (count++ >= limit) return;
    yield row;
  }
}

/**
 * Makes the calls that are missing and publishes the pairs that are there. A shard makes its part of the calls.
 * @throws ConfigError without instructions, or with those of other settings; else as generate
 */
export function respond(options: StageOptions): Promise<StageResult> {
  return withContext(options, async (context) => {
    const { pipeline, ledger, writer, spending, signal, onProgress } = context;
    const input = requireInstructions(pipeline, ledger);
    const note = incompleteNote(ledger, 'generate');
    if (note !== null) context.onNote?.(note);
    const answering = responders(pipeline);
    const tally = new Tally();
    const lanes: Lane[] = [];
    let [reused, total, instructions] = [0, 0, 0];
    for (const _ of instructionsToAnswer(ledger, options.limit)) instructions += 1;
    for (const own of answering) {
      const missing = countMissing(context, own);
      reused += instructions - missing.all;
      total += missing.mine;
      if (missing.mine > 0) lanes.push(await openLane(context, own));
    }
    const calls = await runCalls(lanes, {
      ...{ stage: 'respond', writer, budget: spending, signal },
      ...tally.watch({ stage: 'respond', round: 1, total }, onProgress, ({ answer }) => {
        return readResponse(answer as Written, null).reason;
      }),
    });
    const found = tallyPairs(context, answering);
    const isComplete = found.missing === 0;
    if (context.shard === undefined) {
      const facts = { ...found, responders: answering.map(({ kind, named }) => ({ kind, model: named.name })) };
      const set = { settings: respondSettings(pipeline), input, isComplete, facts };
      publishPairs(ledger, pairsOf(context, answering), set);
    }
    const isForOthers = context.shard !== undefined && !isComplete && calls.failed === 0;
    return {
      ...{ stage: 'respond', made: calls.made, reused, failed: calls.failed, lastFailure: calls.lastFailure },
      ...tally.taken,
      isComplete,
      stopped: calls.stopped ?? (isForOthers ? 'shard' : null),
      ...{ kept: found.kept, wanted: found.wanted, reasons: found.reasons },
      facts: { refusals: found.refusals, cut: found.cut, compliant_refusals: found.compliantRefusals },
    };
  });
}

function countMissing({ ledger, limit, isMine }: StageContext, answering: Answering) {
  let [all, mine] = [0, 0];
  for (const { text } of instructionsToAnswer(ledger, limit)) {
    const key = responseKey(text, answering);
    if (hasCall(ledger, key)) continue;
    all += 1;
    if (isMine(key)) mine += 1;
  }
  return { all, mine };
}

async function openLane(context: StageContext, answering: Answering): Promise<Lane> {
  const { named, prefix } = answering;
  const provider = await context.models.open(named);
  if (prefix !== null) await requirePrefix(named, provider, context.writer, context.signal);
  return { concurrency: callsAtOnce(named.config), jobs: jobsOf(context, answering, provider) };
}

function* jobsOf({ ledger, limit, isMine }: StageContext, answering: Answering, provider: Provider): Generator<Job> {
  const { named, system, prefix, sampling } = answering;
  for (const { text: instruction } of instructionsToAnswer(ledger, limit)) {
    const key = responseKey(instruction, answering);
    if (!isMine(key) || hasCall(ledger, key)) continue;
    const messages = conversation(system, instruction);
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

/** The rows of every instruction, in order; those whose call has no answer yet are left out. */
function* pairsOf({ ledger, limit, pipeline }: StageContext, answering: readonly Answering[]): Generator<PairRow> {
  const { promptOnly } = need(pipeline, 'respond');
  for (const { id: instruction, text, about } of instructionsToAnswer(ledger, limit)) {
    if (promptOnly) {
      const { softLabel = null, label = null } = about as { softLabel?: number | null; label?: number | null };
      yield {
        ...{ id: hashKey([instruction, 'prompt']), instruction, responseKind: 'prompt', response: null, state: 'kept' },
        ...{ reason: null, model: null, call: null, isRefusal: null, isCut: null, softLabel, label },
      };
    }
    for (const own of answering) {
      const call = responseKey(text, own);
      const written = writtenOf(ledger, call);
      if (written === null) continue;
      const response = readResponse(written, own.prefix);
      yield {
        ...{ id: hashKey([instruction, own.kind, call]), instruction, responseKind: own.kind, response: response.text },
        ...{
          state: response.reason === null ? 'kept' : 'rejected',
          reason: response.reason,
          model: own.named.name,
          call,
        },
        ...{ isRefusal: response.isRefusal, isCut: response.isCut },
      };
    }
  }
}

function tallyPairs(context: StageContext, answering: readonly Answering[]) {
  const { promptOnly } = need(context.pipeline, 'respond');
  const reasons: Record<string, number> = {};
  let [wanted, there, kept, refusals, compliantRefusals, cut] = [0, 0, 0, 0, 0, 0];
  for (const _ of instructionsToAnswer(context.ledger, context.limit)) wanted += answering.length + Number(promptOnly);
  for (const { reason, isRefusal: refuses, isCut, responseKind } of pairsOf(context, answering)) {
    there += 1;
    if (reason !== null) reasons[reason] = (reasons[reason] ?? 0) + 1;
    else kept += 1;
    if (refuses) refusals += 1;
    if (refuses && responseKind === 'compliant') compliantRefusals += 1;
    if (isCut) cut += 1;
  }
  return { wanted, missing: wanted - there, kept, reasons, refusals, compliantRefusals, cut };
}
