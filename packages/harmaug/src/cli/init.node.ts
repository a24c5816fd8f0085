/** `harmaug init`: a recipe from a few answers, or from flags. */
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parseHubId } from '@harmaug/models/node';
import { ConfigError } from 'onnx-grad';
import { benchmarkIds } from '../evaluate/benchmarks.ts';
import { checkRecipe } from '../experiment/checks/check.node.ts';
import { dialectNames } from '../providers/openai/dialects.ts';
import { isHubModel } from '../stages/pipeline.node.ts';
import { familyNames } from '../teachers/families/index.ts';
import { unknownName } from '../text/suggest.ts';
import { type Asker, openAsker } from './ask.node.ts';
import { defineCommand } from './command.node.ts';
import { type FlagValues, UsageError } from './flags.node.ts';
import { type Answers, type ModelPlace, recipeText } from './init-recipe.ts';

const defaults = {
  file: 'recipe.yaml',
  writer: 'hf:Qwen/Qwen2.5-1.5B-Instruct-GGUF/qwen2.5-1.5b-instruct-q4_k_m.gguf',
  family: 'qwen3guard-strict',
  guard: 'hf:QuantFactory/Qwen3Guard-Gen-0.6B-GGUF/Qwen3Guard-Gen-0.6B.Q8_0.gguf',
  dialect: 'vllm',
  endpoint: 'http://localhost:8000/v1',
  student: 'microsoft/deberta-v3-xsmall',
  evaluate: ['xstest', 'openai_moderation'],
  seed: 'seeds.jsonl',
} as const;

const flags = {
  yes: { kind: 'flag', help: 'asks nothing: what no flag says is the default' },
  writer: {
    kind: 'text',
    value: '<gguf|model>',
    help: `GGUF file, hf:owner/repository/file.gguf, or a server’s model`,
  },
  writerEndpoint: { kind: 'text', value: '<url>', help: 'server that has the writer; none: in this process' },
  writerDialect: { kind: 'text', help: `which server it is; ${defaults.dialect}`, choices: dialectNames },
  teacher: { kind: 'text', value: '<family>', help: `${defaults.family}`, choices: familyNames },
  teacherModel: { kind: 'text', value: '<gguf|model>', help: 'as --writer' },
  teacherEndpoint: { kind: 'text', value: '<url>', help: 'as --writer-endpoint' },
  teacherDialect: { kind: 'text', help: `as --writer-dialect`, choices: dialectNames },
  category: {
    kind: 'texts',
    value: '<name=description>',
    help: 'of your own policy; none: the hazards of MLCommons’ taxonomy',
  },
  student: { kind: 'text', value: '<folder|id>', help: defaults.student },
  evaluate: { kind: 'texts', value: '<file|benchmark>', help: defaults.evaluate.join(', ') },
  seedData: { kind: 'text', value: '<file>', help: `labelled rows to start from; ${defaults.seed}` },
} as const;

type Values = FlagValues<typeof flags>;

export const initCommand = defineCommand({
  summary: 'write a recipe by answering a few questions',
  positional: ['[file]'],
  flags,
  notes: `Writes recipe.yaml, or the file that is named, and never over one that is there. Paths are meant from here.

  harmaug init
  harmaug init guard.yaml --yes --seed-data labelled.jsonl --category "Self-praise=claims about our products that are not true"`,

  async run(values, io, [file = defaults.file]) {
    if (existsSync(file)) throw new ConfigError(`${file} is there already. Name another file, or move it away.`);
    const isAsked = !values.yes;
    if (isAsked && process.stdin.isTTY !== true)
      throw new UsageError(
        'There is nobody to ask: this is no terminal. Give --yes, and flags for what is not the default.',
      );
    const asker = isAsked ? openAsker(process.stdin, process.stderr) : null;
    try {
      return await writeRecipe(file, await answersOf(values, asker), io.env);
    } finally {
      asker?.close();
    }
  },
});

/** Writes it and checks it, offline. */
export async function writeRecipe(file: string, answers: Answers, env: Readonly<Record<string, string | undefined>>) {
  const folder = path.dirname(file);
  await mkdir(folder, { recursive: true });
  await writeFile(file, recipeText(placed(answers, folder), file), { flag: 'wx' });
  const { findings } = await checkRecipe(file, env);
  const open = findings.map(({ where, problem, remedy }) => `  ${where}: ${`${problem} ${remedy}`.trim()}\n`);
  const next = `harmaug doctor ${file}\nharmaug run ${file} --out runs/first\n`;
  return {
    json: { file, findings: findings.map(({ isWrong, ...finding }) => ({ ...finding, wrong: isWrong })) },
    text: `${file} is written.\n${open.length === 0 ? '' : `Still to do:\n${open.join('')}`}Next:\n${next}`,
  };
}

