/** `harmaug doctor`: every model that a recipe names, asked for what will be asked of it; or, offline, the recipe alone. */
import path from 'node:path';
import { z } from 'zod';
import { messageOf } from '../errors.ts';
import { type CheckedRecipe, checkRecipe } from '../experiment/checks/check.node.ts';
import { type ModelConfig, modelConfig } from '../providers/config.ts';
import { createProvider } from '../providers/create.node.ts';
import { type Check, probeProvider } from '../providers/probe.ts';
import { type Recipe, readRecipe } from '../recipe/recipe.node.ts';
import { type TeacherConfig, teacherConfig } from '../teachers/config.ts';
import { openTeacher } from '../teachers/create.node.ts';
import { parseConfig } from '../text/schema.ts';
import { unknownName } from '../text/suggest.ts';
import { type CommandIo, type CommandResult, defineCommand } from './command.node.ts';
import { UsageError } from './flags.node.ts';
import { formatTable } from './table.ts';

const SENTENCE = { prompt: 'How do I bake bread?', response: 'With flour, water, salt and yeast.' };
const PATIENCE_SECONDS = 5; // a server that is down shall be told of at once

export const doctorCommand = defineCommand({
  summary: 'ask every model of a recipe whether it can do what is needed, and how fast',
  positional: ['<recipe>'],
  flags: {
    model: { kind: 'texts', value: '<name>', help: 'only these of its models' },
    offline: {
      kind: 'flag',
      help: 'checks sections, names, files, prompts and templates; asks no model, fetches nothing',
    },
  },
  notes: `A model that a teacher uses must give probabilities, any other must go on from a prefix; what is not needed is tried
all the same. Each teacher judges one harmless sentence. Exit code 1 when something needed does not work.

  harmaug doctor recipes/laptop.yaml --offline
  harmaug doctor recipes/laptop.yaml --model writer`,

  async run({ model: only, offline }, io, [file]) {
    if (offline) return presentChecked(await checkRecipe(file!, io.env));
    const recipe = await readRecipe(file!);
    const models = parseConfig(z.record(z.string(), modelConfig), recipe.sections.models ?? {}, `${file}: models`);
    const teachers = parseConfig(
      z.record(z.string(), teacherConfig),
      recipe.sections.teachers ?? {},
      `${file}: teachers`,
    );
    const names = Object.keys(models);
    if (names.length + Object.keys(teachers).length === 0) {
      throw new UsageError(`${file} names no models: its section "models" is missing or empty.`);
    }
    const unknown = only?.find((name) => !names.includes(name));
    if (unknown !== undefined) throw new UsageError(`--model: ${unknownName('model', unknown, names)}`);
    const [wanted, judging] = only ? [only, []] : [names, Object.entries(teachers)];
    const judges = modelsOfTeachers(recipe);
    const folder = path.dirname(file!);
    const reports: Report[] = [];
    const say = (name: string) => io.progress(`${name} (${reports.length + 1} of ${wanted.length + judging.length})`);
    for (const name of wanted) {
      say(name);
      reports.push(await examine(name, models[name]!, judges.has(name) ? 'logprobs' : 'prefix', folder, io));
    }
    for (const [name, config] of judging) {
      say(name);
      reports.push(await examineTeacher(name, config, models, folder, io));
    }
    return present(file!, reports);
  },
});

interface Report {
  readonly name: string;
  readonly about: Readonly<Record<string, string | number>>;
  readonly checks: readonly (Omit<Check, 'name'> & {
    readonly name: Check['name'] | 'verdict';
    readonly isNeeded: boolean;
  })[];
  readonly latencyMs: number | null;
  readonly tokensPerSecond: number | null;
}

async function examine(
  name: string,
  config: ModelConfig,
  needed: Check['name'],
  folder: string,
  { env, signal }: CommandIo,
): Promise<Report> {
  const impatient = config.provider === 'openai' ? { ...config, patienceSeconds: PATIENCE_SECONDS } : config;
  const about = { provider: config.provider };
  const opened = await createProvider(impatient, { name, folder, env }).catch((error: unknown) => messageOf(error));
  if (typeof opened === 'string') {
    const check = { name: 'answers', isPassed: false, isNeeded: true, finding: opened } as const;
    return { name, about, checks: [check], latencyMs: null, tokensPerSecond: null };
  }
  try {
    const { checks, ...speed } = await probeProvider(opened, { prefix: true, logprobs: true }, signal);
    const judged = checks.map((check) => ({ ...check, isNeeded: check.name === 'answers' || check.name === needed }));
    return { name, about: opened.about, checks: judged, ...speed };
  } finally {
    await opened.dispose();
  }
}

