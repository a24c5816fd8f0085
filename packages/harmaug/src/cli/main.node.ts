/** `harmaug <command> …`: the table of commands, help, exit codes: 0 done, 1 failed, 2 wrong use. */
import type { Command, CommandIo, CommandResult } from './command.node.ts';
import { commonFlags, describeFlags, type FlagValues, parseFlags, suggest, UsageError } from './flags.node.ts';
import { Reporter } from './reporter.ts';

interface Entry {
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

/** Each is loaded only when asked for. */
export const commands: Readonly<Record<string, Entry>> = {
  quickstart: {
    summary: 'see all of it work in minutes, with miniature models',
    load: async () => (await import('./quickstart.node.ts')).quickstartCommand as unknown as Command,
  },
  init: {
    summary: 'write a recipe by answering a few questions',
    load: async () => (await import('./init.node.ts')).initCommand as unknown as Command,
  },
  run: {
    summary: 'make a whole experiment from one recipe: data, students, a guard, a report',
    load: async () => (await import('./run-recipe.node.ts')).runCommand as unknown as Command,
  },
  doctor: {
    summary: 'check a recipe, and ask its models whether they can do what is needed',
    load: async () => (await import('./doctor.node.ts')).doctorCommand as unknown as Command,
  },
  generate: {
    summary: 'have a model write instructions, harmful and harmless',
    load: async () => (await import('./generate.node.ts')).generateCommand as unknown as Command,
  },
  respond: {
    summary: 'have models respond to the instructions',
    load: async () => (await import('./respond.node.ts')).respondCommand as unknown as Command,
  },
  label: {
    summary: 'have the teacher label instructions and responses',
    load: async () => (await import('./label.node.ts')).labelCommand as unknown as Command,
  },
  'export-data': {
    summary: 'write the labelled texts as Parquet and JSONL, with a dataset card',
    load: async () => (await import('./export-data.node.ts')).exportDataCommand as unknown as Command,
  },
  'import-data': {
    summary: 'take rows of other sets into a run, or write them in our own columns',
    load: async () => (await import('./import-data.node.ts')).importDataCommand as unknown as Command,
  },
  measure: {
    summary: 'say how varied a run’s texts are, and how often the writer gave in',
    load: async () => (await import('./measure.node.ts')).measureCommand as unknown as Command,
  },
  transform: {
    summary: 'write rows in disguise: ciphers, encodings, look-alikes, role-play, other languages',
    load: async () => (await import('./transform.node.ts')).transformCommand as unknown as Command,
  },
  merge: {
    summary: 'bring the run folders of shards together',
    load: async () => (await import('./merge.node.ts')).mergeCommand as unknown as Command,
  },
  distill: {
    summary: 'train a small guard on labelled data',
    load: async () => (await import('./distill.node.ts')).distillCommand as unknown as Command,
  },
  sweep: {
    summary: 'distil and measure every setting of a grid, over several seeds, and compare them',
    load: async () => (await import('./sweep.node.ts')).sweepCommand as unknown as Command,
  },
  score: {
    summary: 'have a teacher say how likely each text is unsafe',
    load: async () => (await import('./score.node.ts')).scoreCommand as unknown as Command,
  },
  adapt: {
    summary: 'teach a guard a new attack, without it forgetting the old ones',
    load: async () => (await import('./adapt.node.ts')).adaptCommand as unknown as Command,
  },
  reward: {
    summary: 'score prompts and responses as the reward of a red-teaming loop',
    load: async () => (await import('./reward.node.ts')).rewardCommand as unknown as Command,
  },
  calibrate: {
    summary: 'choose a guard’s threshold, and make its scores frequencies',
    load: async () => (await import('./calibrate.node.ts')).calibrateCommand as unknown as Command,
  },
  export: {
    summary: 'write a guard as ONNX: float32, 8 and 4 bits',
    load: async () => (await import('./export.node.ts')).exportCommand as unknown as Command,
  },
  check: {
    summary: 'have an exported guard judge a text, a file or what comes on stdin',
    load: async () => (await import('./check.node.ts')).checkCommand as unknown as Command,
  },
  serve: {
    summary: 'answer over HTTP: OpenAI’s moderations, checks, scores',
    load: async () => (await import('./serve.node.ts')).serveCommand as unknown as Command,
  },
  playground: {
    summary: 'try a guard in a page of the browser, or write that page for a static host',
    load: async () => (await import('./playground.node.ts')).playgroundCommand as unknown as Command,
  },
  cost: {
    summary: 'say what judging costs: parameters, FLOPs, latency, throughput, memory, money',
    load: async () => (await import('./cost.node.ts')).costCommand as unknown as Command,
  },
  evaluate: {
    summary: 'measure a guard on labelled data',
    load: async () => (await import('./evaluate.node.ts')).evaluateCommand as unknown as Command,
  },
  report: {
    summary: 'make one HTML page of saved results',
    load: async () => (await import('./report.node.ts')).reportCommand as unknown as Command,
  },
};

export interface MainIo {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean };
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** @returns the exit code */
export async function main([name, ...argv]: readonly string[], io: MainIo): Promise<number> {
  if (name === undefined || name === '--help' || name === 'help') {
    (name === undefined ? io.stderr : io.stdout).write(usage());
    return name === undefined ? 2 : 0;
  }
  const entry = commands[name];
  if (!entry) {
    io.stderr.write(`Unknown command "${name}".${suggest(name, Object.keys(commands))}\n${usage()}`);
    return 2;
  }
  const reporter = new Reporter(io.stderr);
  try {
    const command = await entry.load();
    const flags = { ...command.flags, ...commonFlags };
    const { values, positionals } = parseFlags(flags, argv, command.positional);
    const { json, help } = values as FlagValues<typeof commonFlags>;
    if (help) {
      io.stdout.write(helpOf(name, entry, command));
      return 0;
    }
    const commandIo: CommandIo = {
      say: (line) => reporter.say(line),
      progress: (line) => reporter.progress(line),
      write: (text) => io.stdout.write(text),
      signal: io.signal,
      env: io.env,
    };
    const result: CommandResult = await command.run(values, commandIo, positionals);
    reporter.clear();
    if (!result.isWritten) io.stdout.write(json ? `${JSON.stringify(result.json, null, 2)}\n` : result.text);
    return result.exitCode ?? 0;
  } catch (error) {
    reporter.clear();
    if (error instanceof UsageError) {
      io.stderr.write(`harmaug ${name}: ${error.message}\nharmaug ${name} --help shows what it takes.\n`);
      return 2;
    }
    if (io.signal.aborted) {
      io.stderr.write(`harmaug ${name}: stopped.\n`);
      return 1;
    }
    io.stderr.write(`harmaug ${name}: ${describeError(error, io.env)}\n`);
    return 1;
  }
}

/** One line; the stack with HARMAUG_DEBUG. */
function describeError(error: unknown, env: MainIo['env']): string {
  if (!(error instanceof Error)) return String(error);
  return env.HARMAUG_DEBUG ? (error.stack ?? error.message) : error.message;
}

function usage(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  const lines = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return ['harmaug <command> [--json] …', ...lines, 'harmaug <command> --help', ''].join('\n');
}

function helpOf(name: string, { summary }: Entry, { positional = [], flags, notes }: Command): string {
  const needed = positional.map((argument) => ` ${argument}`).join('');
  const parts = [`harmaug ${name}${needed} …: ${summary}`, '', describeFlags({ ...flags, ...commonFlags })];
  return [...parts, ...(notes ? ['', notes.trim()] : []), ''].join('\n');
}
