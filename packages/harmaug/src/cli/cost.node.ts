/** `harmaug cost`: what judging costs, student beside teacher. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import os from 'node:os';
import type { Tokenizer } from '@harmaug/models';
import { FormatError } from 'onnx-grad';
import { parse as parseYaml } from 'yaml';
import type { MeasureRequest } from '../cost/child.ts';
import { checkCost, type ModelCost, ratios } from '../cost/cost.ts';
import type { Speed } from '../cost/measure.ts';
import { checkTable, modelTable, ratioTable } from '../cost/present.ts';
import { defaultPrices, ofMachine, ofTokens, type PriceTable, priceKey, readPrices } from '../cost/prices.ts';
import { measureInChild } from '../cost/run-child.node.ts';
import { findSubjects, type Subject } from '../cost/subject.node.ts';
import { textOfTokens } from '../cost/texts.ts';
import { readRows } from '../data/read.node.ts';
import type { Row } from '../data/row.ts';
import { unknownName } from '../text/suggest.ts';
import { type CommandIo, defineCommand } from './command.node.ts';
import { dataFlags, readOptions } from './data-flags.node.ts';
import { type FlagValues, UsageError } from './flags.node.ts';
import { hubOptions } from './hub-options.node.ts';
import { formatTable } from './table.ts';
import { namesTeacher, teacherFlags } from './teacher-flags.node.ts';

const flags = {
  against: { kind: 'text', value: '<teacher>', help: 'what the others are held against: a family, or any model' },
  lengths: { kind: 'text', value: '<n,n,…>', help: 'tokens of the texts; 32,128,512' },
  data: { kind: 'texts', value: '<file>', help: 'real rows, whose lengths are measured too' },
  prices: { kind: 'text', value: '<yaml>', help: 'your own table of prices' },
  machine: { kind: 'text', value: '<name>', help: 'of the table: what this machine costs; its first' },
  againstMachine: { kind: 'text', value: '<name>', help: 'the same of the teacher’s' },
  shape: { kind: 'text', value: '<config.json>', help: 'of a teacher behind a server, for its FLOPs' },
  templateTokens: { kind: 'number', help: 'that a language model reads beside the text, where it is not run; 200' },
  seconds: { kind: 'number', help: 'of measuring for each length; 4' },
  noRun: { kind: 'flag', help: 'count alone, measure nothing' },
  threads: { kind: 'number', help: 'of the CPU; all cores' },
  ...dataFlags,
  ...teacherFlags,
} as const;

type Values = FlagValues<typeof flags>;

const TEMPLATE_TOKENS = 200; // about what Llama Guard 3 puts around a text (shared template of its card)
const ROWS_OF_A_LENGTH = 64;
const MOST_DATA_ROWS = 1000;

export const costCommand = defineCommand({
  summary: 'say what judging costs: parameters, FLOPs, latency, throughput, memory, money',
  positional: ['<model> …'],
  flags,
  notes: `A model is a guard's folder or hub id (each exported precision that is there is measured), an ONNX file, a GGUF, a
config.json (counted from its shape alone), or a teacher's family or recipe, named as for "harmaug score".
Each model runs in a process of its own. FLOPs are two for a multiplication with its addition. Money is the machine's
price over the throughput, or the price of tokens where the model is behind a server. Prices of one's own:

  machines: { laptop: { hour: 0.05 } }
  models: { llama-guard-3-8b: { prompt: 0.2, completion: 0.2 } }   # a million tokens

  harmaug cost guard --against Llama-Guard-3-8B/config.json
  harmaug cost guard --against qwen3guard-strict --model qwen3guard-0.6b.gguf --data test.jsonl
  harmaug cost guard other-guard --lengths 64,256 --prices prices.yaml --machine laptop --json`,

  async run(values, io, names) {
    const lengths = parseLengths(values.lengths);
    const prices = values.prices === undefined ? defaultPrices : await pricesOf(values.prices);
    const data = values.data === undefined ? [] : await sample(values);
    const context: Context = { values, io, lengths, prices, data, tokenizer: null };
    const models: ModelCost[] = [];
    for (const name of names) models.push(...(await costsOf(name, false, context)));
    const against = values.against === undefined ? null : (await costsOf(values.against, true, context))[0]!;
    const compared = against === null ? [] : ratios(models, against);
    const all = against === null ? models : [...models, against];
    const table = ({ header, rows }: ReturnType<typeof modelTable>) => formatTable(header, rows);
    const machine = {
      cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
      threads: values.threads ?? os.availableParallelism(),
    };
    const parts = [
      table(modelTable(all)),
      table(checkTable(all, prices.currency)),
      ...(compared.length === 0 ? [] : [`beside ${against!.name}\n${table(ratioTable(compared))}`]),
      `${machine.cpu}, ${machine.threads} threads; prices${prices.date === undefined ? '' : ` of ${prices.date}`}: ${pricesSaid(prices)}\n`,
    ];
    return { json: { machine, prices, models, against, ratios: compared }, text: parts.join('\n') };
  },
});

interface Context {
  readonly values: Values;
  readonly io: CommandIo;
  readonly lengths: readonly number[];
  readonly prices: PriceTable;
  readonly data: readonly Row[];
  /** Of the first model that has one: real rows are counted with it for those that have none. */
  tokenizer: Tokenizer | null;
}