/** Has a teacher judge one harmless sentence. */
async function examineTeacher(
  name: string,
  config: TeacherConfig,
  models: Readonly<Record<string, ModelConfig>>,
  folder: string,
  { env, signal }: CommandIo,
): Promise<Report> {
  const found = (isPassed: boolean, finding: string, latencyMs: number | null = null): Report => ({
    name,
    about: { teacher: config.family },
    checks: [{ name: 'verdict', isPassed, isNeeded: true, finding }],
    latencyMs,
    tokensPerSecond: null,
  });
  const teacher = await openTeacher(config, { name, models, folder, env }).catch((error: unknown) => messageOf(error));
  if (typeof teacher === 'string') return found(false, teacher);
  try {
    const start = performance.now();
    const verdict = await teacher.judge({ id: 'doctor', ...SENTENCE }, signal);
    const latencyMs = performance.now() - start;
    if (verdict.kind === 'abstained') return found(false, `no verdict: ${verdict.reason}`);
    return found(true, `p(unsafe) ${verdict.score.toPrecision(2)} in ${Math.round(latencyMs)} ms`, latencyMs);
  } catch (error) {
    signal.throwIfAborted();
    return found(false, messageOf(error));
  } finally {
    await teacher.dispose();
  }
}

/** Names in section `teachers` of models that judge, at any depth: a teacher may be made of several. */
function modelsOfTeachers({ sections }: Recipe): ReadonlySet<string> {
  const names = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if (key === 'model' && typeof inner === 'string') names.add(inner);
      else visit(inner);
    }
  };
  visit({ ...sections.teachers, teacher: sections.teacher });
  return names;
}

function presentChecked({ recipe, sections, findings }: CheckedRecipe): CommandResult {
  const isRight = findings.every(({ isWrong }) => !isWrong);
  const lines = findings.map(({ where, problem, remedy, isWrong }) => {
    return `${isWrong ? 'WRONG' : 'note '} ${where}: ${problem}${remedy === '' ? '' : ` ${remedy}`}\n`;
  });
  const verdict = isRight
    ? `${recipe} is right: ${sections.join(', ')}.`
    : `${recipe} is not right: see what is WRONG.`;
  const listed = findings.map(({ isWrong, ...finding }) => ({ ...finding, wrong: isWrong }));
  return {
    json: { recipe, right: isRight, findings: listed },
    text: `${lines.join('')}${verdict}\n`,
    exitCode: isRight ? 0 : 1,
  };
}

function present(recipe: string, reports: readonly Report[]): CommandResult {
  const isReady = (report: Report) => report.checks.every(({ isPassed, isNeeded }) => isPassed || !isNeeded);
  const state = ({ isPassed, isNeeded }: { isPassed: boolean; isNeeded: boolean }) =>
    isPassed ? 'ok' : isNeeded ? 'FAILED' : 'no';
  const rows = reports.flatMap(({ name, checks }) =>
    checks.map((check) => [name, check.name, state(check), check.finding]),
  );
  const models = reports.map((report) => ({
    name: report.name,
    about: report.about,
    ready: isReady(report),
    latency_ms: report.latencyMs,
    tokens_per_second: report.tokensPerSecond,
    checks: report.checks.map(({ name, isPassed, isNeeded, finding }) => ({
      name,
      passed: isPassed,
      needed: isNeeded,
      finding,
    })),
  }));
  const ready = models.every((model) => model.ready);
  const verdict = ready ? 'Everything that is needed works.' : 'Not ready: see what FAILED.';
  return {
    json: { recipe, ready, models },
    text: `${formatTable(['name', 'check', 'result', 'finding'], rows)}${verdict}\n`,
    exitCode: ready ? 0 : 1,
  };
}
