/** Flags that name a teacher, and the teacher that they name. */
import path from 'node:path';
import { z } from 'zod';
import { modelConfig } from '../providers/config.ts';
import { readRecipe } from '../recipe/recipe.node.ts';
import { type TeacherChoice, teacherConfig } from '../teachers/config.ts';
import { openTeacher } from '../teachers/create.node.ts';
import { familyNames } from '../teachers/families/index.ts';
import type { Teacher } from '../teachers/teacher.ts';
import { parseConfig } from '../text/schema.ts';
import { unknownName } from '../text/suggest.ts';
import type { CommandIo } from './command.node.ts';
import { type Flags, type FlagValues, UsageError } from './flags.node.ts';
import { hubOptions } from './hub-options.node.ts';

export const teacherFlags = {
  name: { kind: 'text', help: 'which of the recipe’s teachers' },
  endpoint: { kind: 'texts', value: '<url>', help: 'of a server that has the family’s model' },
  dialect: { kind: 'text', help: 'which server it is; vllm' },
  model: { kind: 'text', help: 'its name there; or a GGUF file or hub id without --endpoint' },
  api: { kind: 'text', help: 'chat or completions', choices: ['chat', 'completions'] },
  apiKeyEnv: { kind: 'text', value: '<variable>', help: 'environment variable that holds the key' },
  tokenizer: { kind: 'text', value: '<folder>', help: 'the model’s tokenizer_config.json, for completions' },
  policyFile: { kind: 'text', value: '<file>', help: 'your own policy, where the family takes one' },
  concurrency: { kind: 'number', help: 'most calls at once; 32' },
} as const satisfies Flags;

type TeacherFlags = FlagValues<typeof teacherFlags>;

const isRecipe = (teacher: string) => /\.ya?ml$/.test(teacher);
const isFamily = (teacher: string) =>
  (familyNames as readonly string[]).includes(teacher) || teacher === 'openai-moderation';

/** Whether this is a family or a recipe, and no folder or file of a classifier. */
export function namesTeacher(name: string): boolean {
  return isRecipe(name) || isFamily(name);
}

/** As {@link chooseTeacher}, opened. */
export async function findTeacher(teacher: string, flags: TeacherFlags, io: CommandIo, flag: string): Promise<Teacher> {
  const { config, ...choice } = await chooseTeacher(teacher, flags, flag);
  return openTeacher(config, { ...choice, env: io.env, hub: hubOptions(io) });
}

/**
 * A recipe by its ending, a family by its name, anything else is a classifier's folder or file.
 * @param flag where the name was given, for errors
 * @throws UsageError for names that do not exist, flags that do not fit
 */
export async function chooseTeacher(teacher: string, flags: TeacherFlags, flag: string): Promise<TeacherChoice> {
  if (isRecipe(teacher)) return teacherOfRecipe(teacher, flags.name);
  if (flags.name !== undefined) throw new UsageError('--name belongs to a recipe.');
  const looksLikePath = /[/\\.]/.test(teacher);
  if (!isFamily(teacher) && !looksLikePath) {
    throw new UsageError(`${flag}: ${unknownName('family', teacher, familyNames)}`);
  }
  const config = isFamily(teacher) ? familyConfig(teacher, flags) : { family: 'classifier', folder: teacher };
  return { name: teacher, config: parseConfig(teacherConfig, config, flag) };
}

/** Flags that are not given leave the schema's defaults. */
function familyConfig(family: string, flags: TeacherFlags): object {
  const { endpoint, dialect, model, api, apiKeyEnv, tokenizer, policyFile, concurrency } = flags;
  const given = (entries: Record<string, unknown>) =>
    Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined));
  if (family === 'openai-moderation') return given({ family, model, endpoint: endpoint?.[0], apiKeyEnv, concurrency });
  if (model === undefined)
    throw new UsageError('--model is missing: the name on the server, a GGUF file, or a hub id.');
  const isServer = endpoint !== undefined || dialect !== undefined;
  const server = { dialect: dialect ?? 'vllm', endpoints: endpoint, api, apiKeyEnv, tokenizer, concurrency };
  const inPlace = isServer ? given({ provider: 'openai', model, ...server }) : given({ provider: 'llama.cpp', model });
  return given({ family, model: inPlace, policyFile });
}

async function teacherOfRecipe(file: string, name: string | undefined): Promise<TeacherChoice> {
  const { sections } = await readRecipe(file);
  const teachers = sections.teachers ?? {};
  const names = Object.keys(teachers);
  const wanted = name ?? (names.length === 1 ? names[0] : undefined);
  if (wanted === undefined)
    throw new UsageError(`${file} has ${names.length} teachers: name one with --name (${names.join(', ')}).`);
  if (!names.includes(wanted)) throw new UsageError(`--name: ${unknownName('teacher', wanted, names)}`);
  const config = parseConfig(teacherConfig, teachers[wanted], `${file}: teachers.${wanted}`);
  const models = parseConfig(z.record(z.string(), modelConfig), sections.models ?? {}, `${file}: models`);
  return { name: wanted, config, models, folder: path.dirname(file) };
}
