/** The costs of models beside each other: each counted by its shape, and measured in a process of its own. */
import os from 'node:os';
import type { Tokenizer } from '@harmaug/models';
import type { HubOptions } from '@harmaug/models/node';
import type { Row } from '../data/row.ts';
import { spread } from '../data/spread.ts';
import type { TeacherChoice } from '../teachers/config.ts';
import type { MeasureRequest } from './child.ts';
import { type CostRatio, checkCost, type ModelCost, ratios } from './cost.ts';
import type { Speed } from './measure.ts';
import { ofMachine, ofTokens, type PriceTable, priceKey } from './prices.ts';
import { measureInChild } from './run-child.node.ts';
import { findSubjects, type Subject } from './subject.node.ts';
import { textOfTokens } from './texts.ts';

/** A guard's folder, hub id or file; or a teacher. */
export type CostTarget = string | CostTeacher;

export interface CostTeacher {
  readonly teacher: TeacherChoice;
  /** As tables and the table of prices call it. */
  readonly name: string;
  /** GGUF or config.json that tells its size. Default: nothing is known of it. */
  readonly shape?: string | undefined;
}

export interface CompareRequest {
  readonly models: readonly CostTarget[];
  /** What the others are held against. */
  readonly against: CostTarget | null;
  /** Tokens of the texts. */
  readonly lengths: readonly number[];
  /** Real rows, whose lengths are measured too; none: left out. */
  readonly rows: readonly Row[];
  readonly prices: PriceTable;
  /** What an hour costs of this machine, and of the one that `against` runs on; `null`: not known. */
  readonly hours: readonly [own: number | null, against: number | null];
  /** Counts alone, and measures nothing. */
  readonly isCountedOnly?: boolean;
  /** That a language model reads beside the text, where it is not run. */
  readonly templateTokens?: number | undefined;
  /** Of measuring, for each length. */
  readonly seconds?: number | undefined;
  readonly threads?: number | undefined;
  readonly hub: HubOptions;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
  readonly onProgress?: (line: string) => void;
}

/** What `harmaug cost --json` prints. */
export interface Comparison {
  readonly machine: { readonly cpu: string; readonly threads: number };
  readonly prices: PriceTable;
  readonly models: readonly ModelCost[];
  readonly against: ModelCost | null;
  readonly ratios: readonly CostRatio[];
}

const TEMPLATE_TOKENS = 200; // about what Llama Guard 3 puts around a text (shared template of its card)
const SECONDS = 4;
const ROWS_OF_A_LENGTH = 64;
const MOST_DATA_ROWS = 1000;

/** @throws FormatError for a name that is no model; ConfigError where one cannot be run */
export async function compareCosts(request: CompareRequest): Promise<Comparison> {
  const context: Context = { ...request, rows: spread(request.rows, MOST_DATA_ROWS), tokenizer: null };
  const models: ModelCost[] = [];
  for (const target of request.models) models.push(...(await costsOf(target, false, context)));
  const against = request.against === null ? null : (await costsOf(request.against, true, context))[0]!;
  return {
    machine: { cpu: os.cpus()[0]?.model.trim() ?? 'unknown', threads: request.threads ?? os.availableParallelism() },
    prices: request.prices,
    models,
    against,
    ratios: against === null ? [] : ratios(models, against),
  };
}

interface Context extends CompareRequest {
  /** Of the first model that has one: real rows are counted with it for those that have none. */
  tokenizer: Tokenizer | null;
}

async function costsOf(target: CostTarget, isAgainst: boolean, context: Context): Promise<ModelCost[]> {
  const subjects =
    typeof target === 'string' ? await findSubjects(target, context.hub) : [await teacherSubject(target, context)];
  const teacher = typeof target === 'string' ? null : target.teacher;
  const costs: ModelCost[] = [];
  context.tokenizer ??= subjects[0]!.tokenizer;
  for (const subject of subjects) costs.push(await costOf(subject, teacher, isAgainst, context));
  return costs;
}

/** What there is to know of a teacher before it is asked. */
async function teacherSubject({ name, shape }: CostTeacher, { hub }: Context): Promise<Subject> {
  const known = shape === undefined ? null : (await findSubjects(shape, hub))[0]!;
  const nothing = { shape: null, parameters: null, diskBytes: null, tokenizer: null, precision: null };
  return { ...nothing, maxLength: Number.POSITIVE_INFINITY, ...known, name, scorer: null };
}

