/** What a stage would call, and about what it would take. No model is asked. */
import { hasCall, meanUsage } from '../ledger/calls.node.ts';
import type { Stage, Tokens } from '../ledger/records.ts';
import { setOf } from '../ledger/sets.node.ts';
import { responders, responseKey } from './answering.node.ts';
import { candidateOf } from './candidates.node.ts';
import { requireInstructions, requirePairs } from './chain.node.ts';
import type { StageOptions } from './context.node.ts';
import { Decisions } from './decisions.node.ts';
import { answerRules, openSelection, readSeedRows } from './filters.node.ts';
import { judgesOf, verdictKey } from './judging.node.ts';
import { rowsToJudge } from './label.node.ts';
import { need } from './pipeline.node.ts';
import { nextRound, planGenerate, type Round } from './plan-generate.node.ts';
import { costOf, estimateTokens, type Price } from './prices.ts';
import { instructionsToAnswer } from './respond.node.ts';

export interface PlannedCalls {
  readonly model: string;
  /** To be made next. */
  readonly calls: number;
  /** With all further rounds, should most candidates be rejected. */
  readonly mostCalls: number;
  /** Of `calls`. */
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cost: number | null;
  /** What the tokens are estimated from: calls of this model so far, the texts, or what earlier stages will give. */
  readonly basis: 'calls' | 'texts' | 'expected';
}

const GUARD_PROMPT_TOKENS = 600; // Llama Guard's list of categories and its frame
const VERDICT_TOKENS = 4;
const EXPECTED_CHARACTERS = { instruction: 120, response: 800 };

interface Group {
  readonly model: string;
  readonly price: Price | null;
  readonly calls: number;
  readonly mostCalls?: number;
  /** Mean of a call, from its texts. */
  readonly usage: Tokens;
  readonly isExpected?: boolean;
}

export async function planStage(
  stage: Exclude<Stage, 'probe'>,
  options: StageOptions,
): Promise<readonly PlannedCalls[]> {
  const groups = await planners[stage](options);
  return groups.map(({ model, price, calls, mostCalls = calls, usage, isExpected = false }) => {
    const recorded = meanUsage(options.ledger, stage, model);
    const { promptTokens, completionTokens } = recorded ?? usage;
    const total = {
      promptTokens: Math.round(calls * promptTokens),
      completionTokens: Math.round(calls * completionTokens),
    };
    const basis = recorded ? 'calls' : isExpected ? 'expected' : 'texts';
    return { model, calls, mostCalls, ...total, cost: costOf(price, total), basis };
  });
}

const planners: Record<Exclude<Stage, 'probe'>, (options: StageOptions) => Promise<Group[]>> = {
  generate: planGenerateCalls,
  respond: async (options) => {
    const { pipeline, ledger, limit } = options;
    const own = responders(pipeline);
    const isMade = setOf(ledger, 'generate') !== null || pipeline.generate === undefined;
    if (!isMade) {
      const instructions = Math.min(await expectedInstructions(options), limit ?? Number.POSITIVE_INFINITY);
      const promptTokens = estimateTokens(EXPECTED_CHARACTERS.instruction);
      return own.map(({ named, sampling }) => {
        const usage = { promptTokens, completionTokens: sampling.maxTokens };
        return { model: named.name, price: named.price, calls: instructions, usage, isExpected: true };
      });
    }
    requireInstructions(pipeline, ledger);
    return own.map((answering) => {
      const mean = new Mean();
      for (const { text } of instructionsToAnswer(ledger, limit)) {
        if (hasCall(ledger, responseKey(text, answering))) continue;
        mean.add(text.length + (answering.system ?? '').length + (answering.prefix ?? '').length);
      }
      const usage = { promptTokens: estimateTokens(mean.value), completionTokens: answering.sampling.maxTokens };
      return { model: answering.named.name, price: answering.named.price, calls: mean.count, usage };
    });
  },
  label: async (options) => {
    const { pipeline, ledger, limit } = options;
    const { teachers } = await judgesOf(pipeline);
    const isMade = setOf(ledger, 'respond') !== null || pipeline.respond === undefined;
    if (isMade) requirePairs(pipeline, ledger);
    const expected = isMade ? null : await expectedRows(options);
    return teachers.map((judging) => {
      const mean = new Mean();
      if (expected === null) {
        for (const row of rowsToJudge(options)) {
          if (!hasCall(ledger, verdictKey(row, judging))) mean.add(row.prompt.length + (row.response ?? '').length);
        }
      }
      const calls = expected === null ? mean.count : Math.min(expected, limit ?? Number.POSITIVE_INFINITY);
      const characters =
        expected === null ? mean.value : EXPECTED_CHARACTERS.instruction + EXPECTED_CHARACTERS.response;
      const isFree = judging.config.family === 'classifier' || judging.config.family === 'openai-moderation';
      const promptTokens = isFree ? 0 : judging.questions * (estimateTokens(characters) + GUARD_PROMPT_TOKENS);
      const completionTokens = isFree ? 0 : judging.questions * VERDICT_TOKENS;
      const usage = { promptTokens, completionTokens };
      return { model: judging.name, price: judging.price, calls, usage, isExpected: expected !== null };
    });
  },
};