async function costsOf(name: string, isAgainst: boolean, context: Context): Promise<ModelCost[]> {
  const { values, io } = context;
  const isTeacher = namesTeacher(name) && !existsSync(`${name}/config.json`);
  const subjects = isTeacher ? [await teacherSubject(name, values, io)] : await findSubjects(name, hubOptions(io));
  const costs: ModelCost[] = [];
  context.tokenizer ??= subjects[0]!.tokenizer;
  for (const subject of subjects) costs.push(await costOf(subject, isTeacher ? name : null, isAgainst, context));
  return costs;
}

/** What there is to know of a teacher before it is asked. */
async function teacherSubject(name: string, { model, shape }: Values, io: CommandIo): Promise<Subject> {
  const file = shape ?? (model?.endsWith('.gguf') && existsSync(model) ? model : undefined);
  const known = file === undefined ? null : (await findSubjects(file, hubOptions(io)))[0]!;
  const nothing = { shape: null, parameters: null, diskBytes: null, tokenizer: null, precision: null };
  return { ...nothing, maxLength: Number.POSITIVE_INFINITY, ...known, name: model ?? name, scorer: null };
}

async function costOf(
  subject: Subject,
  teacher: string | null,
  isAgainst: boolean,
  context: Context,
): Promise<ModelCost> {
  const { values, io, prices, data } = context;
  const label = subject.precision === null ? subject.name : `${subject.name} ${subject.precision}`;
  const sets = [
    ...context.lengths.map((length) => setOf(length, subject)),
    ...(data.length === 0
      ? []
      : [{ length: 'data' as const, rows: data, lengths: lengthsOf(data, subject, context.tokenizer) }]),
  ].filter(({ length }) => length === 'data' || length <= subject.maxLength);
  const judge = judgeOf(subject, teacher, values);
  const measured =
    judge === null || values.noRun === true
      ? null
      : await measureInChild(
          {
            judge,
            threads: values.threads ?? null,
            sets: sets.map(({ rows }) => rows),
            seconds: values.seconds ?? 4,
          },
          {
            program: new URL(
              import.meta.url.endsWith('.ts') ? './cost-child.node.ts' : './cost-child.node.js',
              import.meta.url,
            ),
            env: { ...process.env, ...io.env },
            signal: io.signal,
            onProgress: (set) => io.progress(`${label}: ${set + 1} of ${sets.length} lengths`),
          },
        );
  const { shape } = subject;
  const isLanguageModel = teacher !== null || shape?.head === 'causal-lm';
  const template = isLanguageModel ? (values.templateTokens ?? TEMPLATE_TOKENS) : 0;
  const isServer = teacher !== null && values.endpoint !== undefined;
  const hour = isServer && values.againstMachine === undefined ? null : hourOf(isAgainst, values, prices);
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

function judgeOf(subject: Subject, teacher: string | null, values: Values): MeasureRequest['judge'] | null {
  if (teacher !== null) {
    const own = Object.keys(teacherFlags).map((name) => [name, values[name as keyof typeof teacherFlags]]);
    return { kind: 'teacher', name: teacher, flags: Object.fromEntries(own) };
  }
  if (subject.scorer === null) return null;
  return { kind: 'scorer', name: subject.scorer, maxLength: subject.maxLength };
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

async function sample(values: Values): Promise<Row[]> {
  const { rows } = await readRows(values.data!, readOptions(values));
  if (rows.length === 0) throw new FormatError(`${values.data!.join(', ')}: there are no rows.`);
  const step = Math.max(1, rows.length / MOST_DATA_ROWS);
  return Array.from({ length: Math.min(rows.length, MOST_DATA_ROWS) }, (_, index) => rows[Math.floor(index * step)]!);
}

function parseLengths(text = '32,128,512'): number[] {
  const lengths = text.split(',').map(Number);
  if (lengths.every((length) => Number.isInteger(length) && length >= 4 && length <= 131_072)) return lengths;
  throw new UsageError(
    `--lengths: expected whole numbers from 4 to 131072 such as 32,128,512, got "${text.slice(0, 80)}".`,
  );
}

async function pricesOf(file: string): Promise<PriceTable> {
  const text = await readFile(file, 'utf8').catch((cause) => {
    throw new FormatError(`${file} cannot be read (${(cause as { code?: string }).code}).`, { file, cause });
  });
  let value: unknown;
  try {
    value = parseYaml(text, { maxAliasCount: 10 });
  } catch (cause) {
    throw new FormatError(`${file} is not YAML.`, { file, cause });
  }
  return readPrices(value, file);
}

/** @throws UsageError for a machine that the table does not have */
function hourOf(isAgainst: boolean, values: Values, { machines }: PriceTable): number | null {
  const flag = isAgainst && values.againstMachine !== undefined ? '--against-machine' : '--machine';
  const name = (isAgainst ? values.againstMachine : undefined) ?? values.machine ?? Object.keys(machines)[0];
  if (name === undefined) return null;
  if (machines[name] === undefined)
    throw new UsageError(`${flag}: ${unknownName('machine', name, Object.keys(machines))}`);
  return machines[name].hour;
}

function pricesSaid({ currency, machines, models }: PriceTable): string {
  const ofMachines = Object.entries(machines).map(([name, { hour }]) => `${name} ${hour} ${currency} an hour`);
  const ofModels = Object.entries(models).map(([name, { prompt }]) => `${name} ${prompt} ${currency} a million tokens`);
  return [...ofMachines, ...ofModels].join(', ');
}
