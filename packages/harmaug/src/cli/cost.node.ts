/** `harmaug cost`: what judging costs, student beside teacher. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { FormatError } from 'onnx-grad';
import { parse as parseYaml } from 'yaml';
import { type CostTarget, compareCosts, runsElsewhere } from '../cost/compare.node.ts';
import { checkTable, modelTable, ratioTable } from '../cost/present.ts';
import { defaultPrices, type PriceTable, readPrices } from '../cost/prices.ts';
import { readRows } from '../data/read.node.ts';
import type { Row } from '../data/row.ts';
import { unknownName } from '../text/suggest.ts';
import { defineCommand } from './command.node.ts';
import { dataFlags, readOptions } from './data-flags.node.ts';
import { type FlagValues, UsageError } from './flags.node.ts';
import { hubOptions } from './hub-options.node.ts';
import { formatTable } from './table.ts';
import { chooseTeacher, namesTeacher, teacherFlags } from './teacher-flags.node.ts';

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
    const rows = values.data === undefined ? [] : await readData(values);
    const models: CostTarget[] = [];
    for (const name of names) models.push(await targetOf(name, values));
    const other = values.against === undefined ? null : await targetOf(values.against, values);
    const { seconds, threads, templateTokens, noRun } = values;
    const comparison = await compareCosts({
      ...{ models, against: other, lengths, rows, prices, seconds, threads, templateTokens },
      ...{ hours: [hourOf(false, values, prices), hourOfOther(other, values, prices)], isCountedOnly: noRun },
      ...{ hub: hubOptions(io), env: io.env, signal: io.signal, onProgress: io.progress },
    });
    const { machine, against, ratios } = comparison;
    const all = against === null ? comparison.models : [...comparison.models, against];
    const table = ({ header, rows }: ReturnType<typeof modelTable>) => formatTable(header, rows);
    const parts = [
      table(modelTable(all)),
      table(checkTable(all, prices.currency)),
      ...(ratios.length === 0 ? [] : [`beside ${against!.name}\n${table(ratioTable(ratios))}`]),
      `${machine.cpu}, ${machine.threads} threads; prices${prices.date === undefined ? '' : ` of ${prices.date}`}: ${pricesSaid(prices)}\n`,
    ];
    return { json: comparison, text: parts.join('\n') };
  },
});

/** A model by its name, or the teacher that a family, a recipe or the flags name. */
async function targetOf(name: string, values: Values): Promise<CostTarget> {
  if (!namesTeacher(name) || existsSync(`${name}/config.json`)) return name;
  const { model, shape } = values;
  const own = model?.endsWith('.gguf') && existsSync(model) ? model : undefined;
  return { teacher: await chooseTeacher(name, values, '--against'), name: model ?? name, shape: shape ?? own };
}

async function readData(values: Values): Promise<Row[]> {
  const { rows } = await readRows(values.data!, readOptions(values));
  if (rows.length === 0) throw new FormatError(`${values.data!.join(', ')}: there are no rows.`);
  return rows;
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

/** Of a server nothing is known but what a flag says. */
function hourOfOther(other: CostTarget | null, values: Values, prices: PriceTable): number | null {
  const isElsewhere = other !== null && typeof other !== 'string' && runsElsewhere(other.teacher);
  return isElsewhere && values.againstMachine === undefined ? null : hourOf(true, values, prices);
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
