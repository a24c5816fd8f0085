/** `harmaug score`: a teacher's p(unsafe) for every row of the files. */
import { open, rename } from 'node:fs/promises';
import path from 'node:path';
import { ConfigError } from 'onnx-grad';
import { z } from 'zod';
import { readRows } from '../data/read.node.ts';
import type { Row } from '../data/row.ts';
import { ProviderError } from '../errors.ts';
import { modelConfig } from '../providers/config.ts';
import { readRecipe } from '../recipe/recipe.node.ts';
import { teacherConfig } from '../teachers/config.ts';
import { openTeacher } from '../teachers/create.node.ts';
import { familyNames } from '../teachers/families/index.ts';
import type { Teacher } from '../teachers/teacher.ts';
import { addUsage, NO_USAGE, type Verdict } from '../teachers/verdict.ts';
import { parseConfig } from '../text/schema.ts';
import { unknownName } from '../text/suggest.ts';
import { type CommandIo, type CommandResult, defineCommand } from './command.node.ts';
import { dataFlags, readOptions } from './data-flags.node.ts';
import { UsageError } from './flags.node.ts';
import { timeLeft } from './reporter.ts';

export const scoreCommand = defineCommand({
  summary: 'have a teacher say how likely each text is unsafe',
  flags: {
    teacher: {
      kind: 'text',
      value: '<family|recipe|folder>',
      help: 'a family, a recipe, or a classifier',
      isRequired: true,
    },
    name: { kind: 'text', help: 'which of the recipe’s teachers' },
    endpoint: { kind: 'texts', value: '<url>', help: 'of a server that has the family’s model' },
    dialect: { kind: 'text', help: 'which server it is; vllm' },
    model: { kind: 'text', help: 'its name there; or a GGUF file or hub id without --endpoint' },
    api: { kind: 'text', help: 'chat or completions', choices: ['chat', 'completions'] },
    apiKeyEnv: { kind: 'text', value: '<variable>', help: 'environment variable that holds the key' },
    tokenizer: { kind: 'text', value: '<folder>', help: 'the model’s tokenizer_config.json, for completions' },
    policyFile: { kind: 'text', value: '<file>', help: 'your own policy, where the family takes one' },
    concurrency: { kind: 'number', help: 'most calls at once; 32' },
    data: { kind: 'texts', value: '<file>', help: 'rows to judge', isRequired: true },
    out: {
      kind: 'text',
      value: '<jsonl>',
      help: 'the rows with soft_label, log_odds and category; it holds the texts',
    },
    ...dataFlags,
  },
  notes: `Families: ${familyNames.join(', ')}, openai-moderation.
A row for which the teacher gives no verdict has a reason in place of a label, and counts as neither safe nor unsafe.

  harmaug score --teacher llama-guard-3-8b --endpoint http://localhost:8000/v1 --model meta-llama/Llama-Guard-3-8B --data rows.jsonl --out labels.jsonl
  harmaug score --teacher qwen3guard-strict --model qwen3guard-0.6b.gguf --data rows.jsonl
  harmaug score --teacher ./guard --data rows.jsonl --json`,

  async run(values, io) {
    const { rows } = await readRows(values.data, readOptions(values));
    const teacher = await findTeacher(values, io);
    try {
      return await score(teacher, rows, values.out, io);
    } finally {
      await teacher.dispose();
    }
  },
});

interface TeacherFlags {
  readonly teacher: string;
  readonly name: string | undefined;
  readonly endpoint: readonly string[] | undefined;
  readonly dialect: string | undefined;
  readonly model: string | undefined;
  readonly api: string | undefined;
  readonly apiKeyEnv: string | undefined;
  readonly tokenizer: string | undefined;
  readonly policyFile: string | undefined;
  readonly concurrency: number | undefined;
}

/** A recipe by its ending, a family by its name, anything else is a classifier's folder or file. */
async function findTeacher(flags: TeacherFlags, { env }: CommandIo): Promise<Teacher> {
  const { teacher } = flags;
  if (/\.ya?ml$/.test(teacher)) return teacherOfRecipe(teacher, flags.name, env);
  if (flags.name !== undefined) throw new UsageError('--name belongs to a recipe.');
  const isFamily = (familyNames as readonly string[]).includes(teacher) || teacher === 'openai-moderation';
  const looksLikePath = /[/\\.]/.test(teacher);
  if (!isFamily && !looksLikePath) throw new UsageError(`--teacher: ${unknownName('family', teacher, familyNames)}`);
  const config = isFamily ? familyConfig(flags) : { family: 'classifier', folder: teacher };
  return openTeacher(parseConfig(teacherConfig, config, '--teacher'), { name: teacher, env });
}