/** The next round that has calls to make; rounds that are recorded whole are decided on as in the run itself. */
async function planGenerateCalls(options: StageOptions): Promise<Group[]> {
  const seedRows = await readSeedRows(options.pipeline);
  const plan = planGenerate(options.pipeline, seedRows, options.limit);
  const round = await firstOpenRound();
  return [plan.writers.harmful, plan.writers.benign].flatMap((writing) => {
    if (writing === null) return [];
    const mean = new Mean();
    for (const [at, key] of round?.keys.entries() ?? []) {
      const cell = plan.cells[round!.cells[at]!]!;
      if (plan.writers[cell.kind] !== writing || hasCall(options.ledger, key)) continue;
      const { messages } = candidateOf(cell, writing, round!.numbers[at]!);
      mean.add(messages.reduce((sum, { content }) => sum + content.length, (writing.prefix ?? '').length));
    }
    const own = plan.cells.filter(({ kind }) => plan.writers[kind] === writing);
    const mostCalls = own.reduce((sum, { most }) => sum + most, 0);
    const usage = { promptTokens: estimateTokens(mean.value), completionTokens: writing.sampling.maxTokens };
    return [{ model: writing.named.name, price: writing.named.price, calls: mean.count, mostCalls, usage }];
  });

  async function firstOpenRound(): Promise<Round | null> {
    const none = plan.cells.map(() => ({ asked: 0, kept: 0 }));
    const first = nextRound(plan, none, 1);
    if (first === null || first.keys.some((key) => !hasCall(options.ledger, key))) return first;
    // meanings are left out: computing them is not a plan's business
    const selection = await openSelection(options, seedRows, null);
    const rules = await answerRules(options.pipeline);
    const decisions = new Decisions({ plan, selection, rules, embedder: null, ledger: options.ledger, draft: null });
    for (let number = 1; ; number++) {
      const round = nextRound(plan, decisions.progress, number);
      if (round === null || !(await decisions.decide(round))) return round;
    }
  }
}

async function expectedInstructions({ pipeline, limit }: StageOptions): Promise<number> {
  return planGenerate(pipeline, await readSeedRows(pipeline), limit).wanted;
}

async function expectedRows(options: StageOptions): Promise<number> {
  const { promptOnly } = need(options.pipeline, 'respond');
  const made = setOf(options.ledger, 'generate');
  const instructions = made ? Number(made.facts.wanted) : await expectedInstructions({ ...options, limit: undefined });
  return instructions * (responders(options.pipeline).length + Number(promptOnly));
}

class Mean {
  count = 0;
  #sum = 0;

  add(value: number): void {
    this.count += 1;
    this.#sum += value;
  }

  get value(): number {
    return this.count === 0 ? 0 : this.#sum / this.count;
  }
}
