/** `harmaug reward`: what prompts and the responses to them are worth to a red-teaming loop. */
import { createReadStream } from 'node:fs';
import { type LineCounts, serveLines } from '../reward/serve-lines.ts';
import { openScorer } from '../scoring/open-scorer.node.ts';
import type { Scorer } from '../scoring/scorer.ts';
import { teacherScorer } from '../teachers/teacher-scorer.ts';
import { type CommandIo, defineCommand } from './command.node.ts';
import { UsageError } from './flags.node.ts';
import { hubOptions } from './hub-options.node.ts';
import { formatTable } from './table.ts';
import { findTeacher, namesTeacher, teacherFlags } from './teacher-flags.node.ts';

export const rewardCommand = defineCommand({
  summary: 'score prompts and responses as the reward of a red-teaming loop',
  positional: ['<folder|id|onnx|family|recipe>'],
  flags: {
    data: { kind: 'text', value: '<jsonl>', help: 'lines to score; stdin' },
    beside: {
      kind: 'texts',
      value: '<folder|id|onnx|family|recipe>',
      help: 'others to score the same --data with: only speeds and agreement are printed',
    },
    maxLength: { kind: 'number', help: 'tokens of a text or pair; what the model has positions for' },
    threads: { kind: 'number', help: 'of the CPU; all cores' },
    ...teacherFlags,
  },
  notes: `A line is {"prompt": "…", "response": "…"}, or "responses": […] for several draws, whose rewards are averaged; "id" is optional.
Its answer is a line {"id", "reward", "scores", "isTruncated"} on stdout, at once and in order; one that is no request gets
{"id", "error"}. They are JSON with --json and without. A loop in any language keeps the command open and writes as it goes.

  harmaug reward guard < pairs.jsonl > rewards.jsonl
  harmaug reward guard/onnx/model_quantized.onnx --data pairs.jsonl --beside llama-guard-3-8b --endpoint http://localhost:8000/v1 --model meta-llama/Llama-Guard-3-8B`,

  async run(values, io, [guard]) {
    const { data, beside } = values;
    if (beside !== undefined && data === undefined) throw new UsageError('--beside needs --data.');
    if (beside !== undefined) return compare([guard!, ...beside], data!, values, io);
    const scorer = await open(guard!, values, io);
    try {
      const counts = await serveLines(scorer, chunksOf(data), io.write, io.signal);
      io.say(describe(counts));
      // lines are the result; there is nothing to add to them
      return { json: null, text: '', isWritten: true, exitCode: counts.errors > 0 ? 1 : 0 };
    } finally {
      await scorer.dispose();
    }
  },
});

interface Options {
  readonly maxLength: number | undefined;
  readonly threads: number | undefined;
}

async function open(name: string, values: Options & Parameters<typeof findTeacher>[1], io: CommandIo): Promise<Scorer> {
  if (namesTeacher(name)) return teacherScorer(await findTeacher(name, values, io, 'reward'));
  return openScorer(name, {
    ...(values.maxLength === undefined ? {} : { maxLength: values.maxLength }),
    ...(values.threads === undefined ? {} : { threads: values.threads }),
    hub: hubOptions(io),
  });
}

function chunksOf(file: string | undefined): AsyncIterable<string> {
  if (file === undefined && process.stdin.isTTY) throw new UsageError('Give --data, or lines of JSON on stdin.');
  return (file === undefined ? process.stdin : createReadStream(file)).setEncoding('utf8');
}

const perSecond = ({ texts, scoringMs }: LineCounts) => (scoringMs === 0 ? 0 : (1000 * texts) / scoringMs);

function describe(counts: LineCounts): string {
  const bad = counts.errors === 0 ? '' : `, ${counts.errors} of them no requests`;
  return `${counts.lines} lines${bad}; ${counts.texts} texts, ${perSecond(counts).toFixed(1)} a second`;
}

/** Each on the same lines, one after the other. */
async function compare(
  names: readonly string[],
  data: string,
  values: Parameters<typeof open>[1],
  io: CommandIo,
): Promise<{ json: unknown; text: string }> {
  const sides: { name: string; counts: LineCounts; rewards: (number | null)[] }[] = [];
  for (const name of names) {
    const scorer = await open(name, values, io);
    const rewards: (number | null)[] = [];
    io.progress(`${name}: scoring`);
    try {
      const keep = (line: string) => rewards.push((JSON.parse(line) as { reward?: number | null }).reward ?? null);
      sides.push({ name, counts: await serveLines(scorer, chunksOf(data), keep, io.signal), rewards });
    } finally {
      await scorer.dispose();
    }
  }
  const [first] = sides;
  const json = sides.map(({ name, counts, rewards }) => ({
    guard: name,
    texts: counts.texts,
    seconds: counts.scoringMs / 1000,
    texts_per_second: perSecond(counts),
    speedup: perSecond(first!.counts) / perSecond(counts),
    mean_reward: mean(rewards),
    mean_difference: mean(rewards.map((reward, row) => gap(reward, first!.rewards[row]!))),
  }));
  const rows = json.map((side) => {
    const { guard, texts, texts_per_second, speedup, mean_reward, mean_difference } = side;
    return [guard, texts, texts_per_second.toFixed(1), speedup.toFixed(1), mean_reward, mean_difference];
  });
  const header = ['guard', 'texts', 'texts a second', 'the first is faster by', 'mean reward', 'mean |difference|'];
  return { json: { data, guards: json }, text: formatTable(header, rows) };
}

function gap(one: number | null, other: number | null): number | null {
  return one === null || other === null ? null : Math.abs(one - other);
}

/** Of those that are there; `null` of none. */
function mean(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) / known.length;
}