/** Flags that are not given leave the schema's defaults. */
function familyConfig(flags: TeacherFlags): object {
  const { teacher, endpoint, dialect, model, api, apiKeyEnv, tokenizer, policyFile, concurrency } = flags;
  const given = (entries: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined));
  if (teacher === 'openai-moderation') {
    return given({ family: teacher, model, endpoint: endpoint?.[0], apiKeyEnv, concurrency });
  }
  if (model === undefined)
    throw new UsageError('--model is missing: the name on the server, a GGUF file, or a hub id.');
  const isServer = endpoint !== undefined || dialect !== undefined;
  const server = { dialect: dialect ?? 'vllm', endpoints: endpoint, api, apiKeyEnv, tokenizer, concurrency };
  const inPlace = isServer ? given({ provider: 'openai', model, ...server }) : given({ provider: 'llama.cpp', model });
  return given({ family: teacher, model: inPlace, policyFile });
}

async function teacherOfRecipe(file: string, name: string | undefined, env: CommandIo['env']): Promise<Teacher> {
  const { sections } = await readRecipe(file);
  const teachers = sections.teachers ?? {};
  const names = Object.keys(teachers);
  const wanted = name ?? (names.length === 1 ? names[0] : undefined);
  if (wanted === undefined)
    throw new UsageError(`${file} has ${names.length} teachers: name one with --name (${names.join(', ')}).`);
  if (!names.includes(wanted)) throw new UsageError(`--name: ${unknownName('teacher', wanted, names)}`);
  const config = parseConfig(teacherConfig, teachers[wanted], `${file}: teachers.${wanted}`);
  const models = parseConfig(z.record(z.string(), modelConfig), sections.models ?? {}, `${file}: models`);
  return openTeacher(config, { name: wanted, models, env, folder: path.dirname(file) });
}

async function score(
  teacher: Teacher,
  rows: readonly Row[],
  out: string | undefined,
  io: CommandIo,
): Promise<CommandResult> {
  const verdicts: Verdict[] = new Array(rows.length);
  const startMs = performance.now();
  let done = 0;
  let next = 0;
  const stop = new AbortController(); // the first failure ends the others
  const signal = AbortSignal.any([io.signal, stop.signal]);
  const worker = async () => {
    while (next < rows.length) {
      signal.throwIfAborted();
      const index = next++;
      verdicts[index] = await teacher.judge(rows[index]!, signal);
      done += 1;
      const leftMs = ((performance.now() - startMs) / done) * (rows.length - done);
      io.progress(`${done} of ${rows.length} rows, ${timeLeft(leftMs)}`);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(teacher.concurrency, rows.length) }, worker));
  } catch (error) {
    stop.abort(error);
    if (error instanceof ProviderError)
      throw new ConfigError(`${error.message} ${done} of ${rows.length} rows were judged.`, { cause: error });
    throw error;
  }
  if (out !== undefined) await writeLabels(out, rows, verdicts);
  return present(teacher, rows, verdicts, out, performance.now() - startMs);
}

/** The rows as they were, with what the teacher said. Its owner alone may read it. */
async function writeLabels(file: string, rows: readonly Row[], verdicts: readonly Verdict[]): Promise<void> {
  const handle = await open(`${file}.part`, 'w', 0o600);
  try {
    for (const [index, { softLabel: _, ...row }] of rows.entries()) {
      await handle.write(`${JSON.stringify({ ...row, ...fieldsOf(verdicts[index]!, row.category) })}\n`);
    }
  } finally {
    await handle.close();
  }
  await rename(`${file}.part`, file);
}

function fieldsOf(verdict: Verdict, category?: string): Record<string, unknown> {
  if (verdict.kind === 'abstained') return { reason: verdict.reason };
  const named = verdict.category ?? category;
  return { soft_label: verdict.score, log_odds: verdict.logOdds, ...(named === undefined ? {} : { category: named }) };
}

function present(
  teacher: Teacher,
  rows: readonly Row[],
  verdicts: readonly Verdict[],
  out: string | undefined,
  ms: number,
): CommandResult {
  const scored = verdicts.filter((verdict) => verdict.kind === 'scored');
  const unsafe = scored.filter(({ score }) => score >= 0.5).length;
  const abstained: Record<string, number> = {};
  for (const verdict of verdicts) {
    if (verdict.kind === 'abstained') abstained[verdict.reason] = (abstained[verdict.reason] ?? 0) + 1;
  }
  const usage = verdicts.map((verdict) => verdict.usage).reduce(addUsage, NO_USAGE);
  const reasons = Object.entries(abstained).map(([reason, count]) => `${count} without a verdict: ${reason}`);
  const lines = [
    `${rows.length} rows in ${(ms / 1000).toFixed(1)} s: ${scored.length} judged, ${unsafe} of them unsafe`,
    ...reasons,
    ...(out === undefined ? [] : [`written to ${out}`]),
  ];
  return {
    json: {
      teacher: { name: teacher.name, ...teacher.about },
      rows: rows.length,
      scored: scored.length,
      unsafe,
      abstained,
      seconds: ms / 1000,
      prompt_tokens: usage.promptTokens,
      completion_tokens: usage.completionTokens,
      ...(out === undefined
        ? { scores: rows.map(({ id }, index) => ({ id, ...fieldsOf(verdicts[index]!) })) }
        : { out }),
    },
    text: `${lines.join('\n')}\n`,
  };
}