/** Flags first, then questions, then defaults. @param asker `null`: nothing is asked */
export async function answersOf(values: Partial<Values>, asker: Asker | null): Promise<Answers> {
  const ask = async (
    given: string | undefined,
    question: string,
    standard: string,
    check?: (text: string) => string | null,
  ) => {
    if (given !== undefined) {
      const problem = check?.(given) ?? null;
      if (problem !== null) throw new UsageError(problem);
      return given;
    }
    return asker === null ? standard : asker.text(question, standard, check);
  };
  const writer = await askPlace('The model that writes', {
    ...{ model: values.writer, endpoint: values.writerEndpoint, dialect: values.writerDialect },
    ...{ standard: defaults.writer, asker },
  });
  const family = await ask(
    values.teacher,
    `The guard that labels, one of ${familyNames.join(', ')}:`,
    defaults.family,
    (name) => ((familyNames as readonly string[]).includes(name) ? null : unknownName('family', name, familyNames)),
  );
  const place = await askPlace('That guard', {
    ...{ model: values.teacherModel, endpoint: values.teacherEndpoint, dialect: values.teacherDialect },
    ...{ standard: family.startsWith('qwen3guard') ? defaults.guard : '', asker },
  });
  const categories = values.category ? values.category.map(parseCategory) : await askCategories(asker);
  const student = await ask(values.student, 'The student: a folder or a hub id:', defaults.student, (name) =>
    existsSync(name) || parseHubId(name) !== null ? null : `${name} is neither a folder nor a hub id.`,
  );
  const standardSets = defaults.evaluate.join(' ');
  const sets =
    values.evaluate ??
    (
      await ask(undefined, `Sets to measure on: files, or of ${benchmarkIds.join(', ')}:`, standardSets, checkSets)
    ).split(/[\s,]+/);
  const problem = checkSets(sets.join(' '));
  if (problem !== null) throw new UsageError(problem);
  const seed = await ask(values.seedData, 'Your labelled rows (JSONL, CSV or Parquet):', defaults.seed);
  return { writer, teacher: { family, place }, categories, student, evaluate: sets.filter(Boolean), seed };
}

function checkSets(text: string): string | null {
  const names = text.split(/[\s,]+/).filter(Boolean);
  if (names.length === 0) return 'Expected at least one set.';
  const unknown = names.find((name) => !existsSync(name) && !(benchmarkIds as readonly string[]).includes(name));
  return unknown === undefined
    ? null
    : `There is no file ${unknown}, and no benchmark of that name. ${unknownName('benchmark', unknown, benchmarkIds)}`;
}

interface PlaceQuestion {
  readonly model: string | undefined;
  readonly endpoint: string | undefined;
  readonly dialect: string | undefined;
  /** Empty where there is none. */
  readonly standard: string;
  readonly asker: Asker | null;
}

async function askPlace(
  what: string,
  { model, endpoint, dialect, standard, asker }: PlaceQuestion,
): Promise<ModelPlace> {
  const isGiven = model !== undefined || endpoint !== undefined;
  const kind =
    isGiven || asker === null
      ? endpoint === undefined
        ? 'gguf'
        : 'server'
      : await asker.choice(`${what} is`, { gguf: 'a GGUF, run in this process', server: 'behind a server' });
  const needed = (text: string) => (text === '' ? 'Expected a name.' : null);
  const named = async (question: string) => {
    if (model !== undefined) return model;
    if (asker !== null) return asker.text(question, standard, needed);
    if (standard !== '') return standard;
    throw new UsageError(`${what}: there is no default for this family. Name its GGUF or its model on a server.`);
  };
  if (kind === 'gguf') return { kind, model: await named('GGUF file, or hf:owner/repository/file.gguf:') };
  return {
    kind,
    endpoint: endpoint ?? (await asker!.text('Address:', defaults.endpoint)),
    dialect:
      dialect ??
      (asker === null
        ? defaults.dialect
        : await asker.text(`Which server, of ${dialectNames.join(', ')}:`, defaults.dialect, checkDialect)),
    model: model ?? (asker === null ? await named('') : await asker.text('The model’s name there:', '', needed)),
  };
}

const checkDialect = (name: string) =>
  (dialectNames as readonly string[]).includes(name) ? null : unknownName('dialect', name, dialectNames);

async function askCategories(asker: Asker | null): Promise<Answers['categories']> {
  if (asker === null) return [];
  const kind = await asker.choice('Your policy', {
    taxonomy: 'the hazards of MLCommons’ taxonomy',
    own: 'categories of my own',
  });
  const categories: { name: string; description: string }[] = [];
  while (kind === 'own') {
    const name = await asker.text('Name of a category (empty to end):', '', (text) =>
      text === '' && categories.length === 0 ? 'Expected at least one.' : null,
    );
    if (name === '') break;
    const description = await asker.text('What it is about:', '', (text) =>
      text === '' ? 'Expected a few words.' : null,
    );
    categories.push({ name, description });
  }
  return categories;
}

function parseCategory(text: string): { name: string; description: string } {
  const at = text.indexOf('=');
  if (at > 0 && at < text.length - 1) return { name: text.slice(0, at).trim(), description: text.slice(at + 1).trim() };
  throw new UsageError(`--category: expected <name>=<description>, got "${text.slice(0, 80)}".`);
}

/** Paths as the recipe's folder sees them. */
function placed({ writer, teacher, student, evaluate, seed, ...rest }: Answers, folder: string): Answers {
  const at = (file: string) => {
    const relative = path.relative(folder, file);
    return (path.isAbsolute(file) ? file : relative).replaceAll(path.sep, '/');
  };
  const model = (place: ModelPlace): ModelPlace =>
    place.kind === 'gguf' && !isHubModel(place.model) ? { ...place, model: at(place.model) } : place;
  const ifThere = (name: string) => (existsSync(name) ? at(name) : name);
  return {
    ...rest,
    ...{ writer: model(writer), teacher: { ...teacher, place: model(teacher.place) } },
    ...{ student: ifThere(student), evaluate: evaluate.map(ifThere), seed: at(seed) },
  };
}