async function costOf(
  subject: Subject,
  teacher: TeacherChoice | null,
  isAgainst: boolean,
  context: Context,
): Promise<ModelCost> {
  const { prices, rows, hours, env, signal, onProgress } = context;
  const label = subject.precision === null ? subject.name : `${subject.name} ${subject.precision}`;
  const sets = [
    ...context.lengths.map((length) => setOf(length, subject)),
    ...(rows.length === 0
      ? []
      : [{ length: 'data' as const, rows, lengths: lengthsOf(rows, subject, context.tokenizer) }]),
  ].filter(({ length }) => length === 'data' || length <= subject.maxLength);
  const judge = judgeOf(subject, teacher);
  const measured =
    judge === null || context.isCountedOnly === true
      ? null
      : await measureInChild(
          {
            judge,
            threads: context.threads ?? null,
            sets: sets.map((set) => set.rows),
            seconds: context.seconds ?? SECONDS,
          },
          {
            env: { ...process.env, ...env },
            signal,
            onProgress: (set) => onProgress?.(`${label}: ${set + 1} of ${sets.length} lengths`),
          },
        );
  const { shape } = subject;
  const isLanguageModel = teacher !== null || shape?.head === 'causal-lm';
  const template = isLanguageModel ? (context.templateTokens ?? TEMPLATE_TOKENS) : 0;
  const isServer = teacher !== null && runsElsewhere(teacher);
  const hour = isAgainst ? hours[1] : isServer ? null : hours[0];
  const ofModel = prices.models[priceKey(subject.name)] ?? null;
  return {
    name: subject.name,
    precision: subject.precision,
    parameters: shape?.parameters ?? subject.parameters,
    parametersWithoutEmbeddings: shape?.parametersWithoutEmbeddings ?? null,
    diskBytes: subject.diskBytes,
    peakMemoryBytes: isServer ? null : (measured?.peakMemoryBytes ?? null),
    checks: sets.map(({ length, lengths }, index) => {
      const speed = measured?.speeds[index] ?? null;
      // a model that was run says itself what it read
      const read = isLanguageModel && speed?.usage ? null : (lengths?.map((tokens) => tokens + template) ?? null);
      return checkCost({
        ...{ length, speed, lengths: read, flopsOf: shape === null ? null : (tokens) => shape.flops(tokens) },
        money: (tokens, at: Speed | null) => {
          const completion = at?.usage?.completionTokens ?? 1; // the verdict's own
          if (ofModel !== null && tokens !== null) return ofTokens(ofModel, tokens, completion);
          return at === null || hour === null ? null : ofMachine(hour, at.textsPerSecond);
        },
      });
    }),
  };
}

/** Whether a teacher, or a part of one, is behind a server: then neither memory nor this machine's price is its own. */
export function runsElsewhere({ config, models = {} }: TeacherChoice): boolean {
  return (config.family === 'average' ? config.of : [config]).some((part) => {
    if (part.family === 'classifier') return false;
    if (part.family === 'openai-moderation') return true;
    return (typeof part.model === 'string' ? models[part.model] : part.model)?.provider === 'openai';
  });
}

function judgeOf({ scorer, maxLength }: Subject, teacher: TeacherChoice | null): MeasureRequest['judge'] | null {
  if (teacher !== null) return { kind: 'teacher', ...teacher };
  return scorer === null ? null : { kind: 'scorer', name: scorer, maxLength };
}

/** Rows of as many tokens, counted as the model counts, or in words, which are a token each, where that is not known. */
function setOf(length: number, { tokenizer }: Subject) {
  const count = (text: string) => tokenizer?.encode(text).ids.length ?? text.split(' ').length;
  const rows = Array.from({ length: ROWS_OF_A_LENGTH }, (_, index): Row => {
    return { id: `${length}-${index}`, prompt: textOfTokens(length, length * 1000 + index, count) };
  });
  return { length, rows, lengths: rows.map(({ prompt }) => count(prompt)) };
}

function lengthsOf(rows: readonly Row[], { tokenizer: own, maxLength }: Subject, other: Tokenizer | null) {
  const tokenizer = own ?? other;
  if (tokenizer === null) return null;
  return rows.map(({ prompt, response }) => Math.min(tokenizer.encode(prompt, response).ids.length, maxLength));
}
